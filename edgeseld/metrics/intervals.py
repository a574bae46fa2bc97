"""How sure a score is: the leave-one-file-out jackknife of the official programs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import BackendMissingError, DataError
from edgeseld.metrics.counts import pool
from edgeseld.metrics.measures import average_measures, classwise_measures
from edgeseld.metrics.score import Score

Float64 = NDArray[np.float64]
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """Lower and upper end of every measure, and per class in arrays (classes, 2); NaN where one is not defined."""

    values: dict[str, tuple[float, float]]
    classwise: dict[str, Float64]


def jackknife(score: Score) -> Intervals:
    """95 % intervals as the official programs compute them: bias-corrected, Student t, files - 1 degrees of freedom.

    DataError for fewer than two files.
    """
    counts, rules = score.counts, score.rules
    files = len(counts.files)
    if files < 2:
        raise DataError(f"a jackknife leaves out one file at a time and needs two or more, got {files}")
    left_out = pool(counts, 1.0 - np.eye(files))
    partial = average_measures(left_out, rules, score.average, score.classes)
    values = {name: _jackknife_interval(np.asarray(score.values[name]), part) for name, part in partial.items()}
    partial = classwise_measures(left_out, rules)
    classwise = {name: _jackknife_interval(score.classwise[name], part) for name, part in partial.items()}
    return Intervals({name: (float(ends[0]), float(ends[1])) for name, ends in values.items()}, classwise)


def _jackknife_interval(value: Float64, partial: Float64) -> Float64:
    """Interval (..., 2) around `value` (...,) from values with one file left out (files, ...)."""
    files = len(partial)
    mean = partial.mean(axis=0)
    estimate = value - (files - 1) * (mean - value)
    error = np.sqrt((files - 1) * ((partial - mean) ** 2).mean(axis=0))
    half_width = _student_t_quantile(0.5 + CONFIDENCE / 2, files - 1) * error
    return np.stack([estimate - half_width, estimate + half_width], axis=-1)


def _student_t_quantile(probability: float, degrees_of_freedom: int) -> float:
    try:
        from scipy.special import stdtrit
    except ImportError as error:
        raise BackendMissingError("the jackknife", "metrics") from error
    return float(stdtrit(degrees_of_freedom, probability))
