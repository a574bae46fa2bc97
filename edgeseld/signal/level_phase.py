"""Stereo features: mel power of left, right, mid and side, level difference, coherence."""

import numpy as np
from numpy.typing import NDArray

from edgeseld.signal.banded_mel import weight_mel
from edgeseld.signal.presets import FeaturePreset
from edgeseld.signal.spectral_power import POWER_FLOOR, power, real_product

Float32 = NDArray[np.float32]
Complex128 = NDArray[np.complex128]


def level_phase_maps(spectra: Complex128, preset: FeaturePreset, out: Float32) -> None:
    """Left and right spectra (2, frames, bins) to `out` (7, frames, mel_bands).

    Mel power of left, right, mid (L + R) / 2 and side (L - R) / 2; 10 log10 of left over right power, in dB; real and
    imaginary part of the mel-weighted coherence conj(L) R / sqrt(|L|^2 |R|^2), positive imaginary where left lags.
    """
    left, right = spectra.astype(np.complex64)
    half = np.float32(0.5)
    powers = power(np.stack([left, right, half * (left + right), half * (left - right)]))
    cross = np.stack([real_product(left, right), real_product(np.complex64(1j) * left, right)])
    weight_mel(powers, preset.n_fft, out[:4])
    weight_mel(cross, preset.n_fft, out[5:])
    floored = out[:2] + POWER_FLOOR
    out[4] = np.float32(10.0) * np.log10(floored[0] / floored[1])
    out[5:] /= np.sqrt(floored[0] * floored[1])
