"""Labels of a planned scene: which source sounds in which 100 ms frame, and where it is then."""

import numpy as np

from edgeseld.core.frames import LABEL_FRAME_SAMPLES, label_frames
from edgeseld.core.geometry import wrap_azimuth_deg
from edgeseld.core.spec import ChannelFormat
from edgeseld.data.layout import LabelRow
from edgeseld.data.synth.activity import active_segments, close_gaps
from edgeseld.data.synth.catalogue import Catalogue
from edgeseld.data.synth.plan import Event, ScenePlan
from edgeseld.data.synth.rooms import RoomRecord, place_at
from edgeseld.signal.stereo import stereo_azimuth_deg


def label_scene(
    plan: ScenePlan, room: RoomRecord, catalogue: Catalogue, channel_format: ChannelFormat = "foa"
) -> list[LabelRow]:
    """Rows of all labelled events, by frame.

    A frame counts as active where at least half of it is (onset and end are rounded to frames), one frame at least;
    places are those at the middle of the frame. Stereo labels are folded to the front half plane, elevation 0, as in
    DCASE 2025.
    """
    rows: list[LabelRow] = []
    for event in plan.events:
        if event.class_index is not None:
            frames = active_frames(event, plan.samples, catalogue)
            rows += _rows(event, frames, plan, room, channel_format)
    return sorted(rows)


def active_frames(event: Event, scene_samples: int, catalogue: Catalogue) -> list[int]:
    """Label frames in which the clips of an event are above its floor."""
    segments = []
    for piece in event.pieces:
        start, stop = piece.start, piece.start + piece.samples
        offset = event.onset + piece.offset - start
        for first, last in active_segments(catalogue.bank.levels(piece.clip), event.floor_db):
            if first < stop and last > start:
                segments.append((max(first, start) + offset, min(last, stop) + offset))
    frames: set[int] = set()
    for first, last in close_gaps(segments):
        onset = round(first / LABEL_FRAME_SAMPLES)
        frames |= set(range(onset, max(onset + 1, round(last / LABEL_FRAME_SAMPLES))))
    return sorted(frame for frame in frames if frame < label_frames(scene_samples))


def _rows(
    event: Event, frames: list[int], plan: ScenePlan, room: RoomRecord, channel_format: ChannelFormat
) -> list[LabelRow]:
    middle = (np.array(frames, dtype=np.float64) + 0.5) * LABEL_FRAME_SAMPLES - event.onset
    progress = np.clip(middle / max(1, event.samples), 0.0, 1.0)
    position = event.first_point + (event.last_point - event.first_point) * progress
    azimuth, elevation, distance_m = place_at(room, position, plan.rotation_deg)
    azimuth = wrap_azimuth_deg(azimuth)
    if channel_format == "stereo":
        azimuth, elevation = stereo_azimuth_deg(azimuth), np.zeros_like(elevation)
    assert event.class_index is not None
    return [
        LabelRow(frame, event.class_index, event.source, int(a), int(e), int(d))
        for frame, a, e, d in zip(
            frames, np.rint(azimuth), np.rint(elevation), np.maximum(1, np.rint(100 * distance_m)), strict=True
        )
    ]
