"""Microphone features: mel power of four channels and the GCC-PHAT of their six pairs."""

from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from edgeseld.signal.banded_mel import weight_mel
from edgeseld.signal.presets import FeaturePreset
from edgeseld.signal.spectral_power import Parts, power

Float32 = NDArray[np.float32]
Complex128 = NDArray[np.complex128]

# Keeps the squares of bins that hold only rounding errors, 1e-22 and below, away from the end of float32's range.
GAIN = np.float32(2.0**40)


def gcc_phat_maps(spectra: Complex128, preset: FeaturePreset, out: Float32) -> None:
    """Mel power and GCC-PHAT of spectra (4, frames, bins) to `out` (10, frames, bins).

    Pairs (0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3); lags from -bins / 2 to bins / 2 - 1 samples: the inverse
    transform of the phases of conj(A) B (Knapp and Carter 1976).
    """
    parts = Parts.of(spectra)
    for part in parts:
        part *= GAIN
    powers = power(parts)
    weight_mel(powers, preset.n_fft, out[:4])
    out[:4] *= GAIN**-2
    empty = _to_unit_length(parts, powers)
    cosines, sines = lag_matrices(preset.n_fft, preset.bins)
    pairs, half = tuple(combinations(range(spectra.shape[0]), 2)), preset.bins // 2
    even, odd = np.empty((2, len(pairs), spectra.shape[1], half + 1), np.float32)
    in_phase, quadrature, product = np.empty((3, *spectra.shape[1:]), np.float32)
    for number, (first, second) in enumerate(pairs):
        pair = parts.channels(first), parts.channels(second)
        _cross_phases(*pair, in_phase, quadrature, product)
        if empty:
            _fill_empty(in_phase, quadrature, spectra[first], spectra[second])
        # Cosines are even in the lag and sines odd, so half of the products do.
        np.matmul(in_phase, cosines, out=even[number])
        np.matmul(quadrature, sines, out=odd[number])
    np.subtract(even[:, :, :half], odd[:, :, :half], out=out[4:, :, half:])
    np.add(even[:, :, 1:], odd[:, :, 1:], out=out[4:, :, half - 1 :: -1])


def _cross_phases(first: Parts, second: Parts, in_phase: Float32, quadrature: Float32, product: Float32) -> None:
    """Write conj(A) B to `in_phase` and `quadrature`, with room for one product: pairs share what is in the cache."""
    np.multiply(first.real, second.real, out=in_phase)
    in_phase += np.multiply(first.imaginary, second.imaginary, out=product)
    np.multiply(first.real, second.imaginary, out=quadrature)
    quadrature -= np.multiply(first.imaginary, second.real, out=product)


def _to_unit_length(spectra: Parts, powers: Float32) -> bool:
    """Divide spectra by their length in place; zeros stay zero. Whether there are any."""
    empty = not powers.all()
    scale = np.sqrt(powers)
    if empty:
        scale[scale == 0] = 1
    np.reciprocal(scale, out=scale)
    for part in spectra:
        part *= scale
    return empty


def _fill_empty(in_phase: Float32, quadrature: Float32, first: Complex128, second: Complex128) -> None:
    """Where a channel is empty the phase is that of a zero: 0, or pi if its real part is a negative zero."""
    empty = (in_phase == 0) & (quadrature == 0)
    in_phase[empty] = np.copysign(1.0, (np.conj(first[empty]) * second[empty]).real)


@cache
def lag_matrices(n_fft: int, lags: int) -> tuple[Float32, Float32]:
    """Inverse real transform at the lags 0 to lags / 2, of real and of imaginary parts: (bins, lags / 2 + 1) each."""
    turns = np.outer(np.arange(n_fft // 2 + 1), np.arange(lags // 2 + 1)) % n_fft
    angle = 2.0 * np.pi * turns / n_fft
    share = np.full((n_fft // 2 + 1, 1), 2.0 / n_fft)
    share[[0, -1]] = 1.0 / n_fft
    return (share * np.cos(angle)).astype(np.float32), (share * np.sin(angle)).astype(np.float32)
