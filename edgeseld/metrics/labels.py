"""Sound events frame by frame as columns: what label files, prediction files and decoded networks have in common."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgeseld.core.errors import DataError
from edgeseld.core.prediction import Prediction

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

# Class of a row whose frame the official programs count while they drop its content.
DROPPED = -1


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Events of one file, a row per 100 ms frame, class and source; every column has the shape (rows,).

    Azimuth counter-clockwise, elevation up. `spread_deg` is how far the system thinks a direction may be off, NaN where
    it does not say. `line` is where each row stands in its file; None for events in memory.
    """

    frame: Int64
    class_id: Int64
    source: Int64
    azimuth_deg: Float64
    elevation_deg: Float64
    distance_m: Float64 | None = None
    onscreen: Int64 | None = None
    spread_deg: Float64 | None = None
    line: Int64 | None = None

    def __post_init__(self) -> None:
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        lengths = {name: len(column) for name, column in columns.items() if column is not None}
        if len(set(lengths.values())) > 1:
            raise DataError(f"columns of labels must have one length, got {lengths}")

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def last_frame(self) -> int:
        """Largest frame index, -1 for a file without events."""
        return int(self.frame.max(initial=-1))


def take(labels: Labels, rows: Int64) -> Labels:
    """Rows of a table by index, every column alike."""
    return _from_columns(None if column is None else column[rows] for column in _columns(labels))


def concatenate(files: Sequence[Labels]) -> Labels:
    """Rows of all files in their order; an optional column stays only where every file that has rows has it."""
    filled = [_columns(labels) for labels in files if len(labels)]
    if not filled:
        return EMPTY
    by_column = zip(*filled, strict=True)
    return _from_columns(None if any(part is None for part in parts) else np.concatenate(parts) for parts in by_column)


def without_directions(labels: Labels) -> Labels:
    """What a model can be asked that hears sounds without directions: each class once a frame, straight ahead."""
    first = np.unique(np.stack([labels.frame, labels.class_id]), axis=1, return_index=True)[1]
    kept = take(replace(labels, distance_m=None, onscreen=None), first)
    nowhere = np.zeros(len(kept))
    return replace(kept, source=np.zeros_like(kept.source), azimuth_deg=nowhere, elevation_deg=nowhere)


def _columns(labels: Labels) -> list[Any]:
    return [getattr(labels, field.name) for field in fields(labels)]


def _from_columns(columns: Iterable[Any]) -> Labels:
    return Labels(*columns)


def polar_deg(vectors: ArrayLike) -> tuple[Float64, Float64]:
    """Azimuth and elevation of vectors (..., 3) of any length, in the operations of the official programs.

    The same angles as `core.geometry.azimuth_elevation_deg` up to the last bit, which decides on thresholds.
    """
    x, y, z = np.moveaxis(np.asarray(vectors, dtype=np.float64), -1, 0)
    return np.arctan2(y, x) * 180 / np.pi, np.arctan2(z, np.sqrt(x**2 + y**2)) * 180 / np.pi


def labels_from_vectors(
    frame: ArrayLike,
    class_id: ArrayLike,
    source: ArrayLike,
    vectors: ArrayLike,
    distance_m: ArrayLike | None = None,
    onscreen: ArrayLike | None = None,
) -> Labels:
    """Labels from direction vectors (rows, 3) of any length, x front, y left, z up."""
    azimuth_deg, elevation_deg = polar_deg(np.reshape(np.asarray(vectors, dtype=np.float64), (-1, 3)))
    return Labels(
        frame=np.asarray(frame, dtype=np.int64),
        class_id=np.asarray(class_id, dtype=np.int64),
        source=np.asarray(source, dtype=np.int64),
        azimuth_deg=azimuth_deg,
        elevation_deg=elevation_deg,
        distance_m=None if distance_m is None else np.asarray(distance_m, dtype=np.float64),
        onscreen=None if onscreen is None else np.asarray(onscreen, dtype=np.int64),
    )


def labels_from_prediction(prediction: Prediction, thresholds: float | Sequence[float] = 0.5) -> Labels:
    """Events where the activity of a track exceeds the threshold (one for all classes, or one per class)."""
    active = prediction.activity > np.broadcast_to(np.asarray(thresholds), len(prediction.classes))
    frame, track, class_id = np.nonzero(active)
    distance_m = None if prediction.distance_m is None else prediction.distance_m[active]
    labels = labels_from_vectors(frame, class_id, track, prediction.direction[active], distance_m)
    if prediction.uncertainty is None:
        return labels
    return replace(labels, spread_deg=prediction.uncertainty.direction_spread_deg[active].astype(np.float64))


EMPTY = labels_from_vectors([], [], [], [])
