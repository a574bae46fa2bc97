"""Pictures of a prediction, PNG or SVG by the name of the file, the same bytes from the same prediction."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgeseld.core.atomic import atomic_file
from edgeseld.core.errors import BackendMissingError, ConfigError
from edgeseld.core.frames import LABEL_FRAMES_PER_S
from edgeseld.core.geometry import azimuth_elevation_deg, unit_vector
from edgeseld.core.prediction import Prediction

# Okabe and Ito's colours, which the colour-blind tell apart; more classes than colours differ by their marker.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^")
INCH_WIDTH = 9.0
# Full activity fills this share of a row.
ROW = 0.85
MAP_STEP_DEG = 1.0


def plot_prediction(prediction: Prediction, path: Path) -> None:
    """Classes, azimuth and elevation over time in one picture.

    Bands show one standard deviation of the activity and the angular spread, where the prediction is uncertain.
    """
    save_figure(prediction_figure(prediction), path)


def plot_map(prediction: Prediction, path: Path) -> None:
    """Where the sounds are: azimuth and elevation of each event along its way, inside the cap of its spread."""
    save_figure(map_figure(prediction), path)


def prediction_figure(prediction: Prediction) -> Any:
    """The figure of `plot_prediction`."""
    shown = heard_classes(prediction)
    rows = max(len(shown), 1)
    figure = new_figure(INCH_WIDTH, 4.6 + 0.45 * rows)
    timeline, azimuth, elevation = figure.subplots(
        3, 1, sharex=True, gridspec_kw={"height_ratios": [0.45 * rows + 0.3, 2.2, 1.5]}
    )
    draw_timeline(timeline, prediction, shown)
    draw_directions(azimuth, elevation, prediction, shown)
    elevation.set_xlabel("time in s")
    elevation.set_xlim(0, max(prediction.frames, 1) / LABEL_FRAMES_PER_S)
    return figure


def map_figure(prediction: Prediction) -> Any:
    """The figure of `plot_map`."""
    figure = new_figure(INCH_WIDTH, 5.2)
    draw_map(figure.subplots(), prediction, heard_classes(prediction))
    return figure


def heard_classes(prediction: Prediction) -> list[int]:
    """Ids of the classes that have events."""
    heard = {event.class_name for event in prediction.events()}
    return [class_id for class_id, name in enumerate(prediction.classes) if name in heard]


def draw_timeline(axes: Any, prediction: Prediction, shown: Sequence[int]) -> None:
    """A row per class: its activity as an area with a band of one standard deviation, and a bar per event below."""
    time_s = (np.arange(prediction.frames) + 0.5) / LABEL_FRAMES_PER_S
    events = prediction.events()
    for row, class_id in enumerate(shown):
        base, colour = len(shown) - 1 - row, style(row)[0]
        track = prediction.activity[:, :, class_id].argmax(axis=1)
        frames = np.arange(prediction.frames)
        activity = prediction.activity[frames, track, class_id]
        axes.fill_between(time_s, base, base + ROW * activity, step="mid", color=colour, alpha=0.3, linewidth=0)
        axes.step(time_s, base + ROW * activity, where="mid", color=colour, linewidth=1)
        if prediction.uncertainty is not None:
            deviation = prediction.uncertainty.activity_std[frames, track, class_id]
            low, high = np.maximum(activity - deviation, 0.0), np.minimum(activity + deviation, 1.0)
            band = base + ROW * low, base + ROW * high
            axes.fill_between(time_s, *band, step="mid", color=colour, alpha=0.4, linewidth=0)
        for event in events:
            if event.class_name == prediction.classes[class_id]:
                axes.plot(
                    [event.onset_s, event.offset_s], [base, base], color=colour, linewidth=4, solid_capstyle="butt"
                )
    axes.set_yticks(range(len(shown)), [readable(prediction.classes[class_id]) for class_id in reversed(shown)])
    for row, label in enumerate(reversed(axes.get_yticklabels())):
        label.set_color(style(row)[0])
    axes.set_ylim(-0.15, max(len(shown), 1))
    axes.tick_params(axis="y", length=0)
    if not shown:
        axes.text(0.5, 0.5, "no sound event", transform=axes.transAxes, ha="center", va="center")


def draw_directions(azimuth: Any, elevation: Any, prediction: Prediction, shown: Sequence[int]) -> None:
    """Points where a class is active, with bars of the angular spread."""
    thresholds = prediction.tracking.thresholds(prediction.classes)
    for row, class_id in enumerate(shown):
        colour, marker = style(row)
        active = prediction.activity[:, :, class_id] > thresholds[class_id]
        frame, track = np.nonzero(active & prediction.direction[:, :, class_id].any(axis=-1))
        azimuth_deg, elevation_deg = azimuth_elevation_deg(prediction.direction[frame, track, class_id])
        time_s = (frame + 0.5) / LABEL_FRAMES_PER_S
        for axes, angle_deg in ((azimuth, azimuth_deg), (elevation, elevation_deg)):
            axes.plot(time_s, angle_deg, marker, color=colour, markersize=3)
            if prediction.uncertainty is not None:
                spread_deg = prediction.uncertainty.direction_spread_deg[frame, track, class_id]
                _draw_bars(axes, time_s, angle_deg, spread_deg, colour)
    _angle_axis(azimuth, "azimuth in degrees\n(left is positive)", 180, 90)
    _angle_axis(elevation, "elevation in degrees", 90, 45)


def _draw_bars(axes: Any, time_s: Any, angle_deg: Any, spread_deg: Any, colour: str) -> None:
    """Bars of plus and minus the spread; those that pass 180 degrees come in again on the other side."""
    for turn_deg in (-360.0, 0.0, 360.0):
        low, high = angle_deg - spread_deg + turn_deg, angle_deg + spread_deg + turn_deg
        axes.vlines(time_s, low, high, color=colour, alpha=0.25, linewidth=3)


def draw_map(axes: Any, prediction: Prediction, shown: Sequence[int]) -> None:
    """The sphere as a listener sees it, left on the left; a cap of the mean spread around each event."""
    rows = {prediction.classes[class_id]: row for row, class_id in enumerate(shown)}
    for event in prediction.events():
        points = [point for point in event.trajectory if point.azimuth_deg is not None]
        if not points:
            continue
        colour, marker = style(rows[event.class_name])
        azimuth_deg = np.array([point.azimuth_deg for point in points], dtype=np.float64)
        elevation_deg = np.array([point.elevation_deg for point in points], dtype=np.float64)
        # A line must not cross the whole map where the azimuth passes 180 degrees.
        jumps = np.flatnonzero(np.abs(np.diff(azimuth_deg)) > 180.0) + 1
        line = np.insert(azimuth_deg, jumps, np.nan), np.insert(elevation_deg, jumps, np.nan)
        axes.plot(*line, color=colour, marker=marker, markersize=4, linewidth=1.2, label=readable(event.class_name))
        if event.uncertainty is not None and event.uncertainty.direction_spread_deg is not None:
            _draw_cap(axes, azimuth_deg, elevation_deg, event.uncertainty.direction_spread_deg, colour)
    axes.set_aspect("equal")
    axes.set_xlim(180, -180)
    axes.set_xticks(range(-180, 181, 45))
    axes.set_xlabel("azimuth in degrees")
    _angle_axis(axes, "elevation in degrees", 90, 45)


def _draw_cap(axes: Any, azimuth_deg: Any, elevation_deg: Any, spread_deg: float, colour: str) -> None:
    """All directions within the spread of the event's way."""
    azimuths, elevations = np.arange(-180, 180.5, MAP_STEP_DEG), np.arange(-90, 90.5, MAP_STEP_DEG)
    cosine = unit_vector(*np.meshgrid(azimuths, elevations)) @ unit_vector(azimuth_deg, elevation_deg).T
    distance_deg = np.degrees(np.arccos(np.clip(cosine.max(axis=-1), -1.0, 1.0)))
    levels = [0.0, max(spread_deg, MAP_STEP_DEG)]
    axes.contourf(azimuths, elevations, distance_deg, levels=levels, colors=[colour], alpha=0.25)


