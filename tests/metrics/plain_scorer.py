"""The same scores, written straight from the definitions: dictionaries, loops and scipy, no speed and no shared code.

It reads files with `csv`, keeps rows as tuples, and walks over files, segments, classes and frames one by one.
"""

import csv
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

CLASSES = 13
Values = dict[str, float]


@dataclass(frozen=True)
class Row:
    frame: int
    class_id: int
    source: int
    azimuth_deg: float
    elevation_deg: float
    distance: float = 0.0
    onscreen: int = 0


@dataclass
class Tally:
    references: float = 0
    hits: float = 0
    far: float = 0
    surplus: float = 0
    missed: float = 0
    angle: float = 0
    distance: float = 0
    relative: float = 0
    onscreen: float = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))


@dataclass
class Tallies:
    classes: list[Tally] = field(default_factory=lambda: [Tally() for _ in range(CLASSES)])
    errors: float = 0


def read_rows(path: Path, *, cartesian: bool = False, centimetres: bool = False, stereo: bool = False) -> list[Row]:
    rows = []
    with path.open() as stream:
        for words in list(csv.reader(stream))[1 if stereo else 0 :]:
            frame, class_id, source = (int(word) for word in words[:3])
            place = [float(word) for word in words[3:]]
            if stereo:
                rows.append(Row(frame, class_id, source, place[0], 0.0, place[1], int(place[2])))
                continue
            distance = place.pop() if len(words) in (6, 7) and not (cartesian and len(words) == 6) else 0.0
            azimuth, elevation = polar(*place) if len(place) == 3 else place
            rows.append(Row(frame, class_id, source, azimuth, elevation, distance / (100 if centimetres else 1)))
    return rows


def polar(x: float, y: float, z: float) -> tuple[float, float]:
    return float(np.arctan2(y, x) * 180 / np.pi), float(np.arctan2(z, np.sqrt(x * x + y * y)) * 180 / np.pi)


def angle(first: Row, second: Row, rules: Any) -> float:
    """The formula of the official program: its last bit decides between matchings of equal cost."""
    if rules.geometry == "folded-azimuth":
        return abs(fold(first.azimuth_deg) - fold(second.azimuth_deg))
    (a1, e1), (a2, e2) = ((row.azimuth_deg * np.pi / 180, row.elevation_deg * np.pi / 180) for row in (first, second))
    if rules.corrected:
        a, b = vector(a1, e1), vector(a2, e2)
        return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b)), (a * b).sum())))
    if rules.geometry == "great-circle":
        cosine = np.sin(e1) * np.sin(e2) + np.cos(e1) * np.cos(e2) * np.cos(abs(a1 - a2))
    else:
        a, b = vector(a1, e1), vector(a2, e2)
        a = a / np.sqrt(a[0] ** 2 + a[1] ** 2 + a[2] ** 2 + 1e-10)
        b = b / np.sqrt(b[0] ** 2 + b[1] ** 2 + b[2] ** 2 + 1e-10)
        cosine = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return float(np.arccos(min(1.0, max(-1.0, cosine))) * 180 / np.pi)


def vector(azimuth: float, elevation: float) -> Any:
    return np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)])


def fold(azimuth_deg: float) -> float:
    """Sources behind are mirrored to the front: 100 becomes 80, -100 becomes -80."""
    wrapped = (azimuth_deg + 180) % 360 - 180
    if wrapped > 90:
        return 180 - wrapped
    return -180 - wrapped if wrapped < -90 else wrapped


def by_frame(rows: list[Row]) -> dict[int, list[Row]]:
    frames: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        frames[row.frame].append(row)
    return frames


