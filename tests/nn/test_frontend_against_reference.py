"""The frontend inside the graph hears what the reference features of the DCASE 2023 baseline hear.

Both use Hann 960 in 1024 samples every 480, and the same mel weights and intensity. They differ in two documented ways:
the graph is causal, so that its frame t ends with sample (t + 1) x 480 where the reference's is centred on t x 480 and
ends with t x 480 + 512: audio delayed by 32 samples makes them the same stretch. And the baseline adds 1e-8 to samples.
"""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray

from edgeseld.core.spec import SignalSpec
from edgeseld.nn.frontend import POWER_FLOOR, Frontend
from edgeseld.signal import stft
from edgeseld.signal.intensity import intensity_maps
from edgeseld.signal.presets import PRESETS
from edgeseld.signal.window import analysis_window
from tests.nn.test_frontend import HOPS, sounds

Float32 = NDArray[np.float32]

SIGNAL = SignalSpec(spatial="intensity")
PRESET = PRESETS["dcase2023-foa"]
DELAY_SAMPLES = PRESET.n_fft // 2 - SIGNAL.hop_samples
LEVELS_DBFS = [0, -30, -60, -90]


@pytest.fixture(autouse=True)
def no_sample_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stft, "SAMPLE_OFFSET", 0.0)


def reference(audio: Float32) -> Float32:
    """Mel power W, Y, Z, X and intensity Y, Z, X (7, hops, bands) of the preset, before decibels and clip."""
    delayed = np.pad(audio, ((0, 0), (DELAY_SAMPLES, 0)))
    maps = np.empty((PRESET.maps, delayed.shape[1] // PRESET.hop_samples, PRESET.bins), np.float32)
    window = analysis_window(PRESET.window, PRESET.window_samples, PRESET.n_fft)
    for frames, spectra in stft.centred_spectra(delayed, window, PRESET.hop_samples):
        intensity_maps(spectra, PRESET, maps[:, frames])
    return maps


def in_graph(audio: Float32) -> Float32:
    """The same from the torch frontend, silence before the audio."""
    pcm = torch.from_numpy(np.pad(audio, ((0, 0), (SIGNAL.context_samples, 0))))
    power, (intensity,) = Frontend(SIGNAL).cues(pcm[None])
    return np.concatenate([power[0].numpy() * np.float32(POWER_FLOOR), intensity[0].numpy()])


def errors(audio: Float32) -> tuple[Float32, Float32]:
    """Of mel power relative to the frame's peak, and of intensity where the mel power is above -60 dB of it."""
    expected, given = reference(audio), in_graph(audio)
    assert given.shape == expected.shape == (7, audio.shape[1] // SIGNAL.hop_samples, 64)
    peak = expected[:4].max(axis=(0, 2), keepdims=True)
    audible = expected[:1] > 1e-6 * peak
    return np.abs(given - expected)[:4] / np.maximum(peak, 1e-30), np.abs(given - expected)[4:] * audible


@pytest.mark.parametrize("level_dbfs", LEVELS_DBFS)
@pytest.mark.parametrize("sound", ["tone", "noise", "speech", "silence"])
def test_made_sounds_at_every_level(sound: str, level_dbfs: int) -> None:
    audio = (sounds(4, HOPS * SIGNAL.hop_samples)[sound] * 10 ** (level_dbfs / 20)).astype(np.float32)
    power, intensity = errors(audio)
    assert power.max() <= 1e-6
    assert intensity.max() <= 1e-5


@pytest.mark.parametrize("level_dbfs", LEVELS_DBFS)
@pytest.mark.parametrize("recording", ["starss23_clip", "jsambisonics_eigenmike_rec1"])
def test_ambisonic_recordings(shared: Path, recording: str, level_dbfs: int) -> None:
    samples, _ = soundfile.read(shared / f"real_foa/{recording}_foa.flac", dtype="float32", frames=48_000)
    audio = np.ascontiguousarray(samples.T) / np.abs(samples).max() * np.float32(10 ** (level_dbfs / 20))
    power, intensity = errors(audio)
    # The graph is within 8e-7 of float64 on all recordings, the reference, which ends in float32 too, within 3e-7.
    assert power.max() <= 1.1e-6
    # Between the partials of real sounds any float32 transform errs by a little more in single places.
    assert np.quantile(intensity, 0.999) <= 1e-5
    assert intensity.max() <= 4e-5


def test_without_the_delay_they_hear_different_stretches() -> None:
    audio = sounds(4, HOPS * SIGNAL.hop_samples)["noise"].astype(np.float32)
    late = np.pad(audio, ((0, 0), (1, 0)))[:, : audio.shape[1]]
    assert np.abs(reference(late) - in_graph(audio))[:4].max() > 1e-3 * reference(audio)[:4].max()
