"""Label and prediction files of the DCASE challenges, every official form; docs/metrics.md holds the table of forms."""

from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import DataError
from edgeseld.metrics.faults import object_to, object_to_rows
from edgeseld.metrics.labels import DROPPED, Labels, polar_deg
from edgeseld.metrics.rules import Role, Rules

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

COMMA, NEWLINE = b",\n"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
NUMBERS = msgspec.json.Decoder(list[float])

FORMS = (
    "5 columns frame,class,source,azimuth,elevation",
    "6 with a distance (in predictions of 2021 and 2022 frame,class,source,x,y,z)",
    "7 columns frame,class,source,x,y,z,distance",
)
STEREO_FORM = "6 columns frame,class,source,azimuth,distance,onscreen after a header"

# Network outputs have a length near 1; angles in degrees read as x, y, z are far longer.
LONGEST_VECTOR = 10.0


def label_files(folder: Path) -> dict[str, Path]:
    """CSV files in `folder` and below by stem, sorted; DataError for none, or two of one name."""
    if not folder.is_dir():
        raise DataError(f"a folder of CSV files is needed, {folder} is none")
    paths = sorted(folder.rglob("*.csv"), key=lambda path: path.stem)
    if not paths:
        raise DataError(f"no CSV file in {folder} or below")
    for first, second in pairwise(paths):
        if first.stem == second.stem:
            raise DataError(f"files are matched by name, but {first} and {second} share one: rename or remove one")
    return {path.stem: path for path in paths}


def read_label_folder(folder: Path, rules: Rules, role: Role) -> dict[str, Labels]:
    """Labels of every CSV file in `folder` and below, by stem."""
    return {name: read_labels(path, rules, role) for name, path in label_files(folder).items()}


def read_labels(path: Path, rules: Rules, role: Role) -> Labels:
    """Read one CSV file; distances in references are centimetres, in predictions metres, under 2025 rules both cm.

    DataError names the line of a row that cannot be read. A row with an unknown number of columns is an error in
    corrected mode; the official programs drop its content but count its frame.
    """
    values, line = _table(path, rules)
    whole = values[:, [0, 1, 2, 5]] if rules.stereo else values[:, :3]
    broken = (whole != np.rint(whole)).any(axis=1) | ~np.isfinite(whole).all(axis=1)
    if broken.any():
        raise DataError(f"{path}, line {line[broken.argmax()]}: frame, class, source and on-screen are whole numbers")
    return _labels(values, line, path, rules, role)


def _labels(values: Float64, line: Int64, path: Path, rules: Rules, role: Role) -> Labels:
    frame, class_id, source = values[:, :3].astype(np.int64).T
    if rules.stereo:
        azimuth, elevation, onscreen = values[:, 3], np.zeros(len(values)), values[:, 5].astype(np.int64)
        return Labels(frame, class_id, source, azimuth, elevation, values[:, 4] / 100, onscreen, line=line)
    width = values.shape[1]
    cartesian = width == 7 or (width == 6 and rules.cartesian_6_columns and role == "prediction")
    azimuth, elevation = polar_deg(values[:, 3:6]) if cartesian else (values[:, 3], values[:, 4])
    distance_m: Float64 | None = None
    if rules.distance and width > 5:
        distance_m = values[:, -1] / 100 if role == "reference" else values[:, -1]
    labels = Labels(frame, class_id, source, azimuth, elevation, distance_m, line=line)
    if cartesian:
        _check_lengths(values[:, 3:6], labels, path, rules, width)
    return labels


def _check_lengths(vectors: Float64, labels: Labels, path: Path, rules: Rules, width: int) -> None:
    """A zero vector has no direction; a very long one is a polar row taken for a Cartesian one."""
    length = np.linalg.norm(vectors, axis=1)
    object_to_rows(length == 0.0, length, str(path), "a direction x, y, z must not have the length 0", labels, rules)
    rule = f"x, y, z in {width} columns must have a length near 1 (polar predictions have 5 columns up to 2022)"
    object_to_rows(length > LONGEST_VECTOR, length, str(path), rule, labels, rules)