def by_class_and_frame(frames: dict[int, list[Row]], segment: range) -> dict[int, dict[int, list[Row]]]:
    groups: dict[int, dict[int, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for frame in segment:
        for row in frames.get(frame, []):
            groups[row.class_id][frame].append(row)
    return groups


def matched_pairs(reference: list[Row], prediction: list[Row], rules: Any) -> Iterator[tuple[int, Row, Row, float]]:
    costs = np.array([[angle(r, p, rules) for p in prediction] for r in reference])
    evened = costs + 1e-9 * costs**2 if rules.corrected else costs
    for i, j in zip(*linear_sum_assignment(evened), strict=True):
        yield int(i), reference[i], prediction[j], float(costs[i, j])


def tally_segment(reference: dict[int, list[Row]], prediction: dict[int, list[Row]], rules: Any) -> Tally:
    """One class in one segment; both sides are frame -> rows."""
    wanted = max((len(rows) for rows in reference.values()), default=0)
    given = max((len(rows) for rows in prediction.values()), default=0)
    tracks: dict[int, list[tuple[float, float, float, float]]] = defaultdict(list)
    for frame in sorted(set(reference) & set(prediction)):
        rows = reference[frame]
        if rules.corrected:
            rows = sorted(rows, key=lambda row: row.source)
        for track, r, p, error in matched_pairs(rows, prediction[frame], rules):
            off = abs(r.distance - p.distance)
            relative = off / (r.distance + np.finfo(float).eps)
            tracks[track].append((error, off, relative, float(r.onscreen == p.onscreen)))
    tally = Tally(references=wanted)
    for errors in tracks.values():
        mean, off, relative, onscreen = (sum(column) / len(errors) for column in zip(*errors, strict=True))
        tally.angle += mean
        tally.distance += off
        tally.relative += relative
        tally.onscreen += onscreen
        hit = mean <= rules.doa_threshold_deg
        if rules.distance and relative > rules.rde_threshold:
            hit = False
        if rules.onscreen and onscreen < 1:
            hit = False
        tally.hits += hit
        tally.far += not hit
    if rules.corrected:
        tally.missed, tally.surplus = wanted - len(tracks), max(0, given - len(tracks))
    elif wanted and given and not tracks:
        tally.missed = given
    else:
        tally.missed, tally.surplus = max(0, wanted - given), max(0, given - wanted)
    return tally


def tally_file(reference: list[Row], prediction: list[Row], rules: Any) -> Tallies:
    frames = max((row.frame for row in reference), default=0)
    if rules.corrected:
        frames = max((row.frame + 1 for row in reference + prediction), default=0)
    result = Tallies()
    reference_frames, predicted_frames = by_frame(reference), by_frame(prediction)
    for start in range(0, frames, rules.block_frames):
        segment = range(start, start + rules.block_frames)
        wanted, given = by_class_and_frame(reference_frames, segment), by_class_and_frame(predicted_frames, segment)
        wrong = missed = 0.0
        for class_id in range(CLASSES):
            tally = tally_segment(wanted[class_id], given[class_id], rules)
            result.classes[class_id] += tally
            wrong += tally.surplus + tally.far
            missed += tally.missed
        result.errors += min(wrong, missed) + max(0, missed - wrong) + max(0, wrong - missed)
    return result


def ratio(part: float, whole: float, rules: Any) -> float:
    return part / whole if whole else (math.nan if rules.corrected else 0.0)


def mean(values: list[float]) -> float:
    defined = [value for value in values if not math.isnan(value)]
    return sum(defined) / len(defined) if defined else math.nan


def values_of(tally: Tally, error_rate: float, rules: Any) -> Values:
    matched = tally.hits + tally.far
    wrong_weight = 0.5 if rules.name == "dcase2021" else 1.0
    whole = tally.hits + wrong_weight * tally.far + 0.5 * (tally.surplus + tally.missed)
    per_match = {
        name: value / matched if matched else math.nan
        for name, value in [("a", tally.angle), ("d", tally.distance), ("r", tally.relative), ("o", tally.onscreen)]
    }
    if not matched and not rules.distance and (tally.references or not rules.corrected):
        per_match["a"] = 180.0
    result = {
        "ER": error_rate,
        "F": ratio(tally.hits, whole, rules),
        "LE": per_match["a"],
        "DOAE": per_match["a"],
        "DE_m": per_match["d"] / (100 if rules.geometry == "folded-azimuth" else 1),
        "RDE": per_match["r"],
        "LR": ratio(matched, matched + tally.missed, rules),
        "onscreen_accuracy": per_match["o"],
    }
    errors = [1 - result["F"], result["DOAE"] / 180, result["RDE"]]
    if not rules.distance:
        errors = [error_rate, 1 - result["F"], result["LE"] / 180, 1 - result["LR"]]
    result["SELD"] = math.nan if math.isnan(result["F"]) else mean(errors)
    return result


def plain_score(
    reference: Mapping[str, list[Row]], prediction: Mapping[str, list[Row]], rules: Any, average: str
) -> tuple[Values, list[Values]]:
    """Averages and values per class; `rules` has the fields of `edgeseld.metrics.rules.Rules`."""
    total = Tallies()
    for name, rows in prediction.items():
        part = tally_file(reference[name], rows, rules)
        total.classes = [a + b for a, b in zip(total.classes, part.classes, strict=True)]
        total.errors += part.errors
    error_rate = ratio(total.errors, sum(tally.references for tally in total.classes), rules)
    classwise = [values_of(tally, error_rate, rules) for tally in total.classes]
    if average == "micro":
        return values_of(sum(total.classes, Tally()), error_rate, rules), classwise
    return {name: mean([values[name] for values in classwise]) for name in classwise[0]}, classwise
