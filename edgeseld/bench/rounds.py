"""Timing rivals in turn, round after round, so that a noisy neighbour hits all alike."""

import time
from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.interval import Interval
from edgeseld.core.structs import Frozen

Progress = Callable[[Iterable[int], int, str], Iterable[int]]
WARM_UP_ROUNDS = 3
RESAMPLES = 1000
UNDISTURBED = 0.1


class Stage(Frozen, frozen=True, kw_only=True):
    """Milliseconds over the rounds."""

    median_ms: float
    p90_ms: float
    min_ms: float
    max_ms: float


def time_in_turn(
    rivals: Mapping[str, Callable[[], object]],
    rounds: int,
    progress: Progress,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, NDArray[np.float64]]:
    """Seconds of each rival in each round, after a few rounds of warming up.

    `time.process_time` as the clock leaves out what other processes take.
    """
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for number in progress(range(WARM_UP_ROUNDS + rounds), WARM_UP_ROUNDS + rounds, "rounds"):
        for name, run in rivals.items():
            started = clock()
            run()
            if number >= WARM_UP_ROUNDS:
                seconds[name].append(clock() - started)
    return {name: np.array(values) for name, values in seconds.items()}


def stage(seconds: NDArray[np.float64]) -> Stage:
    """Median, 90th percentile, least and most."""
    values = 1e3 * seconds
    median, p90 = np.quantile(values, [0.5, 0.9])
    return Stage(median_ms=float(median), p90_ms=float(p90), min_ms=float(values.min()), max_ms=float(values.max()))


def ratio(seconds: NDArray[np.float64], baseline: NDArray[np.float64]) -> Interval:
    """Time over that of the baseline: the median of the rounds' own ratios, rounds resampled for its interval."""
    ratios = seconds / baseline
    drawn = np.random.default_rng(0).choice(ratios, (RESAMPLES, len(ratios)))
    low, high = np.quantile(np.median(drawn, axis=1), [0.025, 0.975])
    return Interval(value=float(np.median(ratios)), low=float(low), high=float(high))


def undisturbed_ratio(seconds: NDArray[np.float64], baseline: NDArray[np.float64]) -> Interval:
    """10th percentile over that of the baseline, rounds resampled together for its interval.

    Others' work only ever adds time, and to several threads, which wait for the slowest of them, far more than to one:
    medians of those are bimodal on a shared machine, and two runs of them differ.
    """
    draws = np.random.default_rng(0).integers(len(seconds), size=(RESAMPLES, len(seconds)))
    ratios = _undisturbed(seconds[draws]) / _undisturbed(baseline[draws])
    low, high = np.quantile(ratios, [0.025, 0.975])
    return Interval(value=float(_undisturbed(seconds) / _undisturbed(baseline)), low=float(low), high=float(high))


def _undisturbed(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.quantile(seconds, UNDISTURBED, axis=-1)