def _angle_axis(axes: Any, label: str, largest_deg: int, step_deg: int) -> None:
    axes.set_ylabel(label)
    axes.set_ylim(-largest_deg, largest_deg)
    axes.set_yticks(range(-largest_deg, largest_deg + 1, step_deg))
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def style(row: int) -> tuple[str, str]:
    """Colour and marker of the n-th class that is shown."""
    return COLOURS[row % len(COLOURS)], MARKERS[row // len(COLOURS) % len(MARKERS)]


def readable(class_name: str) -> str:
    """`female_speech` as people write it."""
    return class_name.replace("_", " ")


def new_figure(width_inch: float, height_inch: float) -> Any:
    """An empty figure; BackendMissingError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise BackendMissingError("a picture", "plot") from error
    return Figure(figsize=(width_inch, height_inch), layout="constrained")


def save_figure(figure: Any, path: Path) -> None:
    """Write .png or .svg without dates and random ids; a class that was drawn several times has one legend entry."""
    if path.suffix not in (".png", ".svg"):
        raise ConfigError(f"pictures are written as .png or .svg, got {path.name}")
    with atomic_file(path) as temporary:
        temporary.write_bytes(render(figure, path.suffix[1:]))


def render(figure: Any, kind: str) -> bytes:
    """The picture as `png` or `svg`."""
    import io

    from matplotlib import rc_context

    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    legends = [axes.get_legend_handles_labels() for axes in figure.axes]
    entries = {label: handle for handles, labels in legends for handle, label in zip(handles, labels, strict=True)}
    if entries:
        place = {"loc": "outside upper left", "frameon": False, "fontsize": "small", "ncols": 5}
        figure.legend(entries.values(), entries.keys(), **place)
    content = io.BytesIO()
    with rc_context({"svg.hashsalt": "edgeseld"}):
        figure.savefig(content, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else {"Software": None})
    return content.getvalue()
