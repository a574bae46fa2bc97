"""Microphone features: mel power of four channels and the GCC-PHAT of their six pairs."""

from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from edgeseld.signal.banded_mel import weight_mel
from edgeseld.signal.presets import FeaturePreset
from edgeseld.signal.spectral_power import power

Float32 = NDArray[np.float32]
Complex64 = NDArray[np.complex64]
Complex128 = NDArray[np.complex128]


def gcc_phat_maps(spectra: Complex128, preset: FeaturePreset, out: Float32) -> None:
    """Mel power and GCC-PHAT of spectra (4, frames, bins) to `out` (10, frames, bins).

    Pairs (0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3); lags from -bins / 2 to bins / 2 - 1 samples: the inverse
    transform of the phases of conj(A) B (Knapp and Carter 1976).
    """
    weight_mel(power(spectra.astype(np.complex64)), preset.n_fft, out[:4])
    phases, silent = _phases(spectra)
    lags = _lag_matrix(preset.n_fft, preset.bins)
    for pair, (first, second) in enumerate(combinations(range(spectra.shape[0]), 2)):
        cross = np.conj(phases[first]) * phases[second]
        if silent:
            _fill_empty(cross, spectra[first], spectra[second])
        np.matmul(cross.view(np.float32), lags, out=out[4 + pair])


def _fill_empty(cross: Complex64, first: Complex128, second: Complex128) -> None:
    """Where a channel is empty the phase is that of a zero: 0, or pi if its real part is a negative zero."""
    empty = cross == 0
    cross[empty] = np.copysign(1.0, (np.conj(first[empty]) * second[empty]).real)


def _phases(spectra: Complex128) -> tuple[Complex64, bool]:
    """Spectra at unit length, zero where they are zero, and whether any is."""
    parts = spectra.real, spectra.imag
    length = np.sqrt(parts[0] * parts[0] + parts[1] * parts[1])
    silent = not length.all()
    if silent:
        length[length == 0] = 1.0
    return (spectra / length).astype(np.complex64), silent


@cache
def _lag_matrix(n_fft: int, lags: int) -> Float32:
    """Inverse real transform of interleaved real and imaginary parts at the lags around zero: (n_fft + 2, lags)."""
    turns = np.outer(np.arange(n_fft // 2 + 1), np.arange(-(lags // 2), lags // 2)) % n_fft
    angle = 2.0 * np.pi * turns / n_fft
    share = np.full((n_fft // 2 + 1, 1), 2.0 / n_fft)
    share[[0, -1]] = 1.0 / n_fft
    matrix = np.stack([share * np.cos(angle), -share * np.sin(angle)], axis=1)
    return matrix.reshape(n_fft + 2, lags).astype(np.float32)
