"""`heldout.toml`: which clips and rooms no training may hear, and the sets that every figure is measured on."""

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, field
from msgspec.structs import replace

from edgeseld.core.errors import ConfigError
from edgeseld.core.spec import Positive, require
from edgeseld.core.structs import Frozen, read_toml, to_json

Split = Literal["train", "validation", "heldout", "all"]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Range = tuple[float, float]
# Unlabelled pools of a clip collection, beside the classes.
POOLS = ("interference", "ambience")


class SimulatedRooms(Frozen, frozen=True, kw_only=True):
    """Ranges that simulated rooms are drawn from; the reverberation time is that of a room of 90 cubic metres.

    Smaller and larger rooms have less and more, by the cube root of the volume.
    """

    count: Positive
    length_m: Range = (3.2, 10.0)
    width_m: Range = (2.8, 8.0)
    height_m: Range = (2.3, 3.6)
    rt60_s: Range = (0.15, 0.8)

    def __post_init__(self) -> None:
        for name in ("length_m", "width_m", "height_m", "rt60_s"):
            low, high = getattr(self, name)
            require(0 < low <= high, f"{name} is a range low, high above 0, got {low}, {high}")


class SetSpec(Frozen, frozen=True, kw_only=True):
    """One set of scenes that a single command makes again; the hash is that of its labels in ambisonics."""

    split: Literal["validation", "heldout"]
    scenes: Positive
    scene_s: Positive
    seed: int
    rooms: SimulatedRooms | None = None
    measured_share: Share = 0.0
    rotate: bool = False
    moving_share: Share = 0.0
    labels_sha256: str | None = None

    def __post_init__(self) -> None:
        require(
            (self.rooms is not None) == (self.measured_share < 1.0),
            f"[rooms] is given exactly where measured_share is below 1, got {self.measured_share}",
        )


class HeldoutDefinition(Frozen, frozen=True, kw_only=True):
    """Groups and room settings by split; a group that no list names belongs to training."""

    headline_classes: tuple[str, ...]
    unsettled_licences: tuple[str, ...] = ()
    excluded_groups: dict[str, str] = field(default_factory=dict)
    heldout_groups: dict[str, tuple[str, ...]]
    validation_groups: dict[str, tuple[str, ...]]
    heldout_settings: tuple[str, ...] = ()
    validation_settings: tuple[str, ...] = ()
    sets: dict[str, SetSpec]

    def __post_init__(self) -> None:
        held_out = {group for groups in self.heldout_groups.values() for group in groups}
        validation = {group for groups in self.validation_groups.values() for group in groups}
        both = held_out & validation | (held_out | validation) & set(self.excluded_groups)
        require(not both, f"a group belongs to one split only, but two lists name {sorted(both)}")
        shared = set(self.heldout_settings) & set(self.validation_settings)
        require(not shared, f"a room setting belongs to one split only, but two lists name {sorted(shared)}")

    def split_of_group(self, class_name: str, group: str) -> Split | None:
        """Split of a group of a class, or None for an excluded one."""
        if group in self.excluded_groups:
            return None
        if group in self.heldout_groups.get(class_name, ()):
            return "heldout"
        return "validation" if group in self.validation_groups.get(class_name, ()) else "train"

    def settings(self, split: Split, known: tuple[str, ...]) -> tuple[str, ...]:
        """Measured room settings of a split among the known ones."""
        if split == "heldout":
            return tuple(name for name in known if name in self.heldout_settings)
        if split == "validation":
            return tuple(name for name in known if name in self.validation_settings)
        return tuple(name for name in known if name not in self.heldout_settings + self.validation_settings)

    def sha256(self) -> str:
        """Hash of all that decides who hears what, for the provenance of a data set; the sets apart."""
        return hashlib.sha256(to_json(replace(self, sets={}))).hexdigest()

    def set_named(self, name: str) -> SetSpec:
        """A set by name; ConfigError lists the known ones."""
        if name not in self.sets:
            raise ConfigError(f"the held-out definition has the sets {', '.join(self.sets)}, not {name!r}: choose one")
        return self.sets[name]


def read_definition(path: Path) -> HeldoutDefinition:
    """Read `heldout.toml`."""
    return read_toml(path, HeldoutDefinition)
