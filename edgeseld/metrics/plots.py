"""Pictures of scores, PNG or SVG by the name of the file, the same bytes from the same data.

Systems are shown by name, each in its colour, at most seven in one picture.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.atomic import atomic_file
from edgeseld.core.errors import BackendMissingError, ConfigError
from edgeseld.metrics.calibration import Reliability
from edgeseld.metrics.direction_errors import AngularCoverage
from edgeseld.metrics.score import Score
from edgeseld.metrics.significance import Difference

Float64 = NDArray[np.float64]

INCH_SQUARE = (4.6, 4.4)
INCH_WIDE = (8.0, 4.0)
# Okabe and Ito's colours, which the colour-blind tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DIAGONAL = {"color": "#888888", "linestyle": "--", "linewidth": 1.0}


def plot_reliability(path: Path, systems: Mapping[str, Reliability]) -> None:
    """Frequency over confidence, with the expected calibration error; a calibrated system lies on the diagonal."""
    figure, axes = _square("activity", "share of frames in which the class sounds")
    for (name, diagram), colour in _coloured(systems):
        label = f"{name}, ECE {diagram.expected_error:.3f}"
        axes.plot(diagram.confidence, diagram.frequency, color=colour, marker="o", markersize=4, label=label)
    _save(figure, path)


def plot_angular_coverage(path: Path, systems: Mapping[str, AngularCoverage]) -> None:
    """Share of true directions that the predicted caps hold over the share they should hold."""
    figure, axes = _square("share a cap should hold", "share of true directions it holds")
    for (name, coverage), colour in _coloured(systems):
        label = f"{name}, mean gap {coverage.expected_error:.3f}"
        axes.plot(coverage.level, coverage.covered, color=colour, marker="o", markersize=4, label=label)
    _save(figure, path)


def plot_direction_errors(path: Path, systems: Mapping[str, Float64], threshold_deg: float = 20.0) -> None:
    """Cumulative distribution of direction errors in degrees, with the threshold of a hit."""
    figure, axes = _axes(INCH_WIDE, "direction error in degrees", "share of matches at most so far off")
    for (name, error_deg), colour in _coloured(systems):
        ordered = np.sort(error_deg)
        label = f"{name}, median {np.median(ordered):.1f}°"
        axes.step(ordered, np.arange(1, len(ordered) + 1) / len(ordered), where="post", color=colour, label=label)
    axes.axvline(threshold_deg, **DIAGONAL)
    axes.set_xlim(0, 180)
    axes.set_ylim(0, 1.02)
    axes.set_xticks(range(0, 181, 20))
    _save(figure, path)


def plot_classwise(path: Path, systems: Mapping[str, Score], measure: str, class_names: tuple[str, ...]) -> None:
    """One measure per class, a bar for each system; a class in which it is not defined stays empty."""
    figure, axes = _axes(INCH_WIDE, "", measure)
    width = 0.8 / len(systems)
    places = np.arange(len(class_names))
    for index, ((name, score), colour) in enumerate(_coloured(systems)):
        bars = np.nan_to_num(score.classwise[measure])
        label = f"{name}, {score.average} {score.values[measure]:.3f}"
        axes.bar(places + (index + 0.5) * width - 0.4, bars, width, color=colour, label=label)
    labels = [name.replace("_", " ") for name in class_names]
    axes.set_xticks(places, labels, rotation=40, ha="right", rotation_mode="anchor")
    axes.grid(visible=False, axis="x")
    _save(figure, path)


def plot_differences(path: Path, differences: Mapping[str, Difference]) -> None:
    """Differences between two systems with their 95 % intervals, a row each; a significant one leaves out zero."""
    figure, axes = _axes((8.0, 0.9 + 0.5 * len(differences)), "second system minus first", "")
    rows = np.arange(len(differences))[::-1]
    for row, difference in zip(rows, differences.values(), strict=True):
        axes.plot([difference.low, difference.high], [row, row], color=COLOURS[0], linewidth=2)
        axes.plot(difference.difference, row, color=COLOURS[0], marker="o")
    axes.axvline(0.0, **DIAGONAL)
    labels = [f"{name} (p = {difference.p_value:.3f})" for name, difference in differences.items()]
    axes.set_yticks(rows, labels)
    axes.set_ylim(-0.6, len(differences) - 0.4)
    _save(figure, path)


def _square(x_label: str, y_label: str) -> tuple[Any, Any]:
    """Axes from 0 to 1 with the diagonal."""
    figure, axes = _axes(INCH_SQUARE, x_label, y_label)
    axes.plot([0, 1], [0, 1], **DIAGONAL)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_aspect("equal")
    return figure, axes


def _axes(size_inch: tuple[float, float], x_label: str, y_label: str) -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise BackendMissingError("a picture", "plot") from error
    figure = Figure(figsize=size_inch, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _coloured(systems: Mapping[str, Any]) -> list[tuple[tuple[str, Any], str]]:
    if not 0 < len(systems) <= len(COLOURS):
        raise ConfigError(f"a picture shows 1 to {len(COLOURS)} systems, got {len(systems)}")
    return list(zip(systems.items(), COLOURS, strict=False))


def _save(figure: Any, path: Path) -> None:
    """Write without dates and random ids, so that the same data gives the same bytes."""
    if path.suffix not in (".png", ".svg"):
        raise ConfigError(f"pictures are written as .png or .svg, got {path.name}")
    from matplotlib import rc_context

    if figure.axes[0].get_legend_handles_labels()[0]:
        figure.legend(loc="outside upper left", frameon=False, fontsize="small", ncols=2)
    metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
    with rc_context({"svg.hashsalt": "edgeseld"}), atomic_file(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:], dpi=150, metadata=metadata)
