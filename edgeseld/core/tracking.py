"""Frames to events: onset, offset and identity, in integer frames, the same in every runtime.

The rules are `TrackingSpec`, which travels in the manifest. A source starts where the activity of its class exceeds
the threshold and goes on while it exceeds threshold * release_ratio; it keeps its identity while it moves at most
gate_deg from one frame in which it is heard to the next, across at most max_gap_frames frames in which it is not.
"""

from dataclasses import dataclass, field

import numpy as np

from edgeseld.core.events import EventUncertainty, SeldEvent, TrajectoryPoint
from edgeseld.core.frames import frame_onset_s
from edgeseld.core.geometry import angle_between_deg, azimuth_elevation_deg
from edgeseld.core.prediction import Prediction
from edgeseld.core.spec import TrackingSpec


@dataclass(slots=True)
class OpenEvent:
    """A source that may go on; frames and the tracks of the prediction that carried it, in step."""

    number: int
    frames: list[int] = field(default_factory=list)
    tracks: list[int] = field(default_factory=list)


def track_events(prediction: Prediction, rules: TrackingSpec) -> tuple[SeldEvent, ...]:
    """Events of a prediction after unification, by onset, then class, then track.

    The score of an event is the mean activity of its frames; `track` tells apart events of one class that overlap.
    """
    events = []
    for class_id, threshold in enumerate(rules.thresholds(prediction.classes)):
        for event in _follow(prediction, class_id, threshold, rules):
            events.append(_describe(prediction, class_id, event))
    order = {name: index for index, name in enumerate(prediction.classes)}
    return tuple(sorted(events, key=lambda e: (e.onset_s, order[e.class_name], e.track)))


def _follow(prediction: Prediction, class_id: int, threshold: float, rules: TrackingSpec) -> list[OpenEvent]:
    """All sources of one class that last at least min_frames."""
    activity = prediction.activity[:, :, class_id]
    alive: list[OpenEvent] = []
    closed: list[OpenEvent] = []
    for frame in np.flatnonzero((activity > threshold * rules.release_ratio).any(axis=1)).tolist():
        ended = [event for event in alive if frame - event.frames[-1] > rules.max_gap_frames + 1]
        alive = [event for event in alive if event not in ended]
        closed += ended
        heard = np.flatnonzero(activity[frame] > threshold * rules.release_ratio).tolist()
        rest = _continue(prediction, class_id, frame, heard, alive, rules.gate_deg)
        for track in rest:
            if activity[frame, track] > threshold:
                alive.append(OpenEvent(_free_number(alive), [frame], [track]))
    return [event for event in closed + alive if len(event.frames) >= rules.min_frames]


def _continue(
    prediction: Prediction, class_id: int, frame: int, heard: list[int], alive: list[OpenEvent], gate_deg: float
) -> list[int]:
    """Give each heard track to the open event it is nearest to, nearest pairs first; the tracks that are left."""
    pairs = []
    for event in alive:
        last = prediction.direction[event.frames[-1], event.tracks[-1], class_id]
        for track in heard:
            angle = float(angle_between_deg(last, prediction.direction[frame, track, class_id]))
            if angle <= gate_deg:
                pairs.append((angle, event.number, track, event))
    rest = list(heard)
    for _, _, track, event in sorted(pairs, key=lambda pair: pair[:3]):
        if track in rest and event.frames[-1] < frame:
            event.frames.append(frame)
            event.tracks.append(track)
            rest.remove(track)
    return rest


def _free_number(alive: list[OpenEvent]) -> int:
    """The lowest number that no open event of the class has."""
    taken = {event.number for event in alive}
    return next(number for number in range(len(taken) + 1) if number not in taken)


def _describe(prediction: Prediction, class_id: int, event: OpenEvent) -> SeldEvent:
    index = (np.array(event.frames), np.array(event.tracks), class_id)
    activity = prediction.activity[index].astype(np.float64)
    return SeldEvent(
        class_name=prediction.classes[class_id],
        track=event.number,
        onset_s=frame_onset_s(event.frames[0]),
        offset_s=frame_onset_s(event.frames[-1] + 1),
        score=float(activity.mean()),
        trajectory=_trajectory(prediction, index, event.frames),
        uncertainty=_uncertainty(prediction, index),
    )


def _trajectory(
    prediction: Prediction, index: tuple[np.ndarray, np.ndarray, int], frames: list[int]
) -> tuple[TrajectoryPoint, ...]:
    direction = prediction.direction[index].astype(np.float64)
    azimuth_deg, elevation_deg = azimuth_elevation_deg(direction)
    known = direction.any(axis=1)
    distance_m = None if prediction.distance_m is None else prediction.distance_m[index]
    return tuple(
        TrajectoryPoint(
            time_s=frame_onset_s(frame),
            activity=float(prediction.activity[index][i]),
            azimuth_deg=float(azimuth_deg[i]) if known[i] else None,
            elevation_deg=float(elevation_deg[i]) if known[i] else None,
            distance_m=None if distance_m is None else float(distance_m[i]),
        )
        for i, frame in enumerate(frames)
    )


def _uncertainty(prediction: Prediction, index: tuple[np.ndarray, np.ndarray, int]) -> EventUncertainty | None:
    """Means over the frames of the event; the spread over those that have one."""
    values = prediction.uncertainty
    if values is None:
        return None
    spread = values.direction_spread_deg[index].astype(np.float64)
    spread = spread[np.isfinite(spread)]
    return EventUncertainty(
        activity_std=float(values.activity_std[index].mean(dtype=np.float64)),
        entropy=float(values.entropy[index].mean(dtype=np.float64)),
        mutual_information=float(values.mutual_information[index].mean(dtype=np.float64)),
        direction_spread_deg=float(spread.mean()) if spread.size else None,
        mc_samples=values.mc_samples,
        time_shifts=values.time_shifts,
    )
