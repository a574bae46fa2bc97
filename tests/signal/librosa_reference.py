"""Reference features through librosa in float64, pass by pass as the DCASE baselines make them; slow and plain.

Independent of edgeseld: windows, spectra, mel weights and decibels are librosa's.
"""

from itertools import combinations
from typing import Any

import librosa
import numpy as np
from numpy.typing import NDArray

from edgeseld.signal.presets import FeaturePreset

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]


def librosa_features(audio: NDArray[Any], preset: FeaturePreset) -> Float:
    """Features (maps, frames, bins) of audio (channels, samples)."""
    spectra = stft(audio.astype(np.float64) + 1e-8, preset)
    if preset.spatial == "salsa-lite":
        return salsa_lite(spectra)
    mel = librosa.filters.mel(sr=24_000, n_fft=preset.n_fft, n_mels=preset.bins).T
    if preset.spatial == "level-phase":
        return level_phase(spectra, mel)
    maps = [log_mel(channel, mel, preset.dynamic_range_db) for channel in np.moveaxis(spectra, -1, 0)]
    if preset.spatial == "intensity":
        maps += intensity(spectra, mel)
    elif preset.spatial == "unit-intensity":
        maps += unit_intensity(spectra, mel)
    elif preset.spatial == "gcc-phat":
        maps += gcc_phat(spectra, preset.bins)
    return np.stack(maps)


def stft(audio: Float, preset: FeaturePreset) -> Complex:
    """Spectra (frames, bins, channels)."""
    frames = audio.shape[1] // preset.hop_samples
    channels = [
        librosa.stft(
            np.asfortranarray(channel),
            n_fft=preset.n_fft,
            hop_length=preset.hop_samples,
            win_length=preset.window_samples,
            window=preset.window,
        )[:, :frames]
        for channel in audio
    ]
    return np.array(channels).T


def log_mel(spectrum: Complex, mel: Float, top_db: float | None) -> Float:
    """Decibels (frames, bands) of one channel."""
    decibels: Float = librosa.power_to_db(np.dot(np.abs(spectrum) ** 2, mel), top_db=top_db)
    return decibels


def intensity(spectra: Complex, mel: Float) -> list[Float]:
    """Intensity over energy, then mel."""
    w, yzx = spectra[:, :, 0], spectra[:, :, 1:]
    vector = np.real(np.conj(w)[:, :, np.newaxis] * yzx)
    energy = 1e-8 + np.abs(w) ** 2 + (np.abs(yzx) ** 2).sum(-1) / 3.0
    normalised = vector / energy[:, :, np.newaxis]
    return list(np.moveaxis(np.dot(np.transpose(normalised, (0, 2, 1)), mel), 1, 0))


def unit_intensity(spectra: Complex, mel: Float) -> list[Float]:
    """Intensity at unit length, then mel."""
    vector = np.real(np.conj(spectra[:, :, :1]) * spectra[:, :, 1:])
    length = np.sqrt((vector**2).sum(-1, keepdims=True)) + np.finfo(np.float32).eps
    return [np.dot(axis, mel) for axis in np.moveaxis(vector / length, -1, 0)]


def gcc_phat(spectra: Complex, lags: int) -> list[Float]:
    """Correlation of every pair at the lags around zero."""
    maps = []
    for first, second in combinations(range(spectra.shape[-1]), 2):
        cross = np.conj(spectra[:, :, first]) * spectra[:, :, second]
        correlation = np.fft.irfft(np.exp(1.0j * np.angle(cross)))
        maps.append(np.concatenate((correlation[:, -lags // 2 :], correlation[:, : lags // 2]), axis=-1))
    return maps


def salsa_lite(spectra: Complex) -> Float:
    """Log power and path differences of bins 2 to 383."""
    bins = np.arange(513)
    bins[0] = 1
    phase = np.angle(spectra[:, :, 1:] * np.conj(spectra[:, :, :1]))
    phase = (phase / (2 * np.pi * 24_000 / (1024 * 343) * bins[:, np.newaxis]))[:, 2:384]
    phase[:, 85:] = 0
    decibels = librosa.power_to_db(np.abs(spectra) ** 2, top_db=None)[:, 2:384]
    return np.concatenate([np.moveaxis(decibels, -1, 0), np.moveaxis(phase, -1, 0)])


def level_phase(spectra: Complex, mel: Float) -> Float:
    """Left, right, mid, side; level difference; coherence."""
    left, right = spectra[:, :, 0], spectra[:, :, 1]
    signals = (left, right, (left + right) / 2, (left - right) / 2)
    cross = np.conj(left) * right
    loud = [np.dot(np.abs(signal) ** 2, mel) + 1e-10 for signal in signals[:2]]
    scale = np.sqrt(loud[0] * loud[1])
    spatial = [10 * np.log10(loud[0] / loud[1]), np.dot(cross.real, mel) / scale, np.dot(cross.imag, mel) / scale]
    return np.stack([log_mel(signal, mel, 80.0) for signal in signals] + spatial)
