"""How predictions leave the command line: a table of events, JSON, CSV."""

from pathlib import Path

import click

from edgeseld.cli.terminal import print_table
from edgeseld.core.events import EventList, SeldEvent
from edgeseld.core.prediction import Prediction
from edgeseld.core.structs import to_json
from edgeseld.metrics.labels import labels_from_prediction
from edgeseld.metrics.prediction_files import write_predictions


def print_events(prediction: Prediction, model: str, duration_s: float) -> None:
    """A line per event; directions at onset and, where the source moved, at offset."""
    events = prediction.events()
    title = f"{model}: {len(events)} event{'' if len(events) == 1 else 's'} in {duration_s:.1f} s"
    header = ["sound", "from s", "to s", "azimuth", "elevation", "score"]
    if prediction.distance_m is not None:
        header.insert(5, "metres")
    if prediction.uncertainty is not None:
        header += ["± score", "± direction"]
    print_table(title, header, [_row(event, header) for event in events])


def _row(event: SeldEvent, header: list[str]) -> list[str]:
    first, last = event.trajectory[0], event.trajectory[-1]
    cells = {
        "sound": event.class_name,
        "from s": f"{event.onset_s:.1f}",
        "to s": f"{event.offset_s:.1f}",
        "azimuth": _path(first.azimuth_deg, last.azimuth_deg),
        "elevation": _path(first.elevation_deg, last.elevation_deg),
        "metres": "-" if first.distance_m is None else f"{first.distance_m:.1f}",
        "score": f"{event.score:.2f}",
    }
    if event.uncertainty is not None:
        spread = event.uncertainty.direction_spread_deg
        cells["± score"] = f"{event.uncertainty.activity_std:.2f}"
        cells["± direction"] = "-" if spread is None else f"{spread:.0f}°"
    return [cells[name] for name in header]


def _path(first_deg: float | None, last_deg: float | None) -> str:
    """One angle, or two where the source moved."""
    if first_deg is None or last_deg is None:
        return "-"
    if abs(first_deg - last_deg) < 5.0:
        return f"{first_deg:z.0f}°"
    return f"{first_deg:z.0f}° to {last_deg:z.0f}°"


def write_json(prediction: Prediction, model: str, duration_s: float) -> None:
    """Events as one JSON object on stdout."""
    events = EventList(model=model, duration_s=duration_s, events=prediction.events())
    click.echo(to_json(events).decode(), nl=False)


def draw(prediction: Prediction, path: Path, title: str) -> None:
    """A picture, or by the suffix `.html` one page with pictures and a table of all events."""
    from edgeseld.runtime.plots import plot_prediction
    from edgeseld.runtime.report import write_report

    if path.suffix == ".html":
        write_report(prediction, path, title)
    else:
        plot_prediction(prediction, path)


def write_csv(prediction: Prediction, path: Path) -> None:
    """Frames above threshold in the DCASE prediction form."""
    thresholds = prediction.tracking.thresholds(prediction.classes)
    write_predictions(labels_from_prediction(prediction, thresholds), path)
