"""What a network hears, frame by frame, in one form for every output format."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.spec import TrackingSpec

if TYPE_CHECKING:
    from edgeseld.core.events import SeldEvent

Float32 = NDArray[np.float32]
DEFAULT_TRACKING = TrackingSpec()


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Per frame, track and class; the formulae stand in docs/uncertainty.md.

    `activity_std`, `entropy` and `mutual_information` (nats) and `direction_spread_deg` have the shape of the activity;
    the spread is NaN where nothing is active.
    """

    activity_std: Float32
    entropy: Float32
    mutual_information: Float32
    direction_spread_deg: Float32
    mc_samples: int
    time_shifts: int

    def arrays(self) -> tuple[Float32, ...]:
        """The four arrays in the order of the fields."""
        return self.activity_std, self.entropy, self.mutual_information, self.direction_spread_deg

    def with_arrays(self, arrays: Iterable[Float32]) -> "Uncertainty":
        """The same counts with other arrays, in the order of the fields."""
        activity_std, entropy, mutual_information, direction_spread_deg = arrays
        return replace(
            self,
            activity_std=activity_std,
            entropy=entropy,
            mutual_information=mutual_information,
            direction_spread_deg=direction_spread_deg,
        )


@dataclass(frozen=True, slots=True)
class Prediction:
    """Decoded output on the 100 ms label grid.

    activity (frames, tracks, classes) in [0, 1]; direction (frames, tracks, classes, 3) unit vectors x, y, z, zero
    where there is none; distance_m of the activity's shape, or None. `tracking` says how frames become events.
    """

    activity: Float32
    direction: Float32
    classes: tuple[str, ...]
    distance_m: Float32 | None = None
    uncertainty: Uncertainty | None = None
    tracking: TrackingSpec = DEFAULT_TRACKING

    @property
    def frames(self) -> int:
        """Number of label frames."""
        return int(self.activity.shape[0])

    def events(self) -> tuple["SeldEvent", ...]:
        """Sound events by onset: what, when, where along the way, and how sure."""
        from edgeseld.core.tracking import track_events

        return track_events(self, self.tracking)

    def frames_between(self, first: int, last: int) -> "Prediction":
        """Label frames first .. last - 1, as views."""
        return _by_array([self], lambda arrays: arrays[0][first:last])


def join_predictions(parts: Sequence[Prediction]) -> Prediction:
    """Predictions of one model over label frames one after the other; `parts` holds at least one."""
    return parts[0] if len(parts) == 1 else _by_array(parts, np.concatenate)


def _by_array(parts: Sequence[Prediction], combine: Callable[[list[Float32]], Float32]) -> Prediction:
    """The first part with each of its arrays replaced by a combination of that array of all parts."""
    first = parts[0]
    distances_m = [part.distance_m for part in parts if part.distance_m is not None]
    uncertainty = first.uncertainty
    if uncertainty is not None:
        arrays = [part.uncertainty.arrays() for part in parts if part.uncertainty is not None]
        uncertainty = uncertainty.with_arrays(combine(list(same)) for same in zip(*arrays, strict=True))
    return replace(
        first,
        activity=combine([part.activity for part in parts]),
        direction=combine([part.direction for part in parts]),
        distance_m=combine(distances_m) if distances_m else None,
        uncertainty=uncertainty,
    )
