"""Known sounds made strange: played at another speed, through a random filter.

A network is surer of sounds it was trained on than of others. Scenes of known sounds cannot teach a calibration by how
much; the same scenes as from a device and a source that nobody has heard can.
"""

from dataclasses import replace

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.signal import fftconvolve, firwin2

from edgeseld.core.errors import ConfigError
from edgeseld.core.frames import LABEL_FRAME_SAMPLES, SAMPLE_RATE_HZ
from edgeseld.metrics.labels import Labels, take

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

# A large third up and down, a child's voice for a woman's or a small dog for a large one; and half an octave.
# Activities fitted on the near ones alone stay too sure of new sources, on the far ones alone they become too unsure.
NEAR_SPEEDS = (0.8, 1.25)
FAR_SPEEDS = (0.7, 1.4)
# Standard deviation of the gains at the corners, which lie 1.1 kHz apart.
FILTER_DB = 8.0
FILTER_CORNERS = 12
FILTER_TAPS = 257


def estranged(audio: Float32, labels: Labels, speed: float, seed: int) -> tuple[Float32, Labels]:
    """A scene (channels, samples) at `speed`, pitch and tempo alike, through one random filter, and its labels.

    All channels share the filter, so directions stay. ConfigError for a speed that is not above 0.
    """
    if not speed > 0.0:
        raise ConfigError(f"a speed is above 0, 1 is as recorded, got {speed:g}")
    played = soxr.resample(audio.T, SAMPLE_RATE_HZ * speed, SAMPLE_RATE_HZ).T
    filtered = fftconvolve(played, random_filter(seed)[np.newaxis], mode="same", axes=1)
    frames = played.shape[1] // LABEL_FRAME_SAMPLES
    return np.ascontiguousarray(filtered, np.float32), at_speed(labels, speed, frames)


def random_filter(seed: int) -> Float64:
    """Linear-phase taps (257,) whose gains at twelve corners from 0 Hz to 12 kHz are normal in dB."""
    gains_db = np.random.default_rng(seed).normal(0.0, FILTER_DB, FILTER_CORNERS)
    taps: Float64 = firwin2(FILTER_TAPS, np.linspace(0.0, 1.0, FILTER_CORNERS), 10.0 ** (gains_db / 20.0))
    return taps


def at_speed(labels: Labels, speed: float, frames: int) -> Labels:
    """Labels of a scene of so many frames once it is played at `speed`: frame t is what frame floor(t speed) was."""
    before = np.floor(np.arange(frames) * speed).astype(np.int64)
    order = np.argsort(labels.frame, kind="stable")
    first, end = (np.searchsorted(labels.frame[order], before, side) for side in ("left", "right"))
    rows = [order[start:stop] for start, stop in zip(first, end, strict=True)]
    played = take(labels, np.concatenate([np.empty(0, np.int64), *rows]))
    return replace(played, frame=np.repeat(np.arange(frames), end - first))
