"""Predictions as CSV files in the DCASE form: `frame,class,track,azimuth,elevation[,distance]`, distance in metres."""

from pathlib import Path

from edgeseld.core.atomic import write_atomic
from edgeseld.metrics.labels import Labels


def format_predictions(labels: Labels) -> str:
    """Rows by frame, class and track; angles to a thousandth of a degree, distances to a millimetre."""
    columns = [labels.frame, labels.class_id, labels.source, labels.azimuth_deg, labels.elevation_deg]
    formats = ["d", "d", "d", ".3f", ".3f"]
    if labels.distance_m is not None:
        columns, formats = [*columns, labels.distance_m], [*formats, ".3f"]
    rows = sorted(zip(*(column.tolist() for column in columns), strict=True))
    return "".join(",".join(format(v, f) for v, f in zip(row, formats, strict=True)) + "\n" for row in rows)


def write_predictions(labels: Labels, path: Path) -> None:
    """Write one prediction file."""
    write_atomic(path, format_predictions(labels).encode())
