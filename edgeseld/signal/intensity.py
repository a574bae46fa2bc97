"""FOA features: mel power of W, Y, Z, X and the intensity vector Y, Z, X."""

import numpy as np
from numpy.typing import NDArray

from edgeseld.signal.banded_mel import weight_mel
from edgeseld.signal.presets import FeaturePreset
from edgeseld.signal.spectral_power import Parts, in_phase_product, power

Float32 = NDArray[np.float32]
Complex128 = NDArray[np.complex128]

ENERGY_FLOOR = np.float32(1e-8)
# Berghi's extractor (from EINV2) adds float32's epsilon to the length of the vector.
LENGTH_FLOOR = np.float32(2.0**-23)


def intensity_maps(spectra: Complex128, preset: FeaturePreset, out: Float32) -> None:
    """Mel power and intensity of spectra (4, frames, bins) to `out` (7, frames, mel_bands).

    "intensity": mel-weighted Re(conj(W) [Y, Z, X]) / (1e-8 + |W|^2 + (|Y|^2 + |Z|^2 + |X|^2) / 3), as DCASE 2023;
    "unit-intensity": each bin's vector at unit length before the mel weighting (Cao et al. 2021, EINV2).
    """
    parts = Parts.of(spectra)
    powers = power(parts)
    vectors = in_phase_product(parts.channels(0), parts.channels(slice(1, 4)))
    vectors /= _energy(powers) if preset.spatial == "intensity" else _length(vectors)
    weight_mel(powers, preset.n_fft, out[:4])
    weight_mel(vectors, preset.n_fft, out[4:])


def _energy(powers: Float32) -> Float32:
    """Energy density of the sound field (frames, bins), SN3D."""
    energy: Float32 = powers[1] + powers[2]
    energy += powers[3]
    energy *= np.float32(1.0 / 3.0)
    energy += powers[0]
    energy += ENERGY_FLOOR
    return energy


def _length(vectors: Float32) -> Float32:
    length: Float32 = np.sqrt((vectors * vectors).sum(axis=0))
    length += LENGTH_FLOOR
    return length
