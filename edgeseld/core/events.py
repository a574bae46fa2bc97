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


class StreamOpened(Frozen, frozen=True, kw_only=True, tag_field="type", tag="opened"):
    """A sound has lasted long enough to be an event; it goes on, so its offset is that of the newest frame."""

    event: SeldEvent


class StreamFrame(Frozen, frozen=True, kw_only=True, tag_field="type", tag="frame"):
    """All events heard in one label frame; there is a line for every frame."""

    time_s: float
    detections: tuple[Detection, ...]


class StreamClosed(Frozen, frozen=True, kw_only=True, tag_field="type", tag="closed"):
    """An event is over."""

    event: SeldEvent


class StreamEnd(Frozen, frozen=True, kw_only=True, tag_field="type", tag="end"):
    """The last line: how much was heard and what was lost on the way."""

    model: str
    duration_s: float
    invalid_samples: int
    dropped_blocks: int
    lost_s: float
    drift_ppm: float | None
    schema_version: int = 1


# `edgeseld stream --json` prints one of these per line; docs/stream.schema.json is made from them.
StreamLine = StreamOpened | StreamFrame | StreamClosed | StreamEnd
