"""Reference features: what the published systems and the DCASE baselines feed their networks, in numpy."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import AudioFormatError
from edgeseld.signal.banded_mel import weight_mel
from edgeseld.signal.gcc_phat import gcc_phat_maps
from edgeseld.signal.intensity import intensity_maps
from edgeseld.signal.level_phase import level_phase_maps
from edgeseld.signal.presets import FeaturePreset, SpatialCue
from edgeseld.signal.salsa_lite import salsa_lite_maps
from edgeseld.signal.spectral_power import Parts, clip_range, power, to_decibels
from edgeseld.signal.stft import centred_spectra
from edgeseld.signal.window import analysis_window

Float32 = NDArray[np.float32]
Complex128 = NDArray[np.complex128]


def mel_power_maps(spectra: Complex128, preset: FeaturePreset, out: Float32) -> None:
    """Mel power of spectra (channels, frames, bins) to `out` (channels, frames, mel_bands)."""
    weight_mel(power(Parts.of(spectra)), preset.n_fft, out)


MAPS: dict[SpatialCue, Callable[[Complex128, FeaturePreset, Float32], None]] = {
    "intensity": intensity_maps,
    "unit-intensity": intensity_maps,
    "gcc-phat": gcc_phat_maps,
    "salsa-lite": salsa_lite_maps,
    "level-phase": level_phase_maps,
    "none": mel_power_maps,
}
# Mid and side of a stereo pair are log maps too.
LOG_MAPS: dict[str, int] = {"foa": 4, "mic": 4, "stereo": 4, "mono": 1}


def reference_features(audio: Float32, preset: FeaturePreset) -> Float32:
    """Features (maps, samples // hop_samples, bins) of 24 kHz audio (channels, samples) with full scale 1.

    Log maps come first, in dB. They depend on the whole file where the preset clips them to a range below its maximum,
    as the official programs do. AudioFormatError for a wrong channel count or audio shorter than a hop.
    """
    check_audio(audio, preset)
    features = np.empty((preset.maps, audio.shape[1] // preset.hop_samples, preset.bins), np.float32)
    window = analysis_window(preset.window, preset.window_samples, preset.n_fft)
    log_maps = features[: LOG_MAPS[preset.channel_format]]
    for frames, spectra in centred_spectra(audio, window, preset.hop_samples):
        MAPS[preset.spatial](spectra, preset, features[:, frames])
        to_decibels(log_maps[:, frames])
    if preset.dynamic_range_db is not None:
        clip_range(log_maps, preset.dynamic_range_db)
    return features


def check_audio(audio: Float32, preset: FeaturePreset) -> None:
    """AudioFormatError for a wrong channel count or audio shorter than a hop."""
    if audio.ndim != 2 or audio.shape[0] != preset.channels:
        raise AudioFormatError(
            f"these features need {preset.channel_format} audio ({preset.channels}, samples), got {audio.shape}; "
            "choose a preset of the audio's format"
        )
    if audio.shape[1] < preset.hop_samples:
        raise AudioFormatError(
            f"features need at least one hop of {preset.hop_samples} samples, got {audio.shape[1]}; record for longer"
        )
