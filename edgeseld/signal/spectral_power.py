"""Products of spectra in float32, and decibels with the DCASE baselines' floor and clip."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Complex128 = NDArray[np.complex128]

POWER_FLOOR = np.float32(1e-10)


class Parts(NamedTuple):
    """Real and imaginary parts (..., bins), apart: products of contiguous real arrays run at full speed."""

    real: Float32
    imaginary: Float32

    @classmethod
    def of(cls, spectra: Complex128) -> Self:
        """Parts of spectra, rounded to float32 after the transform."""
        return cls(spectra.real.astype(np.float32, order="C"), spectra.imag.astype(np.float32, order="C"))

    def channels(self, index: int | slice) -> "Parts":
        """Some of the channels, which are the first axis."""
        return Parts(self.real[index], self.imaginary[index])


def power(spectra: Parts) -> Float32:
    """|S|^2."""
    return in_phase_product(spectra, spectra)


def in_phase_product(first: Parts, second: Parts) -> Float32:
    """Re(conj(A) B), broadcast."""
    product: Float32 = first.real * second.real
    product += first.imaginary * second.imaginary
    return product


def quadrature_product(first: Parts, second: Parts) -> Float32:
    """Im(conj(A) B), broadcast."""
    product: Float32 = first.real * second.imaginary
    product -= first.imaginary * second.real
    return product


def to_decibels(powers: Float32) -> None:
    """10 log10(max(1e-10, power)) in place."""
    np.maximum(powers, POWER_FLOOR, out=powers)
    np.log10(powers, out=powers)
    powers *= np.float32(10.0)


def clip_range(decibels: Float32, range_db: float) -> None:
    """Raise maps (maps, frames, bins) in place to `range_db` below their own maximum in the whole file."""
    np.maximum(decibels, decibels.max(axis=(1, 2), keepdims=True) - np.float32(range_db), out=decibels)
