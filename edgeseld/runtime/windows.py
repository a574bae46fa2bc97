"""Audio to the windows a graph takes, and outputs back to the time line, in integer samples and frames."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.frames import ceil_div, label_frames
from edgeseld.core.prediction import Float32
from edgeseld.core.spec import SignalSpec


def cut_windows(audio: Float32, signal: SignalSpec, delay_samples: int = 0) -> Float32:
    """Windows side by side, each with its context before it: (windows, channels, context + window samples).

    Silence stands before the start and after the end. `delay_samples` delays the audio inside the windows.
    """
    samples = signal.window_pcm_samples
    count = max(ceil_div(audio.shape[1], samples), 1)
    before = signal.context_samples + delay_samples
    padded = np.zeros((audio.shape[0], before + count * samples + max(-delay_samples, 0)), np.float32)
    padded[:, before : before + audio.shape[1]] = audio[:, : padded.shape[1] - before]
    width = signal.context_samples + samples
    return np.stack([padded[:, index * samples : index * samples + width] for index in range(count)])


def join_windows(outputs: Sequence[NDArray[np.float32]], samples: int) -> Float32:
    """Outputs (frames, ...) of windows side by side, trimmed to the label frames that the audio fills."""
    return np.concatenate(outputs)[: label_frames(samples)]
