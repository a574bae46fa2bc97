"""Analysis windows, shared by the reference features and the frontend inside the exported graph."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import ConfigError

Float64 = NDArray[np.float64]
WindowKind = Literal["hann", "hamming", "tapered"]

# A tapered window of W samples has two ramps of W // 16: 32 of 512, so that at a hop of 480 neighbouring windows add up
# to one and no click is lost between them.
TAPER_DIVISOR = 16


def analysis_window(kind: WindowKind, window_samples: int, n_fft: int) -> Float64:
    """Window of `window_samples` inside a frame of `n_fft` samples, zeros around it: (n_fft,).

    "hann" and "hamming" are periodic and centred, as librosa pads them. "tapered" is flat between short raised-cosine
    ramps and ends with the frame, so that a causal frame hears its newest samples.

    >>> analysis_window("hann", 4, 6).round(3).tolist()
    [0.0, 0.0, 0.5, 1.0, 0.5, 0.0]
    """
    if not 0 < window_samples <= n_fft:
        raise ConfigError(f"need 0 < window_samples <= n_fft, got {window_samples} and {n_fft}")
    frame = np.zeros(n_fft)
    if kind == "tapered":
        frame[n_fft - window_samples :] = _tapered(window_samples)
        return frame
    start = (n_fft - window_samples) // 2
    frame[start : start + window_samples] = _periodic_cosine(window_samples, 0.5 if kind == "hann" else 0.54)
    return frame


def _periodic_cosine(samples: int, offset: float) -> Float64:
    """`offset - (1 - offset) cos(2 pi n / samples)`: Hann for 0.5, Hamming for 0.54.

    Evaluated from -pi on as scipy does: with the same bits, even phases of empty bins agree with librosa's.
    """
    return offset + (1.0 - offset) * np.cos(np.linspace(-np.pi, np.pi, samples, endpoint=False))


def _tapered(samples: int) -> Float64:
    """Ones between ramps `sin(pi (n + 1/2) / 2R)^2`, R = samples // 16; a ramp and its mirror image add up to one."""
    ramp_samples = samples // TAPER_DIVISOR
    window = np.ones(samples)
    if ramp_samples:
        ramp = np.sin(0.5 * np.pi * (np.arange(ramp_samples) + 0.5) / ramp_samples) ** 2
        window[:ramp_samples], window[-ramp_samples:] = ramp, ramp[::-1]
    return window
