"""MAESTRO Real (Martin Morato et al. 2023): stereo recordings at 44.1 kHz with soft labels, the data of DCASE 2023 4b.

    ROOT/development_audio/{cafe_restaurant,...}/cafe_restaurant_00.wav
    ROOT/development_annotation/soft_labels_{cafe_restaurant,...}/cafe_restaurant_00.txt

A label is a line `onset<tab>offset<tab>class<tab>value`: in that second, this share of the annotators heard the class,
weighted by their competence. There are no directions.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import DataError
from edgeseld.core.frames import LABEL_FRAMES_PER_S
from edgeseld.data.class_lists import MAESTRO_LABEL_FOLDER, class_key
from edgeseld.data.layout import SceneFiles, files_by_key, require_partners
from edgeseld.data.text import read_text
from edgeseld.metrics.detection import hard_labels
from edgeseld.metrics.labels import Labels

Float32 = NDArray[np.float32]

AUDIO_FOLDER = "development_audio"
LABEL_PREFIX = "soft_labels_"
# Estimated shares overshoot 1 by rounding errors.
HIGHEST_VALUE = 1.001


def list_maestro_scenes(root: Path) -> tuple[SceneFiles, ...]:
    """All scenes by path; DataError where a folder, a recording or a label file is missing."""
    for name in (AUDIO_FOLDER, MAESTRO_LABEL_FOLDER):
        if not (root / name).is_dir():
            raise DataError(f"MAESTRO Real has {AUDIO_FOLDER}/ and {MAESTRO_LABEL_FOLDER}/; {root} lacks {name}")
    audio = files_by_key(root / AUDIO_FOLDER, (".wav",))
    files = files_by_key(root / MAESTRO_LABEL_FOLDER, (".txt",))
    labels = {key.removeprefix(LABEL_PREFIX): path for key, path in files.items()}
    require_partners(audio, labels, "labels", f"add its text file in {root / MAESTRO_LABEL_FOLDER}")
    require_partners(labels, audio, "audio", f"add the recording in {root / AUDIO_FOLDER}")
    return tuple(SceneFiles(audio[key], labels[key]) for key in sorted(audio))


def read_soft_labels(path: Path, classes: tuple[str, ...]) -> Float32:
    """Activities (label frames, classes) in [0, 1] of a label file, 0 where it says nothing; DataError names a line."""
    rows = [_row(text, f"{path}, line {line}", classes) for line, text in _lines(path)]
    activity = np.zeros((max((last for _, last, _, _ in rows), default=0), len(classes)), np.float32)
    for first, last, class_id, value in rows:
        activity[first:last, class_id] = value
    return activity


def soft_to_labels(activity: Float32) -> Labels:
    """Frames in which more than half of the annotators heard a class, straight ahead: there are no directions."""
    frame, class_id = np.nonzero(hard_labels(activity.astype(np.float64)))
    nowhere = np.zeros(len(frame))
    return Labels(frame, class_id, np.zeros_like(frame), nowhere, nowhere)


def _lines(path: Path) -> list[tuple[int, str]]:
    lines = read_text(path).splitlines()
    return [(number, text) for number, text in enumerate(lines, 1) if text.strip()]


def _row(text: str, place: str, classes: tuple[str, ...]) -> tuple[int, int, int, float]:
    """First frame, frame after the last, class and value of a line."""
    words = text.split("\t")
    if len(words) != 4:
        raise DataError(f"{place}: onset, offset, class and value between tabs are needed, got {text[:60]!r}")
    name = class_key(words[2])
    if name not in classes:
        raise DataError(f"{place}: a class must be one of {', '.join(classes)}, got {name!r}")
    try:
        onset_s, offset_s, value = float(words[0]), float(words[1]), float(words[3])
    except ValueError as error:
        raise DataError(f"{place}: onset, offset and value are numbers, got {text[:60]!r}") from error
    if not (0.0 <= onset_s < offset_s and 0.0 <= value <= HIGHEST_VALUE):
        raise DataError(f"{place}: need 0 <= onset < offset and a value in [0, 1], got {text[:60]!r}")
    first, last = round(onset_s * LABEL_FRAMES_PER_S), round(offset_s * LABEL_FRAMES_PER_S)
    return first, last, classes.index(name), min(value, 1.0)