def _table(path: Path, rules: Rules) -> tuple[Float64, Int64]:
    """Numbers (rows, columns) and the line of each row."""
    content = path.read_bytes().removeprefix(BYTE_ORDER_MARK)
    body, first_line = _without_header(content, path, rules)
    values = _regular_table(body)
    if values is None or values.shape[1] not in _widths(rules):
        return _irregular_table(body, first_line, path, rules)
    return values, np.arange(first_line, first_line + len(values))


def _widths(rules: Rules) -> tuple[int, ...]:
    return (6,) if rules.stereo else (5, 6, 7)


def _without_header(content: bytes, path: Path, rules: Rules) -> tuple[bytes, int]:
    """Content after the header, if there is one, and the line it starts at."""
    head, _, body = content.partition(b"\n")
    if head[:5].lower() == b"frame":
        return body, 2
    if not rules.stereo or not head or rules.corrected:
        return content, 1
    object_to(f"{path}: no header line", "the official program drops the first line whatever it holds", rules)
    return body, 2


def _regular_table(body: bytes) -> Float64 | None:
    """Numbers of a file whose lines are alike, in one pass of a JSON decoder; None where they are not."""
    body = body.rstrip()
    if not body:
        return np.zeros((0, 6))
    characters = np.frombuffer(body, dtype=np.uint8)
    separators = characters[(characters == COMMA) | (characters == NEWLINE)]
    ends = np.flatnonzero(separators == NEWLINE)
    width = int(ends[0]) + 1 if len(ends) else len(separators) + 1
    rows = len(ends) + 1
    if len(separators) != rows * width - 1 or (ends != np.arange(1, rows) * width - 1).any():
        return None
    try:
        return np.array(NUMBERS.decode(b"[" + body.replace(b"\n", b",") + b"]")).reshape(rows, width)
    except msgspec.MsgspecError:
        return None


def _irregular_table(body: bytes, first_line: int, path: Path, rules: Rules) -> tuple[Float64, Int64]:
    """Line by line, for blank lines, spellings such as +1 and nan, and for errors that name their line."""
    rows: list[list[float]] = []
    lines: list[int] = []
    skipped: list[tuple[float, int]] = []
    for line, text in enumerate(body.decode(errors="replace").splitlines(), first_line):
        if not text.strip():
            continue
        row = _numbers(text, f"{path}, line {line}")
        if len(row) in _widths(rules):
            rows.append(row)
            lines.append(line)
        else:
            _object_to_width(len(row), f"{path}, line {line}", rules)
            skipped.append((row[0], line))
    return _one_width(rows, lines, skipped, path)


def _numbers(text: str, place: str) -> list[float]:
    try:
        return [float(word) for word in text.split(",")]
    except ValueError as error:
        raise DataError(f"{place}: numbers separated by commas are needed, got {text.strip()[:60]!r}") from error


def _object_to_width(width: int, place: str, rules: Rules) -> None:
    forms = STEREO_FORM if rules.stereo else "; ".join(FORMS)
    message = f"{place}: {width} columns, but label files have {forms}"
    if rules.stereo or (rules.distance and width == 4):  # a row of frame, class, azimuth, elevation lacks the distance
        raise DataError(message)
    object_to(message, "the official program counts its frame and drops the rest", rules)


def _one_width(
    rows: list[list[float]], lines: list[int], skipped: list[tuple[float, int]], path: Path
) -> tuple[Float64, Int64]:
    """All rows in one array; a skipped row keeps its frame and gets a class that nothing scores."""
    width = len(rows[0]) if rows else 5
    for row, line in zip(rows, lines, strict=True):
        if len(row) != width:
            raise DataError(f"{path}, line {line}: {len(row)} columns after lines of {width}; a file holds one form")
    ghosts = [[frame, DROPPED] + [1.0] * (width - 2) for frame, _ in skipped]
    numbers = np.array(rows + ghosts, dtype=np.float64).reshape(-1, width)
    return numbers, np.array(lines + [line for _, line in skipped], dtype=np.int64)
