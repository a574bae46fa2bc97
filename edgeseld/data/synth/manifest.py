"""`manifest.csv` of a clip folder: which recordings there are, of which class and group, under which licence."""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

from edgeseld.core.classes import STARSS_CLASSES
from edgeseld.core.errors import DataError
from edgeseld.data.synth.definition import POOLS, HeldoutDefinition, Split

REQUIRED = ("file", "class", "split_group")
UNSETTLED_REASON = "licence unsettled: only the held-out set, which is for evaluation, uses these groups"


@dataclass(frozen=True, slots=True)
class Recording:
    """One row of the manifest."""

    path: Path
    file: str
    class_name: str
    group: str
    licence: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Recordings of a clip folder in the order of the file, and the hash of the file."""

    recordings: tuple[Recording, ...]
    sha256: str

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes that have recordings: those of STARSS in its order, then others as they come; pools are none."""
        found = dict.fromkeys(recording.class_name for recording in self.recordings)
        own = tuple(name for name in found if name not in STARSS_CLASSES and name not in POOLS)
        return tuple(name for name in STARSS_CLASSES if name in found) + own


def read_manifest(folder: Path) -> Manifest:
    """Read `folder/manifest.csv` and check that every clip is there; DataError names the first fault."""
    path = folder / "manifest.csv"
    if not path.is_file():
        raise DataError(f"a clip folder holds manifest.csv, and {folder} has none: write it, or use --sounds builtin")
    content = path.read_bytes()
    rows = csv.DictReader(content.decode("utf-8-sig").splitlines())
    missing = [name for name in REQUIRED if name not in (rows.fieldnames or ())]
    if missing:
        raise DataError(f"{path} needs the columns {', '.join(REQUIRED)}; {missing[0]!r} is missing: add it")
    recordings = tuple(_recording(folder, path, number, row) for number, row in enumerate(rows, start=2))
    if not recordings:
        raise DataError(f"{path} lists no clip: add rows, or use --sounds builtin")
    return Manifest(recordings, hashlib.sha256(content).hexdigest())


def _recording(folder: Path, manifest: Path, line: int, row: dict[str, str]) -> Recording:
    empty = [name for name in REQUIRED if not row[name]]
    if empty:
        raise DataError(
            f"every row of {manifest} fills {', '.join(REQUIRED)}; line {line} has no {empty[0]!r}: fill it"
        )
    path = folder / row["file"]
    if not path.is_file():
        raise DataError(
            f"{manifest} line {line} names {row['file']}, which is not on disk: restore it or remove the row"
        )
    return Recording(path, row["file"], row["class"], row["split_group"], row.get("licence") or "")


@dataclass(frozen=True, slots=True)
class Selection:
    """What one split may hear, and the groups of the collection that it may not hear for their licence."""

    recordings: tuple[Recording, ...]
    left_out: dict[str, tuple[str, ...]]

    def groups(self) -> dict[str, tuple[str, ...]]:
        """Groups in use, sorted, by class or pool."""
        used: dict[str, set[str]] = {}
        for recording in self.recordings:
            used.setdefault(recording.class_name, set()).add(recording.group)
        return {name: tuple(sorted(groups)) for name, groups in sorted(used.items())}


def select(manifest: Manifest, split: Split, definition: HeldoutDefinition | None) -> Selection:
    """Recordings of a split; groups of unsettled licence stay out of training and validation."""
    if definition is None:
        return Selection(manifest.recordings, {})
    _require_known_groups(manifest, definition)
    kept: list[Recording] = []
    left_out: dict[str, set[str]] = {}
    for recording in manifest.recordings:
        if split != "heldout" and recording.licence.startswith(definition.unsettled_licences):
            left_out.setdefault(recording.class_name, set()).add(recording.group)
        elif definition.split_of_group(recording.class_name, recording.group) == split:
            kept.append(recording)
    return Selection(tuple(kept), {name: tuple(sorted(groups)) for name, groups in sorted(left_out.items())})


def _require_known_groups(manifest: Manifest, definition: HeldoutDefinition) -> None:
    """A definition of another collection would hold nothing out and say so nowhere."""
    known = {(recording.class_name, recording.group) for recording in manifest.recordings}
    for listed in (definition.heldout_groups, definition.validation_groups):
        for class_name, groups in listed.items():
            for group in groups:
                if (class_name, group) not in known:
                    raise DataError(
                        f"the held-out definition names group {group!r} of {class_name!r}, which the manifest lacks: "
                        "use the definition that belongs to these clips"
                    )
