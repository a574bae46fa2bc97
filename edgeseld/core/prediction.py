"""What a network hears, frame by frame, in one form for every output format."""

from dataclasses import dataclass
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
