"""Event based detection: an event is found if an estimate of its class starts and ends close to it, as in sed_eval."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeseld.metrics.assignment import assign
from edgeseld.metrics.detection import DetectionCounts, Event

Bool = NDArray[np.bool_]


def event_counts(
    reference: Sequence[Sequence[Event]],
    estimate: Sequence[Sequence[Event]],
    classes: Sequence[str],
    collar_s: float = 0.2,
    offset_share: float | None = 0.2,
) -> DetectionCounts:
    """Count files of events (onset_s, offset_s, class name).

    Onsets may differ by `collar_s`, offsets by `collar_s` or `offset_share` of the event's length, whichever is more;
    None leaves offsets out. Each estimate answers for one event at most, so that most events are found. An unmatched
    event with an unmatched estimate of another class at its place is a substitution.
    """
    rows = [
        _file_counts(list(wanted), list(given), classes, collar_s, offset_share)
        for wanted, given in zip(reference, estimate, strict=True)
    ]
    return DetectionCounts(*(np.array(column, dtype=np.float64) for column in zip(*rows, strict=True)))


def _file_counts(
    wanted: list[Event], given: list[Event], classes: Sequence[str], collar_s: float, offset_share: float | None
) -> tuple[list[int] | int, ...]:
    near = _near(wanted, given, collar_s, offset_share)
    labels = np.array([event[2] for event in wanted]), np.array([event[2] for event in given])
    found, used = _match(near & (labels[0][:, None] == labels[1][None, :]))
    substitutions = _substitutions(near[~found][:, ~used])
    hits = [int(found[labels[0] == name].sum()) for name in classes]
    missed, false = len(wanted) - int(found.sum()), len(given) - int(used.sum())
    references = [int((labels[0] == name).sum()) for name in classes]
    estimates = [int((labels[1] == name).sum()) for name in classes]
    return references, estimates, hits, substitutions, missed - substitutions, false - substitutions


def _near(wanted: list[Event], given: list[Event], collar_s: float, offset_share: float | None) -> Bool:
    """Which estimate is close to which event in time, (events, estimates)."""
    onsets, offsets = (np.array([event[index] for event in wanted])[:, None] for index in (0, 1))
    starts, ends = (np.array([event[index] for event in given])[None, :] for index in (0, 1))
    near: Bool = np.abs(onsets - starts) <= collar_s
    if offset_share is not None:
        near &= np.abs(offsets - ends) <= np.maximum(collar_s, offset_share * (offsets - onsets))
    return near


def _match(hit: Bool) -> tuple[Bool, Bool]:
    """Events and estimates that a matching with the most hits pairs."""
    found, used = np.zeros(hit.shape[0], dtype=np.bool_), np.zeros(hit.shape[1], dtype=np.bool_)
    if hit.size:
        columns = assign(np.where(hit, 0.0, 1.0)[None])[0]
        for row, column in enumerate(columns):
            found[row] = column >= 0 and hit[row, column]
            used[column] |= found[row]
    return found, used


def _substitutions(near: Bool) -> int:
    """Unmatched events, in order, take the first free unmatched estimate near them."""
    free = np.ones(near.shape[1], dtype=np.bool_)
    for row in near:
        candidates = np.flatnonzero(row & free)
        if len(candidates):
            free[candidates[0]] = False
    return int((~free).sum())
