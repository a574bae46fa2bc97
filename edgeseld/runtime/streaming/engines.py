"""What turns the newest audio into label frames: a causal model step by step, or any model in a sliding window."""

from typing import Protocol

import numpy as np

from edgeseld.core.errors import BundleError, ConfigError
from edgeseld.core.frames import LABEL_FRAME_SAMPLES
from edgeseld.core.prediction import Float32, Prediction
from edgeseld.runtime.aggregation import Counts, aggregate
from edgeseld.runtime.alignment import align
from edgeseld.runtime.interpret import interpret
from edgeseld.runtime.passes import Graphs, MonteCarlo, Outputs
from edgeseld.runtime.stepping import Stepper


class Engine(Protocol):
    """Hears `step_frames` label frames at a time, `lookahead_frames` behind the newest one.

    Beside the samples of a step it takes the `history_samples` before them.
    """

    step_frames: int
    lookahead_frames: int
    history_samples: int

    def reset(self) -> None:
        """Back to the silence before the start."""

    def hear(self, pcm: Float32) -> Prediction:
        """The frames of one step, before unification, from PCM (1, channels, history + step samples)."""


class FrameEngine:
    """A causal model: one call per label frame, its state goes on; nothing is looked ahead."""

    step_frames = 1
    lookahead_frames = 0

    def __init__(self, graphs: Graphs, monte_carlo: MonteCarlo | None = None) -> None:
        """BundleError for samples of a model whose dropout sites lie before the head: their state would differ."""
        spec = graphs.interface.monte_carlo
        if monte_carlo is not None and spec is not None and not all(s.name.startswith("head") for s in spec.sites):
            raise BundleError(
                f"samples in a stream need dropout in the head alone, {graphs.interface.id} has it in "
                f"{spec.sites[0].name} too: leave mc_samples out, or train with placement = 'head'"
            )
        self.graphs, self.monte_carlo = graphs, monte_carlo
        self.history_samples = graphs.interface.signal.context_samples
        self._stepper = Stepper(graphs)

    def reset(self) -> None:
        """Back to the silence before the start."""
        self._stepper.reset()

    def hear(self, pcm: Float32) -> Prediction:
        """One label frame."""
        outputs = self._stepper.step(pcm)
        if self.monte_carlo is not None:
            # The head graph takes a window of embeddings; it treats every frame alike.
            frames = self.graphs.interface.signal.window_frames - 1
            outputs["embedding"] = np.pad(outputs["embedding"], ((0, 0), (0, frames), (0, 0)))
        return read_frames(self.graphs, outputs, self.monte_carlo, 0, 1)


class WindowEngine:
    """Any windowed model: the window ends with the newest step; `lookahead_frames` of it lie after what is given out.

    More look-ahead costs delay and gives frames more context to their right.
    """

    def __init__(
        self, graphs: Graphs, hop_frames: int, lookahead_frames: int, monte_carlo: MonteCarlo | None = None
    ) -> None:
        """ConfigError unless a hop and the look-ahead fit into a window."""
        signal = graphs.interface.signal
        if hop_frames < 1 or lookahead_frames < 0 or hop_frames + lookahead_frames > signal.window_frames:
            raise ConfigError(
                f"a hop of at least 1 frame and the look-ahead must fit into the window of {signal.window_frames} "
                f"frames, got {hop_frames} and {lookahead_frames}"
            )
        self.graphs, self.monte_carlo = graphs, monte_carlo
        self.step_frames, self.lookahead_frames = hop_frames, lookahead_frames
        self.history_samples = (
            signal.context_samples + signal.window_pcm_samples - self.step_frames * LABEL_FRAME_SAMPLES
        )

    def reset(self) -> None:
        """Windows keep nothing."""

    def hear(self, pcm: Float32) -> Prediction:
        """The frames of one hop, the last `lookahead_frames` of the window left out."""
        last = self.graphs.interface.signal.window_frames - self.lookahead_frames
        return read_frames(self.graphs, self.graphs.run("full", pcm), self.monte_carlo, last - self.step_frames, last)


def read_frames(graphs: Graphs, outputs: Outputs, monte_carlo: MonteCarlo | None, first: int, last: int) -> Prediction:
    """Label frames first .. last - 1 of the outputs of one window, from the pass itself or from samples."""
    if monte_carlo is None:
        frames = {name: array[0, first:last] for name, array in outputs.items()}
        return interpret(frames, graphs.interface, graphs.calibration)
    drawn = monte_carlo.draw(outputs["embedding"]).frames(first, last)
    pass_itself = graphs.decode({name: array[:, first:last] for name, array in outputs.items()})
    aligned = graphs.calibrate(align(drawn, pass_itself))
    return aggregate(aligned, graphs.interface.classes, Counts(monte_carlo.samples, 1))
