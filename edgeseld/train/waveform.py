"""Augmentation of waveforms: gain, noise, clipping and pitch, the same for all channels, from a seed.

Reverberation has no place here: scenes lie in rooms, and another room is another scene.
"""

import random
import warnings
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import BackendMissingError
from edgeseld.core.frames import SAMPLE_RATE_HZ
from edgeseld.core.recipe import WaveformSpec

Float32 = NDArray[np.float32]


def distort(audio: Float32, spec: WaveformSpec, seed: int) -> Float32:
    """Audio (channels, samples) after the recipe's augmentations, each with its probability; lengths and labels stay.

    BackendMissingError where audiomentations is not installed and the recipe asks for any.
    """
    if spec == WaveformSpec():
        return audio
    chain = _chain(spec)
    # audiomentations draws from the global generators of both.
    random.seed(seed)
    np.random.seed(seed % 2**32)
    distorted: Float32 = chain(audio, sample_rate=SAMPLE_RATE_HZ)
    return np.clip(distorted, -1.0, 1.0)


@cache
def _chain(spec: WaveformSpec) -> Any:
    try:
        with warnings.catch_warnings():
            # Its sources have escapes that newer Pythons warn of.
            warnings.simplefilter("ignore")
            from audiomentations import AddGaussianSNR, ClippingDistortion, Compose, Gain, PitchShift
    except ModuleNotFoundError as error:
        raise BackendMissingError("augmenting waveforms", "train") from error
    low, high = spec.noise_snr_db
    return Compose(
        [
            PitchShift(-spec.pitch_semitones, spec.pitch_semitones, p=spec.pitch_share),
            Gain(-spec.gain_db, spec.gain_db, p=spec.gain_share),
            AddGaussianSNR(low, high, p=spec.noise_share),
            ClippingDistortion(0, spec.clipping_percentile, p=spec.clipping_share),
        ]
    )
