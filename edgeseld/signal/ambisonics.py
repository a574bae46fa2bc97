"""First-order ambisonics: channels W, Y, Z, X (ACN order), SN3D, azimuth counter-clockwise, elevation up."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgeseld.core.errors import AudioFormatError
from edgeseld.core.geometry import Float64, unit_vector


def foa_gains(azimuth_deg: ArrayLike, elevation_deg: ArrayLike) -> Float64:
    """Gains (..., 4) of a plane wave from each direction: W = 1, then Y, Z, X, the unit vector's own components.

    >>> foa_gains(90, 0).round(6).tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    return vector_foa_gains(unit_vector(azimuth_deg, elevation_deg))


def vector_foa_gains(vectors: ArrayLike) -> Float64:
    """Gains (..., 4) of plane waves from unit vectors (..., 3) in the order x, y, z."""
    x, y, z = np.moveaxis(np.asarray(vectors, dtype=np.float64), -1, 0)
    return np.stack([np.ones_like(x), y, z, x], axis=-1)


def rotate_foa(audio: NDArray[np.float32], azimuth_deg: float) -> NDArray[np.float32]:
    """Turn the sound field (4, samples) counter-clockwise by an angle: a source at azimuth a is heard at a + angle."""
    if audio.ndim != 2 or audio.shape[0] != 4:
        raise AudioFormatError(f"rotation needs FOA audio (4, samples), got {audio.shape}: convert the format first")
    cosine, sine = np.float32(np.cos(np.radians(azimuth_deg))), np.float32(np.sin(np.radians(azimuth_deg)))
    w, y, z, x = audio
    return np.stack([w, cosine * y + sine * x, z, cosine * x - sine * y])


def foa_to_stereo(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Left and right (2, samples) of FOA audio (4, samples): the mid-side pair W + Y, W - Y of DCASE 2025, halved.

    The halves are cardioids that look left and right and stay inside [-1, 1] for a plane wave of full scale.
    """
    if audio.ndim != 2 or audio.shape[0] != 4:
        raise AudioFormatError(f"stereo is made from FOA audio (4, samples), got {audio.shape}: convert it first")
    w, y = audio[0], audio[1]
    return np.stack([w + y, w - y]) * np.float32(0.5)
