"""Sound events as users and services see them; docs/events.schema.json is made from these structs."""

from edgeseld.core.structs import Frozen


class TrajectoryPoint(Frozen, frozen=True, kw_only=True):
    """Where the source is in one label frame; angles in degrees, None for a model without directions."""

    time_s: float
    activity: float
    azimuth_deg: float | None = None
    elevation_deg: float | None = None
    distance_m: float | None = None


class EventUncertainty(Frozen, frozen=True, kw_only=True):
    """Means over the frames of the event."""

    activity_std: float
    entropy: float
    mutual_information: float
    direction_spread_deg: float | None
    mc_samples: int
    time_shifts: int


class FrameUncertainty(Frozen, frozen=True, kw_only=True):
    """How sure one frame is; entropy and mutual information in nats, the spread None where nothing is active."""

    activity_std: float
    entropy: float
    mutual_information: float
    direction_spread_deg: float | None


class Detection(Frozen, frozen=True, kw_only=True):
    """An event in one label frame, as a stream reports it; `track` is that of the event."""

    time_s: float
    class_name: str
    track: int
    activity: float
    azimuth_deg: float | None = None
    elevation_deg: float | None = None
    distance_m: float | None = None
    uncertainty: FrameUncertainty | None = None


class SeldEvent(Frozen, frozen=True, kw_only=True):
    """One sound: what, when, where along the way, and how sure."""

    class_name: str
    track: int
    onset_s: float
    offset_s: float
    score: float
    trajectory: tuple[TrajectoryPoint, ...]
    uncertainty: EventUncertainty | None = None


class EventList(Frozen, frozen=True, kw_only=True):
    """The JSON that infer, stream and the server print."""

    model: str
    duration_s: float
    events: tuple[SeldEvent, ...]
    schema_version: int = 1
