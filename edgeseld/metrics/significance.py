"""Is one system better than another: bootstraps over files, or over groups of files that share a room."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import DataError
from edgeseld.metrics.counts import Counts, pool
from edgeseld.metrics.measures import average_measures
from edgeseld.metrics.score import Score

Float64 = NDArray[np.float64]

RESAMPLES = 2000
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Difference:
    """Second system minus first in one measure, with its bootstrap interval and two-sided p-value."""

    measure: str
    first: float
    second: float
    difference: float
    low: float
    high: float
    p_value: float


def room_group(name: str) -> str:
    """Split and room of a DCASE file name: files of one room are no independent samples.

    >>> room_group("fold4_room23_mix001")
    'fold4_room23'
    """
    found = re.match(r"(fold\d+_room\d+)_mix", name)
    if found is None:
        raise DataError(f"names like fold4_room23_mix001 have a room, {name!r} has none: give the groups as a mapping")
    return found.group(1)


def bootstrap_intervals(
    score: Score, groups: Mapping[str, str] | None = None, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Percentile interval (95 %) of every measure over resampled files, or groups of files by name."""
    weights = _weights(score.counts.files, groups, resamples, seed)
    return {name: _interval(values) for name, values in _resampled(score, weights).items()}


def paired_bootstrap(
    first: Score,
    second: Score,
    groups: Mapping[str, str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Difference]:
    """Difference of two systems in every measure; both are scored on the same resampled files each time.

    DataError if they were not scored on the same files, under the same rules and average.
    """
    _require_pair(first, second)
    weights = _weights(first.counts.files, groups, resamples, seed)
    ours, theirs = _resampled(first, weights), _resampled(second, weights)
    return {
        name: _difference(name, first.values[name], second.values[name], theirs[name] - ours[name]) for name in ours
    }


def _require_pair(first: Score, second: Score) -> None:
    settings = [(score.rules, score.average, score.classes) for score in (first, second)]
    if settings[0] != settings[1]:
        raise DataError(f"two systems are compared under one set of rules, got {settings[0]} and {settings[1]}")
    if first.counts.files != second.counts.files:
        strangers = sorted(set(first.counts.files) ^ set(second.counts.files))
        raise DataError(f"two systems are compared on the same files, only one was scored on {strangers[0]!r}")


def _weights(files: Sequence[str], groups: Mapping[str, str] | None, resamples: int, seed: int) -> Float64:
    """How often each file is drawn, (resamples, files); files of one group are drawn together."""
    names = list(files) if groups is None else [groups[name] for name in files]
    units, unit_of_file = np.unique(names, return_inverse=True)
    if len(units) < 2:
        raise DataError(f"a bootstrap needs two or more {'files' if groups is None else 'groups'}, got {len(units)}")
    drawn = np.random.default_rng(seed).multinomial(len(units), np.full(len(units), 1 / len(units)), size=resamples)
    weights: Float64 = drawn[:, unit_of_file].astype(np.float64)
    return weights


def _resampled(score: Score, weights: Float64) -> dict[str, Float64]:
    counts: Counts = pool(score.counts, weights)
    return average_measures(counts, score.rules, score.average, score.classes)


def _interval(values: Float64) -> tuple[float, float]:
    defined = values[~np.isnan(values)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def _difference(name: str, first: float, second: float, resampled: Float64) -> Difference:
    """The p-value is twice the smaller share of resamples beyond zero, the observed one among them."""
    defined = resampled[~np.isnan(resampled)]
    beyond = 1 + min(int((defined <= 0).sum()), int((defined >= 0).sum()))
    p_value = min(1.0, 2 * beyond / (1 + len(defined)))
    return Difference(name, first, second, second - first, *_interval(resampled), p_value)
