"""Made FOA scenes as each channel format hears them."""

import numpy as np

from edgeseld.core.prediction import Float32
from edgeseld.core.spec import ChannelFormat
from edgeseld.signal.ambisonics import foa_gains, foa_to_stereo


def in_format(foa: Float32, channel_format: ChannelFormat) -> Float32:
    """FOA (4, samples) in a format; the tetrahedral array as four cardioids."""
    if channel_format == "foa":
        return foa
    if channel_format == "mono":
        return foa[:1]
    if channel_format == "stereo":
        return foa_to_stereo(foa)
    capsules = foa_gains([45.0, -45.0, 135.0, -135.0], [35.0, -35.0, -35.0, 35.0])
    return (0.5 * capsules @ foa).astype(np.float32)
