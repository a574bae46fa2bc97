"""One interface to every data set: what its scenes are, and audio, labels and training targets of each.

The folder says what it holds: STARSS22/23 and made scenes (`foa_dev/` ...), the DCASE 2025 stereo set (`stereo_dev/`
with labels that know the screen), MAESTRO Real (`development_audio/`), or the user's own recordings (`audio/`).
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import DataError
from edgeseld.core.spec import ChannelFormat
from edgeseld.data.class_lists import MAESTRO_LABEL_FOLDER
from edgeseld.data.layout import LABEL_FOLDER, Part, SceneFiles, dataset_classes, list_scenes
from edgeseld.data.maestro import AUDIO_FOLDER as MAESTRO_AUDIO_FOLDER
from edgeseld.data.maestro import list_maestro_scenes, read_soft_labels, soft_to_labels
from edgeseld.data.plain import AUDIO_FOLDER, holds_events, list_plain_scenes, read_events
from edgeseld.data.targets import TargetRows, soft_target_rows, target_rows
from edgeseld.metrics.faults import inspect, object_to_rows
from edgeseld.metrics.label_files import read_labels
from edgeseld.metrics.labels import Labels
from edgeseld.metrics.rules import RULES
from edgeseld.signal.audio import read_audio

Layout = Literal["starss", "stereo2025", "maestro", "plain"]

# Distances are read where there are any; a row that breaks the form is an error.
FRAME_RULES = replace(RULES["dcase2024"], corrected=True)
STEREO_RULES = replace(RULES["dcase2025"], corrected=True)
# Angles, frames and classes are checked; a distance of 0 says that it is not known.
RANGE_RULES = replace(RULES["dcase2023"], corrected=True)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Scenes of a folder in one channel format, by path, and the names of the classes in their labels."""

    root: Path
    layout: Layout
    channel_format: ChannelFormat
    classes: tuple[str, ...]
    scenes: tuple[SceneFiles, ...]


def open_dataset(root: Path, channel_format: ChannelFormat, part: Part | None = None) -> Dataset:
    """Scenes of the data set at `root`; `part` keeps one side of a STARSS or DCASE 2025 set.

    DataError where the folder is no data set, lacks a part, or has no audio of that format.
    """
    layout = _layout(root)
    if layout == "starss":
        scenes = list_scenes(root, channel_format, part)
        layout = "stereo2025" if channel_format == "stereo" and _knows_screen(scenes[0].labels) else layout
    else:
        _require_whole(root, part)
        scenes = list_plain_scenes(root) if layout == "plain" else list_maestro_scenes(root)
    if layout == "maestro" and channel_format not in ("stereo", "mono"):
        raise DataError(f"MAESTRO Real is stereo, and serves as mono, got {channel_format}: choose another model")
    _require_names(scenes)
    return Dataset(root, layout, channel_format, dataset_classes(root), scenes)


def read_scene_audio(dataset: Dataset, scene: SceneFiles) -> NDArray[np.float32]:
    """Audio (channels, samples) at 24 kHz in the format of the set; MAESTRO in mono is the mean of both sides."""
    if dataset.layout == "maestro" and dataset.channel_format == "mono":
        mean: NDArray[np.float32] = read_audio(scene.audio, "stereo").mean(axis=0, keepdims=True)
        return mean
    return read_audio(scene.audio, dataset.channel_format)


def read_scene_labels(dataset: Dataset, scene: SceneFiles) -> Labels:
    """Reference labels, distances in metres where there are any; elevation 0 in stereo, straight ahead in MAESTRO.

    DataError names the line of a row that breaks its form, and of a frame, class or angle out of range.
    """
    labels, place = _read_labels(dataset, scene), str(scene.labels)
    inspect(labels, place, "reference", RANGE_RULES, len(dataset.classes))
    if labels.distance_m is not None:
        rule = "a distance must not be negative"
        object_to_rows(labels.distance_m < 0.0, labels.distance_m, place, rule, labels, RANGE_RULES)
    return labels


def read_scene_targets(dataset: Dataset, scene: SceneFiles, labels: Labels) -> TargetRows:
    """Training targets of a scene with these labels; MAESTRO's are soft activities, for heads of format "sed"."""
    if dataset.layout == "maestro":
        return soft_target_rows(read_soft_labels(scene.labels, dataset.classes))
    return target_rows(labels)


def _read_labels(dataset: Dataset, scene: SceneFiles) -> Labels:
    if dataset.layout == "maestro":
        return soft_to_labels(read_soft_labels(scene.labels, dataset.classes))
    if dataset.layout == "plain" and holds_events(scene.labels):
        return read_events(scene.labels, dataset.classes)
    return read_labels(scene.labels, STEREO_RULES if dataset.layout == "stereo2025" else FRAME_RULES, "reference")


def _layout(root: Path) -> Layout:
    if not root.is_dir():
        raise DataError(f"a data set is a folder, and {root} is none: check the path")
    if any((root / name).is_dir() for name in (MAESTRO_AUDIO_FOLDER, MAESTRO_LABEL_FOLDER)):
        return "maestro"
    if any(path.is_dir() for path in root.glob("*_dev")):
        return "starss"
    if (root / AUDIO_FOLDER).is_dir():
        return "plain"
    raise DataError(
        f"a data set holds foa_dev/, mic_dev/ or stereo_dev/ with {LABEL_FOLDER}/, {MAESTRO_AUDIO_FOLDER}/ (MAESTRO "
        f"Real), or {AUDIO_FOLDER}/ (own recordings), and {root} holds none of them; docs/datasets.md shows each"
    )


def _knows_screen(labels: Path) -> bool:
    """The DCASE 2025 form has a header with this column; stereo scenes made here have neither."""
    with labels.open("rb") as file:
        return b"onscreen" in file.readline().lower()


def _require_whole(root: Path, part: Part | None) -> None:
    if part is not None:
        raise DataError(f"{root} has no parts, got {part}: leave the part out, or split the folder in two")


def _require_names(scenes: tuple[SceneFiles, ...]) -> None:
    """Scores name scenes by their stem alone."""
    seen: dict[str, Path] = {}
    for scene in scenes:
        if scene.name in seen:
            raise DataError(f"scenes need different names, got {seen[scene.name]} and {scene.audio}: rename one")
        seen[scene.name] = scene.audio
