"""Mel filterbanks with the numbers of librosa (Slaney's Auditory Toolbox), in float64."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgeseld.core.errors import ConfigError
from edgeseld.core.frames import SAMPLE_RATE_HZ

Float64 = NDArray[np.float64]
MelScale = Literal["slaney", "htk"]

# Slaney's scale: linear below 1 kHz, 27 steps for each factor of 6.4 above.
LINEAR_HZ_PER_MEL = 200.0 / 3.0
BREAK_HZ = 1000.0
BREAK_MEL = BREAK_HZ / LINEAR_HZ_PER_MEL
LOG_STEP = np.log(6.4) / 27.0


def mel_matrix(n_fft: int, mel_bands: int, scale: MelScale = "slaney") -> Float64:
    """Triangular weights (n_fft // 2 + 1, mel_bands) from 0 Hz to 12 kHz, each band of unit area in Hz.

    The numbers of `librosa.filters.mel(sr=24000, n_fft=n_fft, n_mels=mel_bands, htk=scale == "htk").T`. ConfigError
    where a band is so narrow that it holds no bin: its feature would be a constant.
    """
    bin_hz = np.arange(n_fft // 2 + 1) * (SAMPLE_RATE_HZ / n_fft)
    edges_hz = mel_edges_hz(mel_bands, scale)
    rise = (bin_hz[:, None] - edges_hz[:-2]) / np.diff(edges_hz)[:-1]
    fall = (edges_hz[2:] - bin_hz[:, None]) / np.diff(edges_hz)[1:]
    weights: Float64 = np.maximum(0.0, np.minimum(rise, fall)) * (2.0 / (edges_hz[2:] - edges_hz[:-2]))
    empty = int((weights.max(axis=0) == 0.0).sum())
    if empty:
        raise ConfigError(f"{empty} of {mel_bands} mel bands hold no bin of n_fft {n_fft}; use fewer bands")
    return weights


def mel_edges_hz(mel_bands: int, scale: MelScale = "slaney") -> Float64:
    """Corner frequencies (mel_bands + 2,); band b rises from edge b to b + 1 and falls to b + 2."""
    to_mel, to_hz = (_hz_to_slaney, _slaney_to_hz) if scale == "slaney" else (_hz_to_htk, _htk_to_hz)
    return to_hz(np.linspace(0.0, to_mel(SAMPLE_RATE_HZ / 2.0), mel_bands + 2))


def _hz_to_slaney(hz: ArrayLike) -> Float64:
    frequency = np.asarray(hz, dtype=np.float64)
    logarithmic = BREAK_MEL + np.log(np.maximum(frequency, BREAK_HZ) / BREAK_HZ) / LOG_STEP
    return np.where(frequency < BREAK_HZ, frequency / LINEAR_HZ_PER_MEL, logarithmic)


def _slaney_to_hz(mel: ArrayLike) -> Float64:
    value = np.asarray(mel, dtype=np.float64)
    return np.where(value < BREAK_MEL, value * LINEAR_HZ_PER_MEL, BREAK_HZ * np.exp(LOG_STEP * (value - BREAK_MEL)))


def _hz_to_htk(hz: ArrayLike) -> Float64:
    return 2595.0 * np.log10(1.0 + np.asarray(hz, dtype=np.float64) / 700.0)


def _htk_to_hz(mel: ArrayLike) -> Float64:
    return 700.0 * (10.0 ** (np.asarray(mel, dtype=np.float64) / 2595.0) - 1.0)
