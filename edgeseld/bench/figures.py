"""Pictures of a benchmark: where the time goes, and what accuracy costs."""

from collections.abc import Callable, Sequence
from typing import Any

from edgeseld.bench.report import BenchReport, Timing
from edgeseld.core.frames import ceil_div
from edgeseld.runtime.plots import INCH_WIDTH, new_figure, style

LEGEND_COLUMNS = 3
STAGES = ("frontend", "network", "decoding")
COSTS: dict[str, Callable[[Timing], float]] = {
    "median ms for one window": lambda timing: timing.total.median_ms,
    "model file in MB": lambda timing: timing.model_bytes / 1e6,
    "peak memory in MB": lambda timing: timing.memory_bytes / 1e6,
}


def label(timing: Timing) -> str:
    """Bundle and threads."""
    return f"{timing.name}, {timing.threads} thread{'s' if timing.threads > 1 else ''}"


def latency_figure(report: BenchReport) -> Any:
    """A bar per bundle, its stages side by side where they were timed apart, a whisker from the median to the p90."""
    figure = new_figure(INCH_WIDTH, 1.4 + 0.42 * len(report.timings))
    axes = figure.subplots()
    for row, timing in enumerate(report.timings):
        _bar(axes, row, timing)
        axes.plot([timing.total.median_ms, timing.total.p90_ms], [row, row], color="#222222", linewidth=1.2)
        axes.plot([timing.total.p90_ms] * 2, [row - 0.15, row + 0.15], color="#222222", linewidth=1.2)
        axes.annotate(
            f"{timing.total.median_ms:.1f}",
            (max(timing.total.p90_ms, timing.total.median_ms), row),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize="small",
        )
    axes.set_yticks(range(len(report.timings)), [label(timing) for timing in report.timings])
    axes.invert_yaxis()
    axes.set_xlim(0, None)
    axes.margins(x=0.12)
    axes.set_xlabel("ms for one window, PCM to events; the line ends at the 90th percentile")
    return figure


def _bar(axes: Any, row: int, timing: Timing) -> None:
    """Stages add up to the median; what no stage covers is grey."""
    left = 0.0
    for number, name in enumerate(STAGES):
        stage = getattr(timing, name)
        if stage is None:
            continue
        width = min(stage.median_ms, max(timing.total.median_ms - left, 0.0))
        axes.barh(row, width, left=left, height=0.6, color=style(number)[0], alpha=0.75, label=name)
        left += width
    rest = timing.total.median_ms - left
    if rest > 0.0:
        axes.barh(row, rest, left=left, height=0.6, color="#bbbbbb", label="not told apart")


def trade_off_figure(report: BenchReport) -> Any:
    """Accuracy against latency, size and memory for the bundles whose model has a score; None where none has.

    Bundles that ran with several numbers of threads are shown with the first.
    """
    threads = report.timings[0].threads
    scored = [timing for timing in report.timings if timing.F20 is not None and timing.threads == threads]
    if not scored:
        return None
    figure = new_figure(INCH_WIDTH, 3.8 + 0.18 * ceil_div(len(scored), LEGEND_COLUMNS))
    panels: Sequence[Any] = figure.subplots(1, len(COSTS), sharey=True)
    for axes, (name, cost) in zip(panels, COSTS.items(), strict=True):
        points = [_point(axes, number, cost(timing), timing) for number, timing in enumerate(scored)]
        axes.set_xlim(0, 1.15 * max(cost(timing) for timing in scored))
        axes.set_xlabel(name)
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
    panels[0].set_ylabel("F20 of the float model, held-out rooms")
    # Names of bundles are too long for the columns that other pictures have.
    place = {"loc": "outside upper left", "frameon": False, "fontsize": "small", "ncols": LEGEND_COLUMNS}
    figure.legend(points, [label(timing) for timing in scored], **place)
    return figure


def _point(axes: Any, number: int, cost: float, timing: Timing) -> Any:
    colour, marker = style(number)
    return axes.plot([cost], [timing.F20], marker, color=colour, markersize=8)[0]
