"""Audio to the windows a graph takes, and outputs back to the time line, in integer samples and frames."""

from collections.abc import Sequence

import numpy as np

from edgeseld.core.frames import ceil_div, label_frames
from edgeseld.core.prediction import Float32
from edgeseld.core.spec import SignalSpec


def cut(audio: Float32, start: int, stop: int) -> Float32:
    """Samples start .. stop - 1 of audio (channels, samples), silence before its start and after its end."""
    if 0 <= start and stop <= audio.shape[1]:
        return np.ascontiguousarray(audio[:, start:stop])
    result = np.zeros((audio.shape[0], stop - start), np.float32)
    low, high = max(start, 0), min(stop, audio.shape[1])
    if low < high:
        result[:, low - start : high - start] = audio[:, low:high]
    return result


def window_count(samples: int, signal: SignalSpec) -> int:
    """Windows side by side that cover the audio, at least one."""
    return max(ceil_div(samples, signal.window_pcm_samples), 1)


def window_pcm(audio: Float32, index: int, signal: SignalSpec) -> Float32:
    """Window `index` with its context before it: (1, channels, context + window samples)."""
    start = index * signal.window_pcm_samples
    return cut(audio, start - signal.context_samples, start + signal.window_pcm_samples)[np.newaxis]


def cut_windows(audio: Float32, signal: SignalSpec) -> Float32:
    """All windows: (windows, channels, context + window samples)."""
    return np.concatenate([window_pcm(audio, index, signal) for index in range(window_count(audio.shape[1], signal))])


def join_windows(outputs: Sequence[Float32], samples: int) -> Float32:
    """Outputs (frames, ...) of windows side by side, trimmed to the label frames that the audio fills."""
    return np.concatenate(outputs)[: label_frames(samples)]
