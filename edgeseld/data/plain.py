"""Folders of the user's own recordings.

    ROOT/classes.txt           a class name a line
    ROOT/audio/kitchen.wav     any depth, any format and rate
    ROOT/audio/kitchen.csv     beside its recording

A CSV is in one of two forms. Events, under a header with the columns `onset`, `offset` (seconds) and `class` (a name of
the list), and where they are known `azimuth`, `elevation` (degrees) and `distance` (centimetres); or label frames,
`frame,class,source,azimuth,elevation[,distance]` with the class's index, as STARSS has them.
"""

import csv
from pathlib import Path

import numpy as np

from edgeseld.core.errors import DataError
from edgeseld.core.frames import ceil_div
from edgeseld.data.class_lists import CLASS_LIST_NAME
from edgeseld.data.layout import SPEC_NAME, SUFFIXES, SceneFiles, files_by_key, require_partners
from edgeseld.data.text import read_text
from edgeseld.metrics.labels import Labels

AUDIO_FOLDER = "audio"
SOUND_SUFFIXES = (*SUFFIXES, ".ogg")
REQUIRED = ("onset", "offset", "class")
DIRECTION = ("azimuth", "elevation")
COLUMNS = (*REQUIRED, *DIRECTION, "distance")
FRAME_MS = 100


def list_plain_scenes(root: Path) -> tuple[SceneFiles, ...]:
    """All scenes by path; DataError where the class list, a recording or its CSV is missing."""
    if not (root / CLASS_LIST_NAME).exists() and not (root / SPEC_NAME).exists():
        raise DataError(f"own recordings need a class list, {root} has none: write {CLASS_LIST_NAME}, a name a line")
    folder = root / AUDIO_FOLDER
    audio, labels = files_by_key(folder, SOUND_SUFFIXES), files_by_key(folder, (".csv",))
    if not audio:
        raise DataError(f"{folder} holds no recording ({', '.join(SOUND_SUFFIXES)}): add some")
    require_partners(audio, labels, "labels", "write a CSV of the same name beside the recording")
    require_partners(labels, audio, "audio", "add a recording of the same name beside the CSV, or remove it")
    return tuple(SceneFiles(audio[key], labels[key]) for key in sorted(audio))


def holds_events(path: Path) -> bool:
    """Whether a CSV lists events, not label frames."""
    with path.open("rb") as file:
        return file.readline().lstrip(b"\xef\xbb\xbf").lower().startswith(b"onset")


def read_events(path: Path, classes: tuple[str, ...]) -> Labels:
    """Label frames of a list of events: an event is there in every frame that it touches. DataError names a line."""
    reader = csv.DictReader(read_text(path).splitlines(), skipinitialspace=True)
    known = _check_header(path, reader)
    events = [_event(row, f"{path}, line {reader.line_num}", classes, known) for row in reader]
    frames = [np.arange(first, last) for first, last, *_ in events]
    lengths = [len(frame) for frame in frames]
    columns = np.array([event[2:] for event in events], dtype=np.float64).reshape(-1, 4)
    class_id, azimuth_deg, elevation_deg, distance_m = np.repeat(columns, lengths, axis=0).T
    return Labels(
        frame=np.concatenate([*frames, np.zeros(0, np.int64)]),
        class_id=class_id.astype(np.int64),
        source=np.repeat(np.arange(len(events)), lengths),
        azimuth_deg=azimuth_deg,
        elevation_deg=elevation_deg,
        distance_m=distance_m if "distance" in known else None,
    )


def _check_header(path: Path, reader: "csv.DictReader[str]") -> set[str]:
    """Names of the columns, which the reader then uses; DataError for a missing, unknown or lonely one."""
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    missing, unknown = [name for name in REQUIRED if name not in names], sorted(set(names) - set(COLUMNS))
    if missing or unknown:
        wrong = f"no {missing[0]!r}" if missing else f"{unknown[0]!r}"
        raise DataError(f"{path}: an event list has the columns {', '.join(COLUMNS)}, got {wrong}; correct the header")
    if len(set(DIRECTION) & set(names)) == 1:
        raise DataError(f"{path}: a direction has azimuth and elevation, got one of them; write 0 for the other")
    reader.fieldnames = names
    return set(names)


def _event(
    row: dict[str, str], place: str, classes: tuple[str, ...], known: set[str]
) -> tuple[int, int, int, float, float, float]:
    """First frame, frame after the last, class, azimuth, elevation and distance in metres of an event."""
    if None in row or None in row.values():
        raise DataError(f"{place}: a row has as many values as the header has names, {len(known)}")
    name = row["class"].strip()
    if name not in classes:
        raise DataError(f"{place}: a class must be one of {', '.join(classes)}, got {name!r}; add it to the class list")
    number = {column: _number(row[column], column, place) for column in known - {"class"}}
    onset_ms, offset_ms = round(1000 * number["onset"]), round(1000 * number["offset"])
    azimuth_deg, elevation_deg = number.get("azimuth", 0.0), number.get("elevation", 0.0)
    distance_cm = number.get("distance", 0.0)
    if not 0 <= onset_ms < offset_ms:
        raise DataError(f"{place}: need 0 <= onset < offset, got {row['onset']} and {row['offset']}")
    if not (abs(azimuth_deg) <= 180.0 and abs(elevation_deg) <= 90.0 and distance_cm >= 0.0):
        raise DataError(
            f"{place}: azimuth lies in [-180, 180], elevation in [-90, 90] degrees, distance is not negative, "
            f"got {azimuth_deg:g}, {elevation_deg:g}, {distance_cm:g}"
        )
    first, last = onset_ms // FRAME_MS, ceil_div(offset_ms, FRAME_MS)
    return first, last, classes.index(name), azimuth_deg, elevation_deg, distance_cm / 100.0


def _number(text: str, column: str, place: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise DataError(f"{place}: {column} must be a number, got {text!r}") from error
    if not np.isfinite(number):
        raise DataError(f"{place}: {column} must be finite, got {text!r}")
    return number
