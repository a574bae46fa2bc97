"""Device only, cloud only, random, by uncertainty, oracle: what each buys and costs at an equal share of windows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeseld.cloud.energy import joules
from edgeseld.cloud.equal_share import EqualShare, most
from edgeseld.cloud.policy import Measure, fit_threshold
from edgeseld.cloud.study import Study, mended, scores
from edgeseld.core.frames import LABEL_FRAMES_PER_S
from edgeseld.core.structs import Frozen

RANDOM_DRAWS = 50
CURVE_SHARES = tuple(number / 20 for number in range(21))


class StrategyResult(Frozen, frozen=True, kw_only=True):
    """One strategy: share of windows sent, scores, and cost per hour of audio; latencies from window to answer.

    `gap_closed` is the part of the F20 between device and cloud that the strategy wins, None where there is no gap.
    """

    strategy: str
    share: float
    F20: float
    LE: float
    LR: float
    ER: float
    SELD: float
    gap_closed: float | None
    megabytes_per_hour: float
    p50_s: float
    p95_s: float
    p99_s: float
    joules_per_hour: float


class CurvePoint(Frozen, frozen=True, kw_only=True):
    """F20 at a share of windows sent."""

    share: float
    F20: float


class FallbackReport(Frozen, frozen=True, kw_only=True):
    """What `edgeseld fallback --json` prints; thresholds by measure, and where they were fitted.

    `link_means` says what imitated the link, None where there was none. `results` send what is above the thresholds;
    `equal_share` sends exactly `share` of the windows.
    """

    device: str
    cloud: str
    link: str
    link_means: str | None
    data: str
    fitted_on: str
    windows: int
    window_s: float
    unanswered: int
    thresholds: dict[Measure, float]
    results: tuple[StrategyResult, ...]
    share: float
    equal_share: tuple[EqualShare, ...]
    curves: dict[str, tuple[CurvePoint, ...]]


@dataclass(frozen=True, slots=True)
class Bench:
    """A study, with what every strategy is measured by."""

    study: Study
    deadline_s: float
    classes: tuple[int, ...] | None = None

    def result(self, strategy: str, sent: NDArray[np.bool_]) -> StrategyResult:
        """Scores and costs where the windows `sent` (windows,) go to the cloud."""
        study, count = self.study, self.study.window_count
        values = scores(study, sent, self.classes)
        floor, ceiling = (self.f20(np.full(count, all_sent)) for all_sent in (False, True))
        late_s = np.where(np.isfinite(study.cloud_s), study.cloud_s, self.deadline_s)
        latency_s = study.device_s + np.where(sent, late_s, 0.0)
        p50_s, p95_s, p99_s = np.quantile(latency_s, [0.5, 0.95, 0.99]).tolist()
        hours = count * self.window_s / 3600.0
        return StrategyResult(
            strategy=strategy,
            share=float(sent.mean()),
            F20=values["F"],
            **{name: values[name] for name in ("LE", "LR", "ER", "SELD")},
            gap_closed=(values["F"] - floor) / (ceiling - floor) if ceiling > floor else None,
            megabytes_per_hour=float(study.bytes_sent[sent].sum()) / 1e6 / hours,
            p50_s=p50_s,
            p95_s=p95_s,
            p99_s=p99_s,
            joules_per_hour=joules(study.device_s, late_s, study.bytes_sent, sent, self.window_s) / hours,
        )

    def f20(self, sent: NDArray[np.bool_]) -> float:
        """F20 alone."""
        return scores(self.study, sent, self.classes)["F"]

    @property
    def window_s(self) -> float:
        """Length of a window."""
        return self.study.window_frames / LABEL_FRAMES_PER_S


def compare_strategies(bench: Bench, share: float, thresholds: Mapping[Measure, float]) -> tuple[StrategyResult, ...]:
    """All strategies; those by uncertainty send what is above their thresholds, random and oracle the share."""
    count = bench.study.window_count
    everything, nothing = np.ones(count, np.bool_), np.zeros(count, np.bool_)
    results = [bench.result("device only", nothing), bench.result("cloud only", everything)]
    draws = [bench.result("random", sent) for sent in random_choices(count, share)]
    results.append(_mean(draws))
    for measure, threshold in thresholds.items():
        results.append(bench.result(measure, bench.study.doubts[measure] > threshold))
    results.append(bench.result("oracle", most(mended(bench.study), share)))
    return tuple(results)


def curves(bench: Bench) -> dict[str, tuple[CurvePoint, ...]]:
    """F20 over the share of windows sent, for every way to choose them."""
    ranks: dict[str, Callable[[float], Iterator[NDArray[np.bool_]]]] = {
        "random": lambda share: random_choices(bench.study.window_count, share),
        **{name: _ranked(values) for name, values in bench.study.doubts.items()},
        "oracle": _ranked(mended(bench.study)),
    }
    return {
        name: tuple(
            CurvePoint(share=share, F20=float(np.mean([bench.f20(sent) for sent in choose(share)])))
            for share in CURVE_SHARES
        )
        for name, choose in ranks.items()
    }


def fit_thresholds(doubts: Mapping[Measure, Sequence[float]], share: float) -> dict[Measure, float]:
    """A threshold per measure that sends the share of these windows."""
    return {measure: fit_threshold(list(values), share) for measure, values in doubts.items()}


def random_choices(count: int, share: float) -> Iterator[NDArray[np.bool_]]:
    """Some draws of the share of windows, the same ones every time."""
    generator = np.random.default_rng(0)
    for _ in range(RANDOM_DRAWS):
        yield most(generator.permutation(count).astype(np.float64), share)


def _ranked(values: NDArray[np.float64]) -> Callable[[float], Iterator[NDArray[np.bool_]]]:
    return lambda share: iter([most(values, share)])


def _mean(draws: Sequence[StrategyResult]) -> StrategyResult:
    """The mean of every figure."""
    names = [name for name in StrategyResult.__struct_fields__ if name not in ("strategy", "gap_closed")]
    gaps = [draw.gap_closed for draw in draws if draw.gap_closed is not None]
    means = {name: float(np.mean([getattr(draw, name) for draw in draws])) for name in names}
    return StrategyResult(strategy="random", gap_closed=float(np.mean(gaps)) if gaps else None, **means)
