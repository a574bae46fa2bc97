"""Sample rate conversion to 24 kHz: one documented filter for 48 kHz, the rate of devices, and soxr for the others.

The filter for 48 kHz has integer coefficients and sums exactly: samples are taken in steps of 2^-23 (16- and 24-bit PCM
are untouched) and products and sums stay below 2^53. No order of summation, block size or language changes a bit.
"""

from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from edgeseld.core.errors import AudioFormatError
from edgeseld.core.frames import SAMPLE_RATE_HZ, ceil_div

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

LOWEST_RATE_HZ = 8_000
HIGHEST_RATE_HZ = 192_000

# 255 taps, symmetric: a delay of 127 samples at 48 kHz, which whole files and streams both compensate.
HALVING_CENTRE = 127
HALVING_TAPS = 2 * HALVING_CENTRE + 1
# Half amplitude at 11.4 kHz; Kaiser's beta for 96 dB puts the stop band's edge on the new Nyquist frequency.
HALVING_CUTOFF_HZ = 11_400
HALVING_BETA = 9.62
COEFFICIENT_SCALE = 1 << 20
SAMPLE_SCALE = 1 << 23
# The convolution runs as matrix products of this many outputs, files in chunks that stay in the cache.
BLOCK_OUTPUTS = 64
CHUNK_SAMPLES = 8_192


@cache
def halving_coefficients() -> NDArray[np.int64]:
    """The 255 integer taps, summing to 2^20: `round(2^20 h)`, the rounding's surplus taken from the centre tap.

    h(n) = 2 r sinc(2 r m) I0(beta sqrt(1 - (m / 127)^2)) / I0(beta), m = n - 127, r = 11400 / 48000 (Kaiser 1974).
    """
    offset = np.arange(-HALVING_CENTRE, HALVING_CENTRE + 1)
    relative_cutoff = 2.0 * HALVING_CUTOFF_HZ / (2 * SAMPLE_RATE_HZ)
    taps = relative_cutoff * np.sinc(relative_cutoff * offset) * np.kaiser(HALVING_TAPS, HALVING_BETA)
    coefficients: NDArray[np.int64] = np.rint(taps * (COEFFICIENT_SCALE / taps.sum())).astype(np.int64)
    coefficients[HALVING_CENTRE] += COEFFICIENT_SCALE - coefficients.sum()
    coefficients.setflags(write=False)
    return coefficients


@dataclass(frozen=True, slots=True)
class HalvingState:
    """What a stream must keep between chunks: scaled samples (channels, up to 254) that later outputs still need."""

    pending: Float64

    @classmethod
    def start(cls, channels: int) -> Self:
        """State before the first sample: silence."""
        return cls(np.zeros((channels, HALVING_CENTRE)))


def halve_chunk(chunk: Float32, state: HalvingState) -> tuple[Float32, HalvingState]:
    """The 24 kHz samples that a 48 kHz chunk (channels, samples) completes, and the state after it.

    Output m is centred on input 2 m and complete once input 2 m + 127 is there.
    """
    scaled = np.concatenate([state.pending, np.rint(chunk * np.float64(SAMPLE_SCALE))], axis=1)
    outputs = max(0, (scaled.shape[1] - HALVING_TAPS) // 2 + 1)
    return _convolve_halving(scaled, outputs), HalvingState(scaled[:, 2 * outputs :].copy())


def finish_halving(state: HalvingState) -> Float32:
    """The last samples of a stream, silence following it; all outputs together are ceil(inputs / 2)."""
    silence = np.zeros((state.pending.shape[0], HALVING_CENTRE), np.float32)
    return halve_chunk(silence, state)[0]


def halve_rate(audio: Float32) -> Float32:
    """48 kHz (channels, samples) to 24 kHz (channels, ceil(samples / 2)), without delay."""
    state, parts = HalvingState.start(audio.shape[0]), []
    for first in range(0, audio.shape[1], CHUNK_SAMPLES):
        part, state = halve_chunk(audio[:, first : first + CHUNK_SAMPLES], state)
        parts.append(part)
    return np.concatenate([*parts, finish_halving(state)], axis=1)


def _convolve_halving(scaled: Float64, outputs: int) -> Float32:
    """Every second output of the filter, exact, then rounded once to float32: (channels, outputs)."""
    band = _halving_band()
    inputs_per_block, outputs_per_block = band.shape
    blocks = ceil_div(max(1, outputs), outputs_per_block)
    missing = max(0, 2 * outputs_per_block * (blocks - 1) + inputs_per_block - scaled.shape[1])
    padded = np.pad(scaled, ((0, 0), (0, missing)))
    windows = sliding_window_view(padded, inputs_per_block, axis=1)[:, : 2 * outputs_per_block * blocks]
    halved = np.ascontiguousarray(windows[:, :: 2 * outputs_per_block]) @ band
    return halved.reshape(scaled.shape[0], -1)[:, :outputs].astype(np.float32)


@cache
def _halving_band() -> Float64:
    """The taps as a band matrix (inputs, outputs) of one block; scaled by a power of two, so still exact."""
    taps = halving_coefficients() / (SAMPLE_SCALE * COEFFICIENT_SCALE)
    band = np.zeros((2 * BLOCK_OUTPUTS + HALVING_TAPS - 2, BLOCK_OUTPUTS))
    for output in range(BLOCK_OUTPUTS):
        band[2 * output : 2 * output + HALVING_TAPS, output] = taps
    return band


def to_sample_rate(audio: Float32, rate_hz: int) -> Float32:
    """Audio (channels, samples) at `rate_hz` to 24 kHz; AudioFormatError outside 8 to 192 kHz."""
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise AudioFormatError(
            f"the sample rate must lie between {LOWEST_RATE_HZ} and {HIGHEST_RATE_HZ} Hz, got {rate_hz}; resample first"
        )
    if rate_hz == SAMPLE_RATE_HZ:
        return audio
    if rate_hz == 2 * SAMPLE_RATE_HZ:
        return halve_rate(audio)
    import soxr

    resampled: Float32 = soxr.resample(audio.T, rate_hz, SAMPLE_RATE_HZ, quality="VHQ").T
    return np.ascontiguousarray(resampled)
