"""Folders of scenes as STARSS23 lays them out, and `dataset.json`, which says what a made data set holds.

    ROOT/dataset.json
    ROOT/{foa,mic,stereo,mono}_dev/{dev-train,dev-test}-NAME/fold{3,4}_room{R}_mix{NNN}.{flac,wav,npy}
    ROOT/metadata_dev/{dev-train,dev-test}-NAME/fold{3,4}_room{R}_mix{NNN}.csv

Labels are rows `frame,class,source,azimuth,elevation,distance_cm` without a header, integers, in 100 ms frames. Arrays
in `.npy` are int16, (channels, samples).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from edgeseld.core.atomic import write_atomic
from edgeseld.core.classes import STARSS_CLASSES
from edgeseld.core.errors import DataError
from edgeseld.core.frames import SAMPLE_RATE_HZ
from edgeseld.core.spec import ChannelFormat, Positive
from edgeseld.core.structs import Frozen, read_json, to_json
from edgeseld.data.class_lists import implied_classes

SPEC_NAME = "dataset.json"
LABEL_FOLDER = "metadata_dev"
AudioKind = Literal["flac", "wav", "npy"]
Part = Literal["dev-train", "dev-test"]
SUFFIXES = (".wav", ".flac", ".npy")


class LabelRow(NamedTuple):
    """One sounding source in one label frame."""

    frame: int
    class_index: int
    source: int
    azimuth_deg: int
    elevation_deg: int
    distance_cm: int


class Provenance(Frozen, frozen=True, kw_only=True):
    """Where the sounds and rooms of a made data set come from; two sets with equal provenance have equal scenes."""

    engine: int
    manifest_sha256: str | None
    heldout_sha256: str | None
    clip_groups: dict[str, tuple[str, ...]]
    left_out_groups: dict[str, tuple[str, ...]]
    left_out_reason: str
    builtin_share: dict[str, float]
    rooms: tuple[str, ...]


class DatasetSpec(Frozen, frozen=True, kw_only=True):
    """`dataset.json`: what training and evaluation must know of a folder."""

    classes: tuple[str, ...] = STARSS_CLASSES
    channel_format: ChannelFormat = "foa"
    sample_rate_hz: int = SAMPLE_RATE_HZ
    split: str = "train"
    seed: int = 0
    scenes: Positive
    scene_s: Positive
    audio: AudioKind = "flac"
    provenance: Provenance
    schema_version: int = 1


@dataclass(frozen=True, slots=True)
class SceneFiles:
    """Audio and label file of one scene."""

    audio: Path
    labels: Path

    @property
    def name(self) -> str:
        """Stem of both files, e.g. fold3_room4_mix012."""
        return self.audio.stem


def read_spec(root: Path) -> DatasetSpec | None:
    """`dataset.json` of a data set, or None where there is none (a downloaded STARSS set)."""
    path = root / SPEC_NAME
    return read_json(path, DatasetSpec) if path.exists() else None


def write_spec(root: Path, spec: DatasetSpec) -> None:
    """Write `dataset.json`."""
    write_atomic(root / SPEC_NAME, to_json(spec))


def dataset_classes(root: Path) -> tuple[str, ...]:
    """Class list of a data set: `dataset.json`, else `classes.txt`, else what MAESTRO Real or STARSS sets hold."""
    spec = read_spec(root)
    return implied_classes(root) if spec is None else spec.classes


def list_scenes(root: Path, channel_format: ChannelFormat, part: Part | None = None) -> tuple[SceneFiles, ...]:
    """All scenes of a data set in one channel format, by path; `part` keeps one side of a STARSS set.

    DataError where the folder, a label file or an audio file is missing, or a made set is unfinished.
    """
    audio_root = _audio_root(root, channel_format)
    label_root = root / LABEL_FOLDER
    if not label_root.is_dir():
        raise DataError(f"labels lie in {LABEL_FOLDER}/ beside the audio, and {root} has none: add that folder")
    audio = files_by_key(audio_root, SUFFIXES, part or "")
    labels = files_by_key(label_root, (".csv",), part or "")
    if not audio:
        raise DataError(f"{audio_root} holds no scene ({', '.join(SUFFIXES)}){_of(part)}: add some")
    require_partners(audio, labels, "labels", f"add the CSV in {label_root}")
    require_partners(labels, audio, "audio", f"add the recording in {audio_root}, or remove the CSV")
    _require_finished(root, len(audio), part)
    return tuple(SceneFiles(audio[key], labels[key]) for key in sorted(audio))


def files_by_key(root: Path, suffixes: tuple[str, ...], prefix: str = "") -> dict[str, Path]:
    """Files by their path below `root` without the suffix; hidden ones, and keys that start otherwise, stay out.

    DataError for two files that differ in their suffix alone.
    """
    keyed: dict[str, Path] = {}
    for path in sorted(root.rglob("*")):
        key = path.relative_to(root).with_suffix("").as_posix()
        if path.suffix.lower() not in suffixes or path.name.startswith(".") or not key.startswith(prefix):
            continue
        if key in keyed:
            raise DataError(f"a scene has one recording, got {keyed[key]} and {path.name}: remove one")
        keyed[key] = path
    return keyed


def require_partners(have: Mapping[str, Path], need: Mapping[str, Path], what: str, remedy: str) -> None:
    """DataError that names the first key of `have` without a partner in `need`."""
    missing = sorted(set(have) - set(need))
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise DataError(f"every scene needs audio and labels; {missing[0]}{more} has no {what}: {remedy}")


def format_labels(rows: Iterable[LabelRow]) -> bytes:
    """Rows as STARSS23 writes them, in the order of frames, classes and sources."""
    return "".join(",".join(map(str, row)) + "\n" for row in sorted(rows)).encode()


def scene_paths(spec: DatasetSpec, root: Path, room: int, mix: int) -> SceneFiles:
    """Where scene `mix` of room `room` (both from 1) of a made data set lies."""
    part, fold = ("dev-train", 3) if spec.split in {"train", "all"} else ("dev-test", 4)
    stem = f"fold{fold}_room{room}_mix{mix:03d}"
    audio = root / f"{spec.channel_format}_dev" / f"{part}-synth" / f"{stem}.{spec.audio}"
    return SceneFiles(audio, root / LABEL_FOLDER / f"{part}-synth" / f"{stem}.csv")


def _audio_root(root: Path, channel_format: ChannelFormat) -> Path:
    folder = root / f"{channel_format}_dev"
    if folder.is_dir():
        return folder
    if not root.is_dir():
        raise DataError(f"a data set is a folder, and {root} is none: check the path")
    others = sorted(path.name for path in root.glob("*_dev") if path.is_dir() and path.name != LABEL_FOLDER)
    held = (
        f"it holds {', '.join(others)}: choose a model or a set of that format"
        if others
        else "it holds no *_dev folder"
    )
    raise DataError(f"{channel_format} scenes lie in {channel_format}_dev/, which {root} lacks; {held}")


def _require_finished(root: Path, found: int, part: Part | None) -> None:
    spec = read_spec(root)
    if spec is not None and part is None and found < spec.scenes:
        raise DataError(
            f"{root} is unfinished: {found} of {spec.scenes} scenes; run the same `edgeseld synth` again to finish it"
        )


def _of(part: Part | None) -> str:
    return f" of part {part}" if part else ""
