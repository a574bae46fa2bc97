"""Which clips each class draws from, and how often built-in sounds stand in for recordings."""

from dataclasses import dataclass

import numpy as np

from edgeseld.core.errors import DataError
from edgeseld.data.synth import builtin
from edgeseld.data.synth.clips import BuiltinSource, Clip, ClipBank
from edgeseld.data.synth.definition import POOLS, Split

# Share of built-in sounds in a class with at most so many groups of recordings. Training only: the held-out set is
# recordings throughout, and the validation set takes built-ins only where a class has no recording.
THIN = ((0, 1.0), (1, 0.7), (3, 0.5), (7, 0.3), (15, 0.15))
SPLIT_SEEDS: dict[Split, int] = {"train": 0, "validation": 1, "heldout": 2, "all": 3}


@dataclass(frozen=True, slots=True)
class Voice:
    """Clips of a class by group, as indices into the bank, and the share of its events that are built-in sounds."""

    groups: tuple[tuple[int, ...], ...]
    builtin: tuple[int, ...]
    builtin_share: float

    def draw_group(self, rng: np.random.Generator) -> tuple[int, ...]:
        """All groups alike, however many clips they have; a built-in sound is a group of its own."""
        if self.builtin and rng.uniform() < self.builtin_share:
            return (self.builtin[rng.integers(len(self.builtin))],)
        return self.groups[rng.integers(len(self.groups))]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Voices in the order of the classes, the unlabelled pools, and the bank that all of them index."""

    classes: tuple[str, ...]
    voices: tuple[Voice, ...]
    interference: Voice | None
    ambience: Voice | None
    bank: ClipBank


def builtin_shares(classes: tuple[str, ...], groups: dict[str, tuple[str, ...]], split: Split) -> dict[str, float]:
    """Share of built-in sounds by class and pool, where it is above zero."""
    shares = {name: _share(len(groups.get(name, ())), split) for name in (*classes, *POOLS) if name in builtin.SOUNDS}
    return {name: share for name, share in shares.items() if share > 0}


def _share(groups: int, split: Split) -> float:
    if groups == 0:
        return 1.0
    if split in {"heldout", "validation"}:
        return 0.0
    return next((share for most, share in THIN if groups <= most), 0.0)


def builtin_sources(shares: dict[str, float], variants: int, split: Split) -> list[BuiltinSource]:
    """The built-in sounds of a run: so many variants of every kind, other ones in every split."""
    kinds = list(builtin.SOUNDS)
    return [
        BuiltinSource(kind, (SPLIT_SEEDS[split], kinds.index(kind), number))
        for kind in shares
        for number in range(variants)
    ]


def make_catalogue(classes: tuple[str, ...], bank: ClipBank, shares: dict[str, float]) -> Catalogue:
    """Sort the clips of a bank by class and group; DataError for a class without any."""
    voices = {name: _voice(name, bank.clips, shares.get(name, 0.0)) for name in (*classes, *POOLS)}
    for name in classes:
        if voices[name] is None:
            raise DataError(
                f"every class needs clips, but {name!r} has none in this split: add recordings or split them anew"
            )
    return Catalogue(
        classes=classes,
        voices=tuple(voice for name in classes if (voice := voices[name]) is not None),
        interference=voices["interference"],
        ambience=voices["ambience"],
        bank=bank,
    )


def _voice(name: str, clips: tuple[Clip, ...], builtin_share: float) -> Voice | None:
    recorded: dict[str, list[int]] = {}
    made: list[int] = []
    for index, clip in enumerate(clips):
        if clip.class_name != name:
            continue
        if clip.name == clip.group and clip.name.startswith("builtin:"):
            made.append(index)
        else:
            recorded.setdefault(clip.group, []).append(index)
    if not recorded and not made:
        return None
    groups = tuple(tuple(recorded[group]) for group in sorted(recorded))
    return Voice(groups, tuple(made), builtin_share if recorded else 1.0)
