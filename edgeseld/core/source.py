"""A sound source that is followed from frame to frame."""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from edgeseld.core.assignment import Vector, extrapolate
from edgeseld.core.prediction import Float32, Prediction

# Heard frames from which motion is believed: with two, one step of noise would be taken for speed.
MOTION_POINTS = 3


class Heard(NamedTuple):
    """One source in one frame; the direction is a zero vector where there is none.

    `uncertainty` holds activity deviation, entropy, mutual information and spread in degrees (NaN for none).
    """

    frame: int
    activity: float
    direction: Vector
    distance_m: float | None = None
    uncertainty: tuple[float, ...] | None = None


@dataclass(slots=True)
class Source:
    """A source that may go on. Sums cover all frames in which it was heard, `points` all or the last of them."""

    class_id: int
    number: int
    first_frame: int
    points: deque[Heard]
    heard_frames: int = 0
    activity_sum: float = 0.0
    uncertainty_sums: list[float] = field(default_factory=lambda: [0.0] * 4)
    spread_frames: int = 0

    def add(self, heard: Heard) -> None:
        """Go on with what is heard in a later frame."""
        self.points.append(heard)
        self.heard_frames += 1
        self.activity_sum += heard.activity
        for index, value in enumerate(heard.uncertainty or ()):
            if value == value:
                self.uncertainty_sums[index] += value
                self.spread_frames += index == 3

    @property
    def last(self) -> Heard:
        """Where it was heard last."""
        return self.points[-1]

    def expected(self, frame: int, motion_frames: int) -> Vector:
        """Where its motion over the last `motion_frames` frames takes it."""
        first, count = self.last, 0
        for point in reversed(self.points):
            if point.frame <= self.last.frame - motion_frames:
                break
            first, count = point, count + 1
        if count < MOTION_POINTS:
            return self.last.direction
        share = (frame - self.last.frame) / (self.last.frame - first.frame)
        return extrapolate(first.direction, self.last.direction, share)


def heard_by_frame(prediction: Prediction, release: Float32, first_frame: int) -> list[dict[int, list[Heard]]]:
    """For each frame of a prediction what exceeds the release level of its class, by class.

    What is heard of one class stands in an order that does not depend on the tracks: louder first. `first_frame` is
    the place of the prediction in the stream.
    """
    index, class_id, track = np.nonzero((prediction.activity > release).transpose(0, 2, 1))
    frames: list[dict[int, list[Heard]]] = [{} for _ in range(prediction.frames)]
    if not len(index):
        return frames
    place = (index, track, class_id)
    count = len(index)
    directions = (tuple(vector) for vector in prediction.direction[place].tolist())
    distances_m = [None] * count if prediction.distance_m is None else prediction.distance_m[place].tolist()
    sure = prediction.uncertainty
    arrays = None if sure is None else zip(*(array[place].tolist() for array in sure.arrays()), strict=True)
    activities = prediction.activity[place].tolist()
    columns = zip(
        (index + first_frame).tolist(), activities, directions, distances_m, arrays or [None] * count, strict=True
    )
    for frame, number, heard in zip(index.tolist(), class_id.tolist(), map(Heard._make, columns), strict=True):
        frames[frame].setdefault(number, []).append(heard)
    for classes in frames:
        for same in classes.values():
            same.sort(key=lambda one: (-one.activity, one.direction))
    return frames
