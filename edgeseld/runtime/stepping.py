"""A causal model goes from label frame to label frame; what it keeps of the past is explicit."""

from collections.abc import Iterator

import numpy as np

from edgeseld.core.frames import LABEL_FRAME_SAMPLES, label_frames
from edgeseld.core.prediction import Float32
from edgeseld.runtime.passes import Graphs, Outputs
from edgeseld.runtime.windows import cut


class Stepper:
    """One run of the graph `stream` per label frame."""

    def __init__(self, graphs: Graphs) -> None:
        """BundleError for a model that does not stream."""
        graphs.require("stream", "streaming frame by frame")
        self.graphs = graphs
        self._state_specs = graphs.interface.graphs["stream"].inputs[1:]
        self.reset()

    def reset(self) -> None:
        """Back to the silence before the start."""
        self._state = [np.zeros(spec.shape, np.float32) for spec in self._state_specs]

    def step(self, pcm: Float32) -> Outputs:
        """Outputs and embedding of one label frame, (1, 1, ...), from its PCM (1, channels, context + 2400)."""
        outputs = self.graphs.backend.run("stream", [pcm, *self._state])
        specs = self.graphs.interface.graphs["stream"].outputs
        count = len(specs) - len(self._state)
        self._state = outputs[count:]
        return {spec.name: array for spec, array in zip(specs[:count], outputs, strict=False)}


def step_windows(graphs: Graphs, audio: Float32, delay_samples: int = 0) -> Iterator[Outputs]:
    """Outputs of a whole recording in pieces of a window, (1, window_frames, ...); zeros fill the last one.

    The state goes on from piece to piece. The audio may be delayed, or with a negative delay advanced.
    """
    stepper, signal = Stepper(graphs), graphs.interface.signal
    frames = label_frames(audio.shape[1])
    for first in range(0, frames, signal.window_frames):
        last = min(first + signal.window_frames, frames)
        steps = []
        for frame in range(first, last):
            start = frame * LABEL_FRAME_SAMPLES - delay_samples
            pcm = cut(audio, start - signal.context_samples, start + LABEL_FRAME_SAMPLES)
            steps.append(stepper.step(pcm[np.newaxis]))
        yield {name: _joined([step[name] for step in steps], signal.window_frames) for name in steps[0]}


def _joined(frames: list[Float32], length: int) -> Float32:
    """Frames (1, 1, ...) as (1, length, ...), zeros at the end."""
    joined = np.zeros((1, length, *frames[0].shape[2:]), np.float32)
    np.concatenate(frames, axis=1, out=joined[:, : len(frames)])
    return joined
