"""Products of spectra as real arrays, and decibels with the DCASE baselines' floor and clip."""

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Complex64 = NDArray[np.complex64]
Complex128 = NDArray[np.complex128]

POWER_FLOOR = np.float32(1e-10)


def power(spectra: Complex64) -> Float32:
    """|S|^2 of spectra (..., bins)."""
    return real_product(spectra, spectra)


def real_product(first: Complex64, second: Complex64) -> Float32:
    """Re(conj(A) B) of contiguous spectra (..., bins), broadcast; half the work of a complex product."""
    products = first.view(np.float32) * second.view(np.float32)
    summed: Float32 = np.add(products[..., 0::2], products[..., 1::2])
    return summed


def to_decibels(powers: Float32) -> None:
    """10 log10(max(1e-10, power)) in place."""
    np.maximum(powers, POWER_FLOOR, out=powers)
    np.log10(powers, out=powers)
    powers *= np.float32(10.0)


def clip_range(decibels: Float32, range_db: float) -> None:
    """Raise maps (maps, frames, bins) in place to `range_db` below their own maximum in the whole file."""
    np.maximum(decibels, decibels.max(axis=(1, 2), keepdims=True) - np.float32(range_db), out=decibels)
