"""SALSA-lite (Nguyen et al. 2022) as the DCASE baselines compute it: log power and normalised phases per bin."""

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.frames import SAMPLE_RATE_HZ
from edgeseld.signal.presets import FeaturePreset
from edgeseld.signal.spectral_power import Parts, power

Float32 = NDArray[np.float32]
Complex128 = NDArray[np.complex128]

SPEED_OF_SOUND_M_S = 343.0
FIRST_BIN_HZ = 50
ALIASING_HZ = 2_000


def salsa_lite_maps(spectra: Complex128, preset: FeaturePreset, out: Float32) -> None:
    """Power and phases of spectra (4, frames, bins) to `out` (7, frames, 382): bins 2 to 383, 47 Hz to 9 kHz.

    The phases angle(S_m conj(S_0)) / (2 pi f / c) of microphones 1 to 3 are path differences in metres, zero above the
    aliasing frequency. The baselines count that limit, bin 85, from the second bin on; so do we.
    """
    first, clear = first_bin(preset.n_fft), clear_bins(preset.n_fft)
    kept = spectra[:, :, first : first + preset.bins]
    out[:4] = power(Parts.of(kept))
    cross = kept[1:, :, :clear] * np.conj(kept[0, :, :clear])
    # Contiguous parts take half the time of np.angle.
    phases = np.arctan2(cross.imag.copy(), cross.real.copy())
    out[4:, :, :clear] = phases / (radians_per_metre(preset.n_fft) * np.arange(first, first + clear))
    out[4:, :, clear:] = 0.0


def first_bin(n_fft: int) -> int:
    """Number of the first kept bin."""
    return FIRST_BIN_HZ * n_fft // SAMPLE_RATE_HZ


def clear_bins(n_fft: int) -> int:
    """How many of the kept bins have phases."""
    return ALIASING_HZ * n_fft // SAMPLE_RATE_HZ


def radians_per_metre(n_fft: int) -> float:
    """Phase of a metre's path in bin 1."""
    return 2.0 * np.pi * SAMPLE_RATE_HZ / (n_fft * SPEED_OF_SOUND_M_S)
