"""The in-graph frontend against an independent float64 transform, at every level and for every kind of sound."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray

from edgeseld.core.spec import SignalSpec
from edgeseld.nn.frontend import POWER_FLOOR, Frontend, feature_channels
from edgeseld.signal.mel import mel_matrix
from edgeseld.signal.window import analysis_window

Float64 = NDArray[np.float64]
HOPS = 20

STUDENT = SignalSpec(n_fft=768, window_samples=768)
SMALL = SignalSpec(n_fft=512, window="tapered", window_samples=512)
BASELINE = SignalSpec(spatial="intensity")
MICROPHONES = SignalSpec(channel_format="mic", spatial="band-phase")
STEREO = SignalSpec(channel_format="stereo", spatial="band-phase")
MONO = SignalSpec(channel_format="mono", spatial="none")
SIGNALS = [STUDENT, SMALL, BASELINE, MICROPHONES, STEREO, MONO]


def sounds(channels: int, samples: int) -> dict[str, Float64]:
    """Tone, noise, speech-like harmonics and silence, peak 1, channels at different gains and delays."""
    generator = np.random.default_rng(1)
    time_s = np.arange(samples + 8) / 24_000
    harmonics = sum(np.sin(2 * np.pi * 140 * k * time_s + k) / k for k in range(1, 40))
    mono = {
        "tone": np.sin(2 * np.pi * 1000 * time_s),
        "noise": generator.uniform(-1, 1, samples + 8),
        "speech": harmonics * (1 + np.sin(2 * np.pi * 4 * time_s)) + generator.normal(0, 1e-3, samples + 8),
        "silence": np.zeros(samples + 8),
    }
    gains = np.linspace(1.0, -0.4, channels)
    out = {}
    for name, wave in mono.items():
        audio = np.stack([gain * wave[shift : shift + samples] for shift, gain in enumerate(gains)])
        out[name] = audio / max(np.abs(audio).max(), 1.0)
    return out


def reference(pcm: Float64, signal: SignalSpec) -> tuple[Float64, Float64]:
    """Mel power (channels, hops, bands) and spatial maps, straight from the definition in float64."""
    window = analysis_window(signal.window, signal.window_samples, signal.n_fft)
    frames = np.stack([pcm[:, t * signal.hop_samples :][:, : signal.n_fft] for t in range(HOPS)], axis=1)
    spectrum = np.fft.rfft(frames * window)
    mel = mel_matrix(signal.n_fft, signal.mel_bands)
    power = np.abs(spectrum) ** 2
    banded = power @ mel
    if signal.spatial == "none":
        return banded, banded[:0]
    if signal.spatial == "band-phase":
        pairs = [(i, j) for i in range(len(pcm)) for j in range(i + 1, len(pcm))]
        cross = np.stack([(np.conj(spectrum[i]) * spectrum[j]) @ mel for i, j in pairs])
        scale = np.sqrt(np.stack([banded[i] * banded[j] for i, j in pairs]) + POWER_FLOOR**2)
        return banded, np.concatenate([cross.real / scale, cross.imag / scale])
    cross = np.real(np.conj(spectrum[:1]) * spectrum[1:])
    if signal.spatial == "intensity":
        return banded, (cross / (POWER_FLOOR + power[0] + power[1:].sum(axis=0) / 3)) @ mel
    return banded, (cross @ mel) / (POWER_FLOOR + banded[0] + banded[1:].sum(axis=0) / 3)


@pytest.mark.parametrize("level_dbfs", [0, -30, -60, -90])
@pytest.mark.parametrize("signal", SIGNALS, ids=lambda s: f"{s.channel_format}-{s.spatial}-{s.n_fft}")
def test_against_float64_at_every_level(signal: SignalSpec, level_dbfs: int) -> None:
    frontend = Frontend(signal)
    for name, audio in sounds(signal.channels, signal.context_samples + HOPS * signal.hop_samples).items():
        pcm = (audio * 10 ** (level_dbfs / 20)).astype(np.float32)
        ours, cues = frontend.cues(torch.from_numpy(pcm)[None])
        power, spatial = reference(pcm.astype(np.float64), signal)
        peak = power.max(axis=(0, 2), keepdims=True)
        assert (np.abs(ours[0].numpy() * POWER_FLOOR - power) <= 1e-6 * peak).all(), name
        if cues:
            audible = (power.min(axis=0) if signal.spatial == "band-phase" else power[0]) > 1e-6 * peak[0]
            error = np.abs(torch.cat(cues, dim=1)[0].numpy() - spatial) * audible
            assert error.max(initial=0.0) <= 1e-5, name


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda s: f"{s.channel_format}-{s.spatial}-{s.n_fft}")
def test_shape_and_silence(signal: SignalSpec) -> None:
    pcm = torch.zeros(2, signal.channels, signal.context_samples + HOPS * signal.hop_samples)
    features = Frontend(signal).features(pcm)
    assert features.shape == (2, feature_channels(signal), HOPS, signal.mel_bands)
    assert not features.any()


@pytest.mark.parametrize("signal", [STUDENT, SMALL, BASELINE], ids=lambda s: s.window)
def test_a_click_is_never_lost_between_frames(signal: SignalSpec) -> None:
    """The loudest frame of a click at its worst position is at most 10 dB below that at its best."""
    frontend = Frontend(signal)
    levels = []
    for position in range(0, signal.hop_samples, 30):
        pcm = torch.zeros(1, 4, signal.context_samples + 6 * signal.hop_samples)
        pcm[:, 0, 3 * signal.hop_samples + position] = 1.0
        levels.append(frontend.cues(pcm)[0][0, 0].sum(dim=1).max().log10().item() * 10)
    assert max(levels) - min(levels) <= 10.0


def test_a_frame_hears_nothing_that_comes_after_it() -> None:
    frontend = Frontend(STUDENT)
    pcm = torch.randn(1, 4, STUDENT.context_samples + HOPS * STUDENT.hop_samples)
    later = pcm.clone()
    later[:, :, STUDENT.context_samples + 10 * STUDENT.hop_samples :] = 0.0
    assert torch.equal(frontend.features(pcm)[:, :, :10], frontend.features(later)[:, :, :10])


def test_a_plane_wave_points_to_its_direction() -> None:
    wave = torch.randn(STUDENT.context_samples + HOPS * STUDENT.hop_samples) * 0.1
    gains = torch.tensor([1.0, 0.6, 0.0, 0.8])
    intensity = Frontend(STUDENT).features(gains[None, :, None] * wave)[0, 4:]
    # |W|^2 + (|Y|^2 + |Z|^2 + |X|^2) / 3 of a unit plane wave is 4/3.
    torch.testing.assert_close(intensity.mean(dim=(1, 2)), 0.75 * gains[1:], atol=1e-4, rtol=0)


def test_standardisation_uses_the_stored_statistics() -> None:
    frontend = Frontend(MONO)
    frontend.mean.fill_(2.0)
    frontend.inverse_std.fill_(0.5)
    assert torch.equal(frontend.standardise(torch.full((1, 1, 3, 64), 6.0)), torch.full((1, 1, 3, 64), 2.0))


@pytest.mark.parametrize("signal", [STUDENT, SMALL, BASELINE], ids=lambda s: f"{s.spatial}-{s.n_fft}")
def test_real_speech_is_as_exact_as_float32_allows(signal: SignalSpec, shared: Path) -> None:
    """Between the harmonics of real speech even torch's own float32 FFT errs by more than 1e-5 in places."""
    samples = signal.context_samples + HOPS * signal.hop_samples
    for path in sorted((shared / "sounds" / "female_speech").glob("*.flac"))[:8]:
        mono, _ = soundfile.read(path, dtype="float32")
        mono = np.resize(mono, samples + 2400)
        pcm = np.outer([1.0, 0.6, -0.3, 0.74], mono[2400 : 2400 + samples]).astype(np.float32)
        power, spatial = reference(pcm.astype(np.float64), signal)
        ours, cues = Frontend(signal).cues(torch.from_numpy(pcm)[None])
        peak = power.max(axis=(0, 2), keepdims=True)
        assert (np.abs(ours[0].numpy() * POWER_FLOOR - power) <= 1e-6 * peak).all()
        error = np.abs(cues[0][0].numpy() - spatial) * (power[0] > 1e-6 * peak[0])
        assert np.quantile(error, 0.999) <= 1e-5
        assert error.max() <= 4e-5
