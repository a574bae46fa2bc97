"""Frames to events: onset, offset and identity, frame by frame, the same offline, in a stream and in every language.

The rules are `TrackingSpec`, which travels in the manifest; all arithmetic is float64, frames are integers.
- A source starts in a frame in which the activity of its class exceeds the threshold, and is heard in every frame in
  which it exceeds threshold * release_ratio, both rounded to float32 as activities are; it ends after more than
  max_gap_frames frames in which it is not heard.
- It moves on the straight line through its first direction of the last motion_frames frames and its last one. What is
  heard can belong to it within gate_deg of where that line takes it, or of its last direction. Of all ways to give what
  is heard to sources, that with the most pairs holds, then that of the least total angle (core/assignment.py).
- Events of one class that overlap have different numbers: the lowest that is free at the start, louder sources first.
- Events of fewer than min_frames heard frames are dropped.
- Directions and distances of a trajectory are means over the heard frames among the smooth_frames around each frame,
  weighted by activity. The score is the mean activity of the heard frames.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from edgeseld.core.assignment import angle_deg, assign
from edgeseld.core.descriptions import describe_detection, describe_event
from edgeseld.core.events import Detection, SeldEvent
from edgeseld.core.prediction import Prediction
from edgeseld.core.source import Heard, Source, heard_at
from edgeseld.core.spec import TrackingSpec


@dataclass(frozen=True, slots=True)
class Changes:
    """What some frames brought: events that reached min_frames, events that ended, and what was heard of both.

    An opened event goes up to its last frame so far.
    """

    opened: tuple[SeldEvent, ...] = ()
    closed: tuple[SeldEvent, ...] = ()
    detections: tuple[Detection, ...] = ()


class Tracker:
    """Follows the sources of one recording or stream through consecutive label frames."""

    def __init__(self, classes: tuple[str, ...], rules: TrackingSpec, *, kept_frames: int | None = None) -> None:
        """`kept_frames` bounds the trajectory of an event to its last frames, so that a stream keeps its memory."""
        self.classes, self.rules, self.kept_frames = classes, rules, kept_frames
        self.next_frame = 0
        thresholds = np.array(rules.thresholds(classes))
        self._thresholds = thresholds.astype(np.float32)
        self._release = (thresholds * rules.release_ratio).astype(np.float32)
        self._passes = (0, 1)
        self._alive: list[Source] = []

    def add(self, prediction: Prediction) -> Changes:
        """Follow the next frames, predicted and unified."""
        opened: list[SeldEvent] = []
        closed: list[SeldEvent] = []
        detections: list[Detection] = []
        if prediction.uncertainty is not None:
            self._passes = prediction.uncertainty.mc_samples, prediction.uncertainty.time_shifts
        loud = prediction.activity > self._release
        for index in range(prediction.frames):
            for source in self._follow_frame(prediction, index, loud[index]):
                if source.heard_frames == self.rules.min_frames:
                    opened.append(self._event(source))
                if source.heard_frames >= self.rules.min_frames:
                    detections.append(describe_detection(source, self.classes[source.class_id]))
            closed += self._close(self._silent())
            self.next_frame += 1
        return Changes(tuple(opened), tuple(closed), tuple(detections))

    def finish(self) -> Changes:
        """End all events."""
        return Changes(closed=tuple(self._close(list(self._alive))))

    def _follow_frame(self, prediction: Prediction, index: int, loud: np.ndarray) -> list[Source]:
        """Sources heard in one frame, by class and number; loud (tracks, classes)."""
        followed = []
        for class_id in np.flatnonzero(loud.any(axis=0)).tolist():
            tracks = np.flatnonzero(loud[:, class_id]).tolist()
            followed += self._follow(
                class_id, [heard_at(prediction, index, track, class_id, self.next_frame) for track in tracks]
            )
        return followed

    def _follow(self, class_id: int, heard: list[Heard]) -> list[Source]:
        """Give what is heard of one class in one frame to its sources."""
        # The order of the tracks of a prediction means nothing.
        heard = sorted(heard, key=lambda one: (-one.activity, one.direction))
        sources = [source for source in self._alive if source.class_id == class_id]
        sources.sort(key=lambda source: source.number)
        costs = [[self._cost(source, one) for source in sources] for one in heard]
        followed = []
        for one, column in zip(heard, assign(costs), strict=True):
            if column is None and one.activity <= self._thresholds[class_id]:
                continue
            source = self._start(class_id, one.frame) if column is None else sources[column]
            source.add(one)
            followed.append(source)
        return sorted(followed, key=lambda source: source.number)

    def _cost(self, source: Source, heard: Heard) -> float | None:
        """Angle from where the source should be, None where it cannot be the source."""
        angle = angle_deg(source.expected(heard.frame, self.rules.motion_frames), heard.direction)
        nearest = min(angle, angle_deg(source.last.direction, heard.direction))
        return angle if nearest <= self.rules.gate_deg else None

    def _start(self, class_id: int, frame: int) -> Source:
        taken = {source.number for source in self._alive if source.class_id == class_id}
        number = next(number for number in range(len(taken) + 1) if number not in taken)
        source = Source(class_id, number, frame, deque(maxlen=self.kept_frames))
        self._alive.append(source)
        return source

    def _silent(self) -> list[Source]:
        """Sources that have not been heard for too long."""
        return [source for source in self._alive if self.next_frame - source.last.frame > self.rules.max_gap_frames]

    def _close(self, ended: list[Source]) -> list[SeldEvent]:
        """Forget the sources; the events of those that lasted."""
        self._alive = [source for source in self._alive if not any(source is other for other in ended)]
        lasting = [source for source in ended if source.heard_frames >= self.rules.min_frames]
        lasting.sort(key=lambda source: (source.first_frame, source.class_id, source.number))
        return [self._event(source) for source in lasting]

    def _event(self, source: Source) -> SeldEvent:
        return describe_event(source, self.classes[source.class_id], self._passes, self.rules.smooth_frames)


def track_events(prediction: Prediction, rules: TrackingSpec) -> tuple[SeldEvent, ...]:
    """Events of a whole prediction after unification, by onset, then class, then number."""
    tracker = Tracker(prediction.classes, rules)
    events = tracker.add(prediction).closed + tracker.finish().closed
    order = {name: index for index, name in enumerate(prediction.classes)}
    return tuple(sorted(events, key=lambda event: (event.onset_s, order[event.class_name], event.track)))
