"""Stereo views of FOA scenes and their labels, as DCASE 2025 made its stereo data set from STARSS23."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgeseld.core.geometry import Float64, wrap_azimuth_deg
from edgeseld.signal.ambisonics import foa_to_stereo, rotate_foa

Float32 = NDArray[np.float32]


def stereo_view(audio: Float32, view_deg: float = 0.0) -> Float32:
    """Left and right (2, samples) of FOA audio (4, samples) for a camera that looks at azimuth `view_deg`.

    The field is turned until the camera looks ahead, then heard by two cardioids that point left and right.
    """
    return foa_to_stereo(rotate_foa(audio, -view_deg))


def stereo_azimuth_deg(azimuth_deg: ArrayLike, view_deg: float = 0.0) -> Float64:
    """Label azimuth in that view, in [-90, 90]: what lies behind is folded to the front, as a stereo pair hears it.

    >>> stereo_azimuth_deg([100, -170, 30], 0).tolist()
    [80.0, -10.0, 30.0]
    """
    azimuth = wrap_azimuth_deg(np.asarray(azimuth_deg, np.float64) - view_deg)
    folded: Float64 = np.where(np.abs(azimuth) > 90.0, np.copysign(180.0, azimuth) - azimuth, azimuth)
    return folded
