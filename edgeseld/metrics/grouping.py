"""Rows of all files, sorted into groups of one file, frame and class: what the official programs loop over."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.frames import ceil_div
from edgeseld.metrics.labels import Labels, concatenate, take
from edgeseld.metrics.rules import Rules

Int64 = NDArray[np.int64]

# The 2025 program has ten tracks per frame and class; one source more overwrites the first track.
STEREO_TRACKS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Scored rows of all files, sorted by file, frame and class; a group is a run of rows that share all three.

    `start` (first row), `size` (rows), `file`, `frame` and `class_id` have the shape (groups,).
    """

    rows: Labels
    start: Int64
    size: Int64
    file: Int64
    frame: Int64
    class_id: Int64


def scored_frames(reference: Labels, prediction: Labels, rules: Rules) -> int:
    """Frames of a file that count: officially up to before the last reference frame, but its segment is completed."""
    last = max(reference.last_frame, prediction.last_frame) + 1 if rules.corrected else reference.last_frame
    return ceil_div(max(last, 0), rules.block_frames) * rules.block_frames


def group_rows(files: Sequence[Labels], frames: Sequence[int], rules: Rules, class_count: int) -> Groups:
    """Rows of classes below `class_count` in the first `frames` frames of each file."""
    file = np.repeat(np.arange(len(files)), [len(labels) for labels in files])
    rows = concatenate(files)
    limit = np.asarray(frames, dtype=np.int64)[file]
    scored = (rows.frame >= 0) & (rows.frame < limit) & (rows.class_id >= 0) & (rows.class_id < class_count)
    key = (file * max(frames, default=0) + rows.frame) * class_count + rows.class_id
    order = _order(key, rows.source, scored, rules)
    start = np.flatnonzero(np.diff(key[order], prepend=-1))
    if rules.stereo and not rules.corrected:
        order, start = _keep_stereo_tracks(rows.source, order, start)
    first = order[start]
    size = np.diff(start, append=len(order))
    return Groups(take(rows, order), start, size, file[first], rows.frame[first], rows.class_id[first])


def _order(key: Int64, source: Int64, scored: NDArray[np.bool_], rules: Rules) -> Int64:
    """Scored rows sorted by key; rows of one group as in the file, in corrected mode by source."""
    chosen = np.flatnonzero(scored)
    if rules.corrected:
        return chosen[np.lexsort((source[chosen], key[chosen]))]
    return chosen[np.argsort(key[chosen], kind="stable")]


def _keep_stereo_tracks(source: Int64, order: Int64, start: Int64) -> tuple[Int64, Int64]:
    """Drop the rows that the 2025 program overwrites; new order of rows and new starts of groups."""
    if np.diff(start, append=len(order)).max(initial=0) <= STEREO_TRACKS:
        return order, start
    groups = np.split(order, start[1:])
    kept = [_stereo_tracks(source, group) if len(group) > STEREO_TRACKS else group for group in groups]
    size = np.array([len(group) for group in kept])
    return np.concatenate(kept), np.cumsum(size) - size


def _stereo_tracks(source: Int64, group: Int64) -> Int64:
    """Rows that the tracks hold in the end: a source takes its own number if it can, else the first free one."""
    tracks: dict[int, int] = {}
    for row in group:
        track = int(source[row])
        if track in tracks or track >= STEREO_TRACKS:
            track = min(set(range(STEREO_TRACKS)) - set(tracks), default=0)
        tracks[track] = int(row)
    return np.array(list(tracks.values()), dtype=np.int64)
