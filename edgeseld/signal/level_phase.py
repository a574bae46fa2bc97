"""Stereo features: mel power of left, right, mid and side, level difference, coherence."""

import numpy as np
from numpy.typing import NDArray

from edgeseld.signal.banded_mel import weight_mel
from edgeseld.signal.presets import FeaturePreset
from edgeseld.signal.spectral_power import POWER_FLOOR, Parts, in_phase_product, power, quadrature_product

Float32 = NDArray[np.float32]
Complex128 = NDArray[np.complex128]


def level_phase_maps(spectra: Complex128, preset: FeaturePreset, out: Float32) -> None:
    """Left and right spectra (2, frames, bins) to `out` (7, frames, mel_bands).

    Mel power of left, right, mid (L + R) / 2 and side (L - R) / 2; 10 log10 of left over right power, in dB; real and
    imaginary part of the mel-weighted coherence conj(L) R / sqrt(|L|^2 |R|^2), positive imaginary where left lags.
    """
    left, right = spectra
    signals = Parts.of(np.stack([left, right, 0.5 * (left + right), 0.5 * (left - right)]))
    pair = signals.channels(0), signals.channels(1)
    weight_mel(power(signals), preset.n_fft, out[:4])
    weight_mel(np.stack([in_phase_product(*pair), quadrature_product(*pair)]), preset.n_fft, out[5:])
    floored = out[:2] + POWER_FLOOR
    out[4] = np.float32(10.0) * np.log10(floored[0] / floored[1])
    out[5:] /= np.sqrt(floored[0] * floored[1])
