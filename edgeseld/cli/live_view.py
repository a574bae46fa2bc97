"""How a stream looks: a live table in a terminal, a line per event in a pipe, JSON lines for machines."""

import sys
from types import TracebackType
from typing import Protocol, Self

import click
import msgspec
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from edgeseld.cli.terminal import plain_console
from edgeseld.core.events import Detection, SeldEvent, StreamEnd
from edgeseld.core.geometry import azimuth_elevation_deg, unit_vector
from edgeseld.runtime.streaming.lines import stream_lines
from edgeseld.runtime.streaming.stream import Update

# Towards the front, then counter-clockwise in steps of 45 degrees.
ARROWS = "↑↖←↙↓↘→↗"
BAR_CELLS = 10
HEADER = ("sound", "", "azimuth", "elevation", "metres", "confidence", "± score", "± direction")


class View(Protocol):
    """Where updates go."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, whatever happened."""

    def show(self, update: Update, end: StreamEnd) -> None:
        """What a block brought, and the state of the stream so far."""

    def close(self, end: StreamEnd) -> None:
        """The stream is over."""


class JsonLines:
    """The lines of docs/stream.schema.json on stdout."""

    def __enter__(self) -> Self:
        """Nothing to prepare."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to leave."""

    def show(self, update: Update, end: StreamEnd) -> None:
        """Events and frames."""
        for line in stream_lines(update):
            _say(msgspec.json.encode(line).decode())

    def close(self, end: StreamEnd) -> None:
        """The line that ends the stream."""
        _say(msgspec.json.encode(end).decode())


class PlainLines:
    """A line per event that is over."""

    def __enter__(self) -> Self:
        """Nothing to prepare."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to leave."""

    def show(self, update: Update, end: StreamEnd) -> None:
        """Events as they end."""
        for event in update.closed:
            _say(describe(event))

    def close(self, end: StreamEnd) -> None:
        """How much was heard and lost."""
        click.echo(summary(end), err=True)


class LiveTable:
    """What sounds now, in a table that stays; events that are over scroll away above it."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")
        self._now: tuple[Detection, ...] = ()

    def __enter__(self) -> Self:
        """Take over the lower end of the terminal."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last table where it is."""
        self._live.stop()

    def show(self, update: Update, end: StreamEnd) -> None:
        """Draw anew where anything changed."""
        for event in update.closed:
            self._live.console.print(describe(event), highlight=False)
        if update.prediction is not None:
            last_s = max((detection.time_s for detection in update.detections), default=0.0)
            self._now = tuple(d for d in update.detections if d.time_s == last_s)
            self._live.update(Group(_table(self._now), Text(summary(end), style="dim")), refresh=True)

    def close(self, end: StreamEnd) -> None:
        """Nothing sounds any more."""
        self._live.update(Text(summary(end), style="dim"), refresh=True)


def open_view(*, as_json: bool) -> View:
    """The view that fits where stdout goes."""
    if as_json:
        return JsonLines()
    return LiveTable(plain_console()) if sys.stdout.isatty() else PlainLines()


def describe(event: SeldEvent) -> str:
    """One event in one line, its mean direction, and how sure."""
    place = _mean_direction(event)
    text = f"{event.onset_s:8.1f} to {event.offset_s:.1f} s  {event.class_name}  {place}  score {event.score:.2f}"
    if event.uncertainty is None:
        return text
    spread_deg = event.uncertainty.direction_spread_deg
    return f"{text} ± {event.uncertainty.activity_std:.2f}" + ("" if spread_deg is None else f", ± {spread_deg:.0f}°")


def summary(end: StreamEnd) -> str:
    """What was heard, and what went wrong on the way, if anything did."""
    faults = {
        f"{end.dropped_blocks} blocks dropped": end.dropped_blocks,
        f"{end.lost_s:.2f} s lost": end.lost_s,
        f"{end.invalid_samples} invalid samples": end.invalid_samples,
        f"clock {end.drift_ppm or 0.0:+.0f} ppm": end.drift_ppm is not None,
    }
    return ", ".join([f"{end.model}: {end.duration_s:.1f} s heard", *(text for text, wrong in faults.items() if wrong)])


def _table(detections: tuple[Detection, ...]) -> Table:
    table = Table(expand=False)
    for index, name in enumerate(HEADER):
        table.add_column(name, justify="left" if index in (0, 5) else "right")
    for detection in detections:
        table.add_row(*_row(detection))
    return table


def _row(detection: Detection) -> list[str]:
    filled = round(detection.activity * BAR_CELLS)
    bar = "█" * filled + "░" * (BAR_CELLS - filled) + f" {detection.activity:.2f}"
    sure = detection.uncertainty
    return [
        detection.class_name,
        "" if detection.azimuth_deg is None else arrow(detection.azimuth_deg),
        _number(detection.azimuth_deg, "z.0f", "°"),
        _number(detection.elevation_deg, "z.0f", "°"),
        _number(detection.distance_m, ".1f"),
        bar,
        "" if sure is None else f"{sure.activity_std:.2f}",
        "" if sure is None else _number(sure.direction_spread_deg, ".0f", "°"),
    ]


def _number(value: float | None, form: str, unit: str = "") -> str:
    return "" if value is None else f"{value:{form}}{unit}"


def arrow(azimuth_deg: float) -> str:
    """Where a sound comes from, seen from above: up is the front, left is 90 degrees.

    >>> arrow(90.0), arrow(-91.0)
    ('←', '→')
    """
    return ARROWS[round(azimuth_deg / 45.0) % 8]


def _mean_direction(event: SeldEvent) -> str:
    known = [(p.azimuth_deg, p.elevation_deg) for p in event.trajectory if p.azimuth_deg is not None]
    if not known:
        return "-"
    azimuths_deg, elevations_deg = zip(*known, strict=True)
    azimuth_deg, elevation_deg = azimuth_elevation_deg(unit_vector(azimuths_deg, elevations_deg).mean(axis=0))
    return f"{arrow(float(azimuth_deg))} {float(azimuth_deg):z.0f}° {float(elevation_deg):+z.0f}°"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
