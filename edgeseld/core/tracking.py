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
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edgeseld.core.assignment import Vector, angle_deg, assign
from edgeseld.core.descriptions import describe_detection, describe_event
from edgeseld.core.events import Detection, SeldEvent
from edgeseld.core.prediction import Prediction
from edgeseld.core.source import Heard, Source, heard_by_frame
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
        self._thresholds: list[float] = thresholds.astype(np.float32).tolist()
        self._release = (thresholds * rules.release_ratio).astype(np.float32)
        self._passes = (0, 1)
        # Sources that may go on, by class, in the order of their numbers.
        self._alive: dict[int, list[Source]] = {}

    def add(self, prediction: Prediction) -> Changes:
        """Follow the next frames, predicted and unified."""
        opened: list[SeldEvent] = []
        closed: list[SeldEvent] = []
        detections: list[Detection] = []
        for followed, ended in self.follow(prediction):
            for source in followed:
                if source.heard_frames == self.rules.min_frames:
                    opened.append(self.describe(source))
                if source.heard_frames >= self.rules.min_frames:
                    detections.append(describe_detection(source, self.classes[source.class_id]))
            closed += map(self.describe, ended)
        return Changes(tuple(opened), tuple(closed), tuple(detections))

    def finish(self) -> Changes:
        """End all events."""
        return Changes(closed=tuple(map(self.describe, self.end())))

    def follow(self, prediction: Prediction) -> Iterator[tuple[list[Source], list[Source]]]:
        """For each of the next frames the sources heard in it, by class and number, and the events that ended."""
        if prediction.uncertainty is not None:
            self._passes = prediction.uncertainty.mc_samples, prediction.uncertainty.time_shifts
        for heard in heard_by_frame(prediction, self._release, self.next_frame):
            followed = [source for class_id, same in heard.items() for source in self._follow(class_id, same)]
            ended = self.end(self.next_frame - self.rules.max_gap_frames)
            self.next_frame += 1
            yield followed, ended

    def end(self, before_frame: int | None = None) -> list[Source]:
        """Forget sources last heard before a frame, None for all; those that lasted long enough to be events."""
        ended: list[Source] = []
        for class_id, sources in self._alive.items():
            silent = [source for source in sources if before_frame is None or source.last.frame < before_frame]
            if silent:
                ended += silent
                numbers = {source.number for source in silent}
                self._alive[class_id] = [source for source in sources if source.number not in numbers]
        lasting = [source for source in ended if source.heard_frames >= self.rules.min_frames]
        return sorted(lasting, key=lambda source: (source.first_frame, source.class_id, source.number))

    def describe(self, source: Source) -> SeldEvent:
        """The event of a source so far."""
        return describe_event(source, self.classes[source.class_id], self._passes, self.rules.smooth_frames)

    def _follow(self, class_id: int, heard: list[Heard]) -> list[Source]:
        """Give what is heard of one class in one frame to its sources."""
        sources = self._alive.get(class_id, [])
        chosen = assign(self._costs(sources, heard)) if sources else [None] * len(heard)
        followed = []
        for one, column in zip(heard, chosen, strict=True):
            if column is None and one.activity <= self._thresholds[class_id]:
                continue
            source = self._start(class_id, one.frame) if column is None else sources[column]
            source.add(one)
            followed.append(source)
        return sorted(followed, key=lambda source: source.number)

    def _costs(self, sources: list[Source], heard: list[Heard]) -> list[list[float | None]]:
        """Angles from where the sources should be, None where what is heard cannot be the source."""
        expected = [source.expected(heard[0].frame, self.rules.motion_frames) for source in sources]
        return [
            [self._cost(source, place, one) for source, place in zip(sources, expected, strict=True)] for one in heard
        ]

    def _cost(self, source: Source, expected: Vector, heard: Heard) -> float | None:
        angle = angle_deg(expected, heard.direction)
        if angle <= self.rules.gate_deg or angle_deg(source.last.direction, heard.direction) <= self.rules.gate_deg:
            return angle
        return None

    def _start(self, class_id: int, frame: int) -> Source:
        """A new source with the lowest number that is free; the list of the running frame stays as it is."""
        sources = self._alive.get(class_id, [])
        taken = {source.number for source in sources}
        number = next(number for number in range(len(taken) + 1) if number not in taken)
        source = Source(class_id, number, frame, deque(maxlen=self.kept_frames))
        self._alive[class_id] = sorted([*sources, source], key=lambda one: one.number)
        return source


def track_events(prediction: Prediction, rules: TrackingSpec) -> tuple[SeldEvent, ...]:
    """Events of a whole prediction after unification, by onset, then class, then number."""
    tracker = Tracker(prediction.classes, rules)
    sources = [source for _, ended in tracker.follow(prediction) for source in ended] + tracker.end()
    sources.sort(key=lambda source: (source.first_frame, source.class_id, source.number))
    return tuple(map(tracker.describe, sources))
