"""A model on the device that asks the cloud where it is not sure, and keeps its own answer where the cloud is late."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from edgeseld.cloud.client import CloudAnswer, CloudClient, CloudError
from edgeseld.cloud.policy import FallbackPolicy, doubt
from edgeseld.core.events import SeldEvent, TrajectoryPoint
from edgeseld.core.frames import LABEL_FRAME_SAMPLES, LABEL_FRAMES_PER_S, ceil_div, label_frames
from edgeseld.core.prediction import Float32
from edgeseld.runtime.model import Model
from edgeseld.runtime.windows import cut


@dataclass(frozen=True, slots=True)
class HeardFrame:
    """An event in one label frame, counted from the start of the recording; angles in degrees."""

    frame: int
    class_name: str
    track: int
    point: TrajectoryPoint


@dataclass(frozen=True, slots=True)
class WindowAnswer:
    """Label frames first .. last - 1: who answered, what was heard, and what kept the cloud from it if it was asked."""

    first_frame: int
    last_frame: int
    doubt: float
    source: Literal["device", "cloud"]
    heard: tuple[HeardFrame, ...]
    trouble: str | None = None


def hear_with_fallback(
    model: Model, audio: Float32, policy: FallbackPolicy, client: CloudClient, *, mc_samples: int = 0
) -> Iterator[WindowAnswer]:
    """Hear audio (channels, samples) window by window.

    Only a window above the policy's threshold goes out, with its context; the device's answer stands wherever the
    cloud's is late, refused or not to be had.
    """
    prediction = model.predict(audio, mc_samples=mc_samples)
    own = heard_frames(prediction.events())
    for first, last in windows(prediction.frames, policy.window_frames):
        unsure = doubt(prediction.frames_between(first, last), policy.measure)
        device = between(own, first, last)
        if not policy.sends(unsure):
            yield WindowAnswer(first, last, unsure, "device", device)
            continue
        try:
            heard, _ = ask_window(client, audio, (first, last), policy.context_frames)
        except CloudError as error:
            yield WindowAnswer(first, last, unsure, "device", device, str(error))
        else:
            yield WindowAnswer(first, last, unsure, "cloud", heard)


def ask_window(
    client: CloudClient, audio: Float32, window: tuple[int, int], context_frames: int
) -> tuple[tuple[HeardFrame, ...], CloudAnswer]:
    """What the cloud hears in label frames first .. last - 1; only they and their context leave the device."""
    first, last = window
    start = max(first - context_frames, 0)
    stop = min(last + context_frames, label_frames(audio.shape[1]))
    answer = client.hear(cut(audio, start * LABEL_FRAME_SAMPLES, stop * LABEL_FRAME_SAMPLES))
    return between(heard_frames(answer.events.events, start), first, last), answer


def windows(frames: int, window_frames: int) -> list[tuple[int, int]]:
    """First frame and the one after the last of every window of a recording.

    >>> windows(70, 30)
    [(0, 30), (30, 60), (60, 70)]
    """
    starts = range(0, ceil_div(frames, window_frames) * window_frames, window_frames)
    return [(start, min(start + window_frames, frames)) for start in starts]


def heard_frames(events: Iterable[SeldEvent], first_frame: int = 0) -> tuple[HeardFrame, ...]:
    """Every label frame in which an event was heard; the events' time 0 is frame `first_frame`."""
    return tuple(
        HeardFrame(first_frame + round(point.time_s * LABEL_FRAMES_PER_S), event.class_name, event.track, point)
        for event in events
        for point in event.trajectory
    )


def between(heard: Iterable[HeardFrame], first: int, last: int) -> tuple[HeardFrame, ...]:
    """Those in frames first .. last - 1."""
    return tuple(one for one in heard if first <= one.frame < last)
