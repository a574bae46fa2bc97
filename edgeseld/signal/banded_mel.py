"""Mel weighting of spectra, fast: the triangles touch few bins, so narrow slices of the matrix do."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from edgeseld.signal.mel import mel_matrix

Float32 = NDArray[np.float32]

BANDS_PER_SLICE = 16


@dataclass(frozen=True, slots=True)
class MelSlice:
    """Neighbouring bands with the bins they touch: weights (bins, bands)."""

    bands: slice
    bins: slice
    weights: Float32


@cache
def mel_slices(n_fft: int, mel_bands: int) -> tuple[MelSlice, ...]:
    """The non-zero part of `mel_matrix(n_fft, mel_bands)`, sixteen bands at a time."""
    matrix = mel_matrix(n_fft, mel_bands).astype(np.float32)
    slices = []
    for first in range(0, mel_bands, BANDS_PER_SLICE):
        bands = slice(first, min(first + BANDS_PER_SLICE, mel_bands))
        touched = np.flatnonzero(matrix[:, bands].any(axis=1))
        bins = slice(int(touched[0]), int(touched[-1]) + 1)
        slices.append(MelSlice(bands, bins, np.ascontiguousarray(matrix[bins, bands])))
    return tuple(slices)


def weight_mel(maps: Float32, n_fft: int, out: Float32) -> None:
    """Write the mel bands of maps (maps, frames, n_fft // 2 + 1) to `out` (maps, frames, mel_bands)."""
    for part in mel_slices(n_fft, out.shape[2]):
        np.matmul(maps[:, :, part.bins], part.weights, out=out[:, :, part.bands])
