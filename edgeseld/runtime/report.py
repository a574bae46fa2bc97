"""One self-contained HTML page of a prediction: pictures inside the page, events in a table, no script, no network."""

from html import escape
from pathlib import Path

from edgeseld.core.atomic import write_atomic
from edgeseld.core.events import SeldEvent
from edgeseld.core.frames import LABEL_FRAMES_PER_S
from edgeseld.core.geometry import azimuth_elevation_deg, unit_vector
from edgeseld.core.prediction import Prediction
from edgeseld.runtime.plots import map_figure, prediction_figure, readable, render

STYLE = """
body { font-family: system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #222; }
svg { width: 100%; height: auto; } table { border-collapse: collapse; width: 100%; }
th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
"""
HEADER = ("sound", "onset s", "offset s", "score", "azimuth °", "elevation °", "distance m")
UNCERTAINTY_HEADER = ("activity ±", "entropy", "mutual information", "spread °")


def write_report(prediction: Prediction, path: Path, title: str) -> None:
    """Write the page: what was heard when and where, how sure, and every event in a row."""
    pictures = [prediction_figure(prediction)]
    if prediction.direction.any():
        pictures.append(map_figure(prediction))
    drawn = "\n".join(_without_prologue(render(figure, "svg").decode()) for figure in pictures)
    page = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>\n<body>\n'
        f"<h1>{escape(title)}</h1>\n<p>{_summary(prediction)}</p>\n{drawn}\n{_table(prediction)}\n</body></html>\n"
    )
    write_atomic(path, page.encode())


def _summary(prediction: Prediction) -> str:
    duration_s = prediction.frames / LABEL_FRAMES_PER_S
    text = f"{len(prediction.events())} sound events in {duration_s:.1f} s."
    if prediction.uncertainty is None:
        return text
    passes = (
        f"{prediction.uncertainty.mc_samples} Monte Carlo samples, {prediction.uncertainty.time_shifts} time shifts"
    )
    return f"{text} Uncertainty from {passes}: bands are one standard deviation of the activity and the angular spread."


def _table(prediction: Prediction) -> str:
    header = HEADER if prediction.uncertainty is None else HEADER + UNCERTAINTY_HEADER
    rows = [_row(event) for event in prediction.events()]
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table>"


def _row(event: SeldEvent) -> list[str]:
    """Cells of one event; directions and distances are means along its way."""
    known = [(p.azimuth_deg, p.elevation_deg) for p in event.trajectory if p.azimuth_deg is not None]
    angles = ["", ""]
    if known:
        azimuths, elevations = zip(*known, strict=True)
        mean = azimuth_elevation_deg(unit_vector(azimuths, elevations).mean(axis=0))
        angles = [f"{float(angle):z.0f}" for angle in mean]
    metres = [p.distance_m for p in event.trajectory if p.distance_m is not None]
    cells = [readable(event.class_name), f"{event.onset_s:.1f}", f"{event.offset_s:.1f}", f"{event.score:.2f}", *angles]
    cells.append(f"{sum(metres) / len(metres):.1f}" if metres else "")
    sure = event.uncertainty
    if sure is not None:
        spread = "" if sure.direction_spread_deg is None else f"{sure.direction_spread_deg:.0f}"
        cells += [f"{sure.activity_std:.3f}", f"{sure.entropy:.3f}", f"{sure.mutual_information:.3f}", spread]
    return cells


def _without_prologue(svg: str) -> str:
    """The svg element alone, as HTML takes it."""
    return svg[svg.index("<svg") :]
