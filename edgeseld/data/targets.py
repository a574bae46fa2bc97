"""Labels as training targets: the auxiliary duplicating slots of multi-ACCDOA (ADPIT, Shimada et al. 2022)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.geometry import unit_vector
from edgeseld.metrics.labels import Labels

# A0 for a lone event of a class, B0 and B1 for two, C0 to C2 for three; more than three: the first three, as the
# DCASE baselines do.
SLOTS = 6
FIRST_SLOT = np.array([0, 0, 1, 3], dtype=np.int64)
# Activity, x, y, z and distance in metres.
VALUES = 5


@dataclass(frozen=True, slots=True, eq=False)
class TargetRows:
    """Filled slots of one file, sorted by frame: frame, slot and class (rows,), values (rows, 5)."""

    frame: NDArray[np.int64]
    slot: NDArray[np.int64]
    class_id: NDArray[np.int64]
    values: NDArray[np.float32]


def target_rows(labels: Labels) -> TargetRows:
    """Assign each event of a frame and class to its slot, in the order of the rows; distance 0 where none is known."""
    order = np.lexsort((labels.class_id, labels.frame))
    frame, class_id = labels.frame[order], labels.class_id[order]
    starts = np.flatnonzero(np.r_[True, (np.diff(frame) != 0) | (np.diff(class_id) != 0)]) if frame.size else order[:0]
    sizes = np.diff(np.r_[starts, frame.size])
    rank = np.arange(frame.size) - np.repeat(starts, sizes)
    slot = FIRST_SLOT[np.minimum(np.repeat(sizes, sizes), 3)] + rank
    kept = rank < 3
    vectors = unit_vector(labels.azimuth_deg[order], labels.elevation_deg[order])
    distance_m = np.zeros(frame.size) if labels.distance_m is None else labels.distance_m[order]
    values = np.column_stack([np.ones(frame.size), vectors, distance_m]).astype(np.float32)
    return TargetRows(frame[kept], slot[kept], class_id[kept], values[kept])


def soft_target_rows(activity: NDArray[np.float32]) -> TargetRows:
    """Soft activities (frames, classes) as lone events without a direction, for losses that look at activity alone."""
    frame, class_id = np.nonzero(activity)
    values = np.zeros((len(frame), VALUES), np.float32)
    values[:, 0] = activity[frame, class_id]
    return TargetRows(frame, np.zeros_like(frame), class_id, values)


def adpit_target(rows: TargetRows, first_frame: int, frames: int, classes: int) -> NDArray[np.float32]:
    """Dense target (frames, 6 slots, 5 values, classes) of a stretch of the file; values as in `VALUES`."""
    target = np.zeros((frames, SLOTS, VALUES, classes), np.float32)
    low, high = np.searchsorted(rows.frame, [first_frame, first_frame + frames])
    chosen = slice(low, high)
    target[rows.frame[chosen] - first_frame, rows.slot[chosen], :, rows.class_id[chosen]] = rows.values[chosen]
    return target
