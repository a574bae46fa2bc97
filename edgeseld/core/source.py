"""A sound source that is followed from frame to frame."""

from collections import deque
from dataclasses import dataclass, field

from edgeseld.core.assignment import Vector, extrapolate
from edgeseld.core.prediction import Prediction

# Heard frames from which motion is believed: with two, one step of noise would be taken for speed.
MOTION_POINTS = 3


@dataclass(frozen=True, slots=True)
class Heard:
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


def heard_at(prediction: Prediction, index: int, track: int, class_id: int, frame: int) -> Heard:
    """What a prediction says of one track and class in its frame `index`, which is `frame` of the stream."""
    place = (index, track, class_id)
    x, y, z = prediction.direction[place].tolist()
    sure = prediction.uncertainty
    return Heard(
        frame=frame,
        activity=float(prediction.activity[place]),
        direction=(x, y, z),
        distance_m=None if prediction.distance_m is None else float(prediction.distance_m[place]),
        uncertainty=None if sure is None else tuple(float(array[place]) for array in sure.arrays()),
    )
