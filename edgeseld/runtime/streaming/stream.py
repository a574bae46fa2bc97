"""A live stream through a model: feed blocks of any size, get frames and events."""

from dataclasses import dataclass, replace

import numpy as np

from edgeseld.core.errors import AudioFormatError, StreamError
from edgeseld.core.events import Detection, SeldEvent
from edgeseld.core.frames import LABEL_FRAME_SAMPLES, ceil_div, label_frames
from edgeseld.core.prediction import Float32, Prediction, join_predictions
from edgeseld.core.tracking import Changes, Tracker
from edgeseld.runtime.interpret import finish
from edgeseld.runtime.passes import Graphs
from edgeseld.runtime.streaming.engines import Engine

# An event that goes on for longer keeps its onset, score and uncertainty, and the last minute of its trajectory.
KEPT_FRAMES = 600
# Integers that were not divided by full scale, and broken drivers, lie far above this.
HIGHEST_PEAK = 16.0


@dataclass(frozen=True, slots=True)
class Update:
    """What a block brought.

    `prediction` holds the label frames from `first_frame` on that are complete now, None if there are none. Opened
    events have reached their minimum duration, closed ones are over; `detections` are the events heard in each frame.
    """

    first_frame: int
    prediction: Prediction | None = None
    opened: tuple[SeldEvent, ...] = ()
    closed: tuple[SeldEvent, ...] = ()
    detections: tuple[Detection, ...] = ()


class Stream:
    """One stream, used by one thread at a time; several streams may share a model in several threads.

    Time is counted in samples of the stream. Memory does not grow with its length.
    """

    def __init__(self, graphs: Graphs, engine: Engine) -> None:
        self.graphs, self.engine = graphs, engine
        self._step_samples = engine.step_frames * LABEL_FRAME_SAMPLES
        channels = graphs.interface.signal.channels
        self._buffer = np.zeros((channels, engine.history_samples + self._step_samples), np.float32)
        self.restart()

    def restart(self) -> None:
        """Begin again at time 0 with silence before it, whatever came before."""
        self.engine.reset()
        self._buffer[:] = 0.0
        self._waiting_samples = 0
        self._steps = 0
        self._finished = False
        interface = self.graphs.interface
        self._tracker = Tracker(interface.classes, interface.tracking, kept_frames=KEPT_FRAMES)
        self.samples = 0
        self.invalid_samples = 0

    @property
    def latency_frames(self) -> int:
        """Longest time from the first sample of a label frame to its detection, apart from computing."""
        return self.engine.step_frames + self.engine.lookahead_frames

    def feed(self, block: Float32) -> Update:
        """Hear the next samples, (channels, any number) float32 at 24 kHz.

        Samples that are not finite or beyond all full scale are heard as silence and counted in `invalid_samples`.
        AudioFormatError for another shape or type, which leaves the stream as it was; StreamError after `finish`.
        """
        self._check(block)
        block = self._sane(block)
        self.samples += block.shape[1]
        return self._hear(block, None)

    def finish(self) -> Update:
        """Hear the last frames, silence following the last sample, and end all events."""
        if self._finished:
            raise StreamError("the stream is finished: call restart() to begin again")
        frames = label_frames(self.samples)
        steps = ceil_div(frames + self.engine.lookahead_frames, self.engine.step_frames) if frames else 0
        silence = np.zeros((len(self._buffer), steps * self._step_samples - self.samples), np.float32)
        update = self._hear(silence, frames)
        self._finished = True
        return replace(update, closed=update.closed + self._tracker.finish().closed)

    def _hear(self, block: Float32, frames: int | None) -> Update:
        """Run the engine for every step that is full; frames from `frames` on are left out."""
        first = self._tracker.next_frame
        parts: list[Prediction] = []
        place = 0
        while place < block.shape[1]:
            taken = min(self._step_samples - self._waiting_samples, block.shape[1] - place)
            start = self.engine.history_samples + self._waiting_samples
            self._buffer[:, start : start + taken] = block[:, place : place + taken]
            self._waiting_samples += taken
            place += taken
            if self._waiting_samples == self._step_samples:
                parts += self._step(frames)
        if not parts:
            return Update(first)
        prediction = join_predictions(parts)
        changes: Changes = self._tracker.add(prediction)
        return Update(first, prediction, changes.opened, changes.closed, changes.detections)

    def _step(self, frames: int | None) -> list[Prediction]:
        """The frames that one full step completes: none, as long as they lie before the start or after the end."""
        prediction = self.engine.hear(self._buffer[np.newaxis])
        self._buffer[:, : self.engine.history_samples] = self._buffer[:, self._step_samples :]
        self._waiting_samples = 0
        start = self._steps * self.engine.step_frames - self.engine.lookahead_frames
        self._steps += 1
        stop = start + self.engine.step_frames
        first, last = max(start, 0), stop if frames is None else min(stop, frames)
        if first >= last:
            return []
        finished = finish(prediction, self.graphs.interface, self.graphs.calibration)
        return [finished if (first, last) == (start, stop) else finished.frames_between(first - start, last - start)]

    def _check(self, block: Float32) -> None:
        if self._finished:
            raise StreamError("the stream is finished: call restart() to begin again")
        channels = len(self._buffer)
        if not isinstance(block, np.ndarray) or block.ndim != 2 or block.shape[0] != channels:
            shape = getattr(block, "shape", type(block).__name__)
            raise AudioFormatError(f"a block has the shape ({channels}, samples), got {shape}: transpose or convert it")
        if block.dtype != np.float32:
            raise AudioFormatError(
                f"a block holds float32 with full scale 1, got {block.dtype}: divide integers by their full scale"
            )

    def _sane(self, block: Float32) -> Float32:
        if not block.size or (-HIGHEST_PEAK <= block.min() and block.max() <= HIGHEST_PEAK):
            return block
        valid = np.abs(block) <= HIGHEST_PEAK
        self.invalid_samples += int((~valid).any(axis=0).sum())
        return np.where(valid, block, np.float32(0.0))
