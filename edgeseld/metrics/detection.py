"""Sound event detection without directions: segment based F and error rate, and the best threshold of each class.

Rules of sed_eval (Mesaros, Heittola, Virtanen, "Metrics for polyphonic sound event detection", Applied Sciences 2016),
and of DCASE 2023 task 4b: segments of 1 s, soft labels above 0.5 count as present.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import DataError
from edgeseld.core.frames import ceil_div

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]
Event = tuple[float, float, str]
"""Onset and offset in seconds, class name."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectionCounts:
    """What detection scores are made of; sums over files give the score of a set.

    Segments or events, shape (files, classes): `references`, `estimates` and `hits`. Shape (files,): `substitutions`,
    `deletions` and `insertions`.
    """

    references: Float64
    estimates: Float64
    hits: Float64
    substitutions: Float64
    deletions: Float64
    insertions: Float64


@dataclass(frozen=True, slots=True, eq=False)
class DetectionScore:
    """Micro figures over all decisions, macro means over classes, and per class (classes,); NaN where not defined.

    Errors of a class are its misses and false alarms per reference; only `error_rate` knows substitutions.
    """

    f_score: float
    precision: float
    recall: float
    error_rate: float
    macro_f_score: float
    macro_error_rate: float
    classwise_f_score: Float64
    classwise_precision: Float64
    classwise_recall: Float64
    classwise_error_rate: Float64


def pool_detection(counts: DetectionCounts, weights: Float64) -> DetectionCounts:
    """Sums over files with weights (..., files)."""
    return replace(counts, **{field.name: weights @ getattr(counts, field.name) for field in fields(counts)})


def detection_score(counts: DetectionCounts) -> DetectionScore:
    """Score of all files together."""
    total = pool_detection(counts, np.ones(len(counts.substitutions)))
    errors = total.substitutions + total.deletions + total.insertions
    classwise_f = _f_score(total.hits, total.references, total.estimates)
    classwise_errors = _ratio(total.references + total.estimates - 2 * total.hits, total.references)
    hits, references, estimates = total.hits.sum(), total.references.sum(), total.estimates.sum()
    return DetectionScore(
        f_score=float(_f_score(hits, references, estimates)),
        precision=float(_ratio(hits, estimates)),
        recall=float(_ratio(hits, references)),
        error_rate=float(_ratio(errors, references)),
        macro_f_score=_mean(classwise_f),
        macro_error_rate=_mean(classwise_errors),
        classwise_f_score=classwise_f,
        classwise_precision=_ratio(total.hits, total.estimates),
        classwise_recall=_ratio(total.hits, total.references),
        classwise_error_rate=classwise_errors,
    )


def segment_counts(reference: Sequence[Bool], estimate: Sequence[Bool]) -> DetectionCounts:
    """Count files of activities (segments, classes); DataError for files of different shapes."""
    rows = [_file_counts(wanted, given) for wanted, given in zip(reference, estimate, strict=True)]
    return DetectionCounts(*(np.array(column, dtype=np.float64) for column in zip(*rows, strict=True)))


def _file_counts(wanted: Bool, given: Bool) -> tuple[NDArray[np.int64] | int, ...]:
    if wanted.shape != given.shape:
        raise DataError(
            f"reference and estimate must have one shape (segments, classes): {wanted.shape}, {given.shape}"
        )
    present, found, both = wanted.sum(axis=1), given.sum(axis=1), (wanted & given).sum(axis=1)
    substitutions = np.minimum(present, found) - both
    return (
        wanted.sum(axis=0),
        given.sum(axis=0),
        (wanted & given).sum(axis=0),
        int(substitutions.sum()),
        int(np.maximum(present - found, 0).sum()),
        int(np.maximum(found - present, 0).sum()),
    )


def segment_activity(
    events: Sequence[Event], classes: Sequence[str], duration_s: float, segment_s: float = 1.0
) -> Bool:
    """Activity (segments, classes): a class is present in every segment that one of its events touches."""
    activity = np.zeros((math.ceil(duration_s / segment_s), len(classes)), dtype=np.bool_)
    column = {name: index for index, name in enumerate(classes)}
    for onset_s, offset_s, name in events:
        if name not in column:
            raise DataError(f"event class {name!r} is none of {', '.join(classes)}")
        activity[math.floor(onset_s / segment_s) : math.ceil(offset_s / segment_s), column[name]] = True
    return activity


def hard_labels(soft: Float64) -> Bool:
    """Presence from soft labels, the share of annotators who heard a class: more than half of them."""
    return soft > 0.5


def segment_peaks(scores: Float64, frames_per_segment: int) -> Float64:
    """Largest score of each class in each segment: (frames, classes) to (segments, classes); the last may be short."""
    segments = ceil_div(len(scores), frames_per_segment)
    missing = segments * frames_per_segment - len(scores)
    padded = np.pad(scores, ((0, missing), (0, 0)), constant_values=-np.inf)
    peaks: Float64 = padded.reshape(segments, frames_per_segment, -1).max(axis=1)
    return peaks


@dataclass(frozen=True, slots=True, eq=False)
class BestThresholds:
    """For each class (classes,) the decision threshold of the best F and what it gives; NaN without references."""

    threshold: Float64
    f_score: Float64
    precision: Float64
    recall: Float64

    @property
    def macro_f_score(self) -> float:
        """F1_MO of DCASE 2023 task 4b: mean over the classes of their best F."""
        return _mean(self.f_score)


def best_thresholds(scores: Float64, reference: Bool) -> BestThresholds:
    """Best F of each class over all thresholds; scores and reference are (segments, classes) of all files together.

    A threshold lies halfway between the lowest score it accepts and the next one below, -inf if it accepts all.
    """
    if scores.shape != reference.shape:
        raise DataError(
            f"scores and reference must have one shape (segments, classes): {scores.shape}, {reference.shape}"
        )
    columns = [_best_threshold(scores[:, index], reference[:, index]) for index in range(scores.shape[1])]
    return BestThresholds(*np.array(columns, dtype=np.float64).reshape(-1, 4).T)


def _best_threshold(scores: Float64, reference: Bool) -> tuple[float, float, float, float]:
    references = int(reference.sum())
    if not references:
        return math.nan, math.nan, math.nan, math.nan
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last_of_score = np.flatnonzero(np.diff(ranked, append=-np.inf) < 0)
    hits, accepted = np.cumsum(reference[order])[last_of_score], last_of_score + 1
    f_score = 2 * hits / (references + accepted)
    best = int(f_score.argmax())
    lowest = ranked[last_of_score[best]]
    below = ranked[last_of_score[best] + 1] if last_of_score[best] + 1 < len(ranked) else -np.inf
    return (lowest + below) / 2, f_score[best], hits[best] / accepted[best], hits[best] / references


def _f_score(hits: Float64, references: Float64, estimates: Float64) -> Float64:
    return _ratio(2 * hits, references + estimates)


def _ratio(part: Float64, whole: Float64) -> Float64:
    quotient = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=quotient, where=np.asarray(whole) > 0)
    return quotient


def _mean(values: Float64) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else math.nan
