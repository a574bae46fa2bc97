"""Fast Fourier transforms of scipy (in single precision three times as fast as numpy's) and what is built on them."""

from functools import cache
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import BackendMissingError

Float32 = NDArray[np.float32]


@cache
def scipy_fft() -> ModuleType:
    """`scipy.fft`, loaded on first use."""
    try:
        from scipy import fft
    except ImportError as error:
        raise BackendMissingError("mixing scenes", "synth") from error
    module: ModuleType = fft
    return module


@cache
def scipy_signal() -> ModuleType:
    """`scipy.signal`, loaded on first use."""
    try:
        from scipy import signal
    except ImportError as error:
        raise BackendMissingError("mixing scenes", "synth") from error
    module: ModuleType = signal
    return module


def fast_length(samples: int) -> int:
    """Smallest transform length at least `samples` that is fast for real signals."""
    return int(scipy_fft().next_fast_len(samples, real=True))


def convolve(signal: Float32, responses: Float32) -> Float32:
    """Linear convolution of a signal (samples,) with responses (channels, taps): (channels, samples + taps - 1)."""
    fft = scipy_fft()
    samples = len(signal) + responses.shape[-1] - 1
    size = fast_length(samples)
    wet: Float32 = fft.irfft(fft.rfft(signal, size) * fft.rfft(responses, size), size)
    return wet[:, :samples]
