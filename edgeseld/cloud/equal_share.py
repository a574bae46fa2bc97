"""What each way to choose windows wins at exactly the same share of them, with intervals bootstrapped over scenes."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgeseld.cloud.study import Study, mended, scores
from edgeseld.core.interval import Interval
from edgeseld.core.structs import Frozen
from edgeseld.metrics.counts import CLASS_COLUMNS, FILE_COLUMNS

Float64 = NDArray[np.float64]
RESAMPLES = 300
# Random windows are drawn this often in every resample.
DRAWS = 4


class EqualShare(Frozen, frozen=True, kw_only=True):
    """One way to choose: the part of the F20 between device and cloud it wins, and its F20 above random windows.

    `gap_closed` is None where the cloud hears no better; resamples in which it does not are left out of its interval.
    """

    strategy: str
    gap_closed: Interval | None
    above_random: Interval


def equal_share(study: Study, share: float, classes: tuple[int, ...] | None) -> tuple[EqualShare, ...]:
    """Every measure and the oracle at `share`; random is what they are compared with."""
    ranks: dict[str, Float64] = {"oracle": mended(study)}
    ranks = {name: values for name, values in study.doubts.items()} | ranks
    generator = np.random.default_rng(0)
    whole = _won(study, np.arange(study.window_count), ranks, share, classes, generator)
    drawn = [_won(study, rows, ranks, share, classes, generator) for rows in _resampled(study, generator)]
    return tuple(
        EqualShare(
            strategy=name,
            gap_closed=_gap_closed(whole[name][0], [one[name][0] for one in drawn]),
            above_random=_interval(whole[name][1], [one[name][1] for one in drawn]),
        )
        for name in ranks
    )


def most(values: Float64, share: float) -> NDArray[np.bool_]:
    """The share of windows with the largest values, ties to the first."""
    sent = np.zeros(len(values), np.bool_)
    sent[np.argsort(-values, kind="stable")[: int(round(share * len(values), 9))]] = True
    return sent


def _resampled(study: Study, generator: np.random.Generator) -> list[NDArray[np.intp]]:
    """Windows of scenes drawn with replacement."""
    scene_of = np.array([name.rpartition(" ")[0] for name in study.device.files])
    scenes = [np.flatnonzero(scene_of == name) for name in np.unique(scene_of)]
    draws = generator.integers(0, len(scenes), (RESAMPLES, len(scenes)))
    return [np.concatenate([scenes[number] for number in draw]) for draw in draws]


def _won(
    study: Study,
    rows: NDArray[np.intp],
    ranks: Mapping[str, Float64],
    share: float,
    classes: tuple[int, ...] | None,
    generator: np.random.Generator,
) -> dict[str, tuple[float | None, float]]:
    """Gap closed and F20 above random by name, over these windows."""
    part, count = _take(study, rows), len(rows)

    def f20(sent: NDArray[np.bool_]) -> float:
        return scores(part, sent, classes)["F"]

    device, cloud = f20(np.zeros(count, np.bool_)), f20(np.ones(count, np.bool_))
    random = float(np.mean([f20(most(generator.random(count), share)) for _ in range(DRAWS)]))
    found = {name: f20(most(values[rows], share)) for name, values in ranks.items()}
    gap = cloud - device
    return {name: ((value - device) / gap if gap > 0.0 else None, value - random) for name, value in found.items()}


def _take(study: Study, rows: NDArray[np.intp]) -> Study:
    """Counts of these windows; names need not differ for scoring."""
    device, cloud = (
        replace(
            counts,
            files=tuple(counts.files[row] for row in rows),
            **{name: getattr(counts, name)[rows] for name in CLASS_COLUMNS + FILE_COLUMNS},
        )
        for counts in (study.device, study.cloud)
    )
    return replace(study, device=device, cloud=cloud)


def _gap_closed(whole: float | None, drawn: list[float | None]) -> Interval | None:
    if whole is None:
        return None
    return _interval(whole, [value for value in drawn if value is not None] or [whole])


def _interval(value: float, drawn: list[float]) -> Interval:
    low, high = np.quantile(drawn, [0.025, 0.975]).tolist()
    return Interval(value=value, low=low, high=high)
