"""Pictures of a fallback study."""

from typing import Any

from edgeseld.cloud.strategies import FallbackReport
from edgeseld.runtime.plots import INCH_WIDTH, new_figure, style


def fallback_figure(report: FallbackReport) -> Any:
    """F20 over the share of windows sent, a line per way to choose them; dots are the fitted thresholds."""
    figure = new_figure(INCH_WIDTH, 5.0)
    axes = figure.subplots()
    results = {result.strategy: result for result in report.results}
    for number, (name, points) in enumerate(report.curves.items()):
        colour = "#777777" if name == "random" else style(number - 1)[0]
        line = "--" if name in ("random", "oracle") else "-"
        axes.plot([p.share for p in points], [p.F20 for p in points], line, color=colour, label=name)
        if name in report.thresholds:
            axes.plot([results[name].share], [results[name].F20], "o", color=colour)
    for name in ("device only", "cloud only"):
        axes.axhline(results[name].F20, color="#bbbbbb", linewidth=0.8, zorder=0)
    axes.set_xlim(0, 1)
    axes.set_xlabel(f"share of windows of {report.window_s:g} s sent to the cloud")
    axes.set_ylabel(f"F20: {report.device}, asking {report.cloud}")
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    return figure
