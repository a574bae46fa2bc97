"""What a stream says, as the lines of `edgeseld stream --json` (docs/streaming.md)."""

from collections import defaultdict
from collections.abc import Iterator

from edgeseld.core.events import Detection, StreamClosed, StreamFrame, StreamLine, StreamOpened
from edgeseld.core.frames import frame_onset_s
from edgeseld.runtime.streaming.stream import Update


def stream_lines(update: Update) -> Iterator[StreamLine]:
    """Events that opened, a line for every frame, events that closed."""
    yield from (StreamOpened(event=event) for event in update.opened)
    frames = 0 if update.prediction is None else update.prediction.frames
    by_time: defaultdict[float, list[Detection]] = defaultdict(list)
    for detection in update.detections:
        by_time[detection.time_s].append(detection)
    for frame in range(update.first_frame, update.first_frame + frames):
        time_s = frame_onset_s(frame)
        yield StreamFrame(time_s=time_s, detections=tuple(by_time[time_s]))
    yield from (StreamClosed(event=event) for event in update.closed)
