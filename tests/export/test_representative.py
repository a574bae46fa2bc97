"""What static int8 learns its ranges on."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from edgeseld.core.errors import ExportError
from edgeseld.core.spec import CHANNELS, ChannelFormat, SignalSpec
from edgeseld.export.representative import builtin_windows, recorded_windows

SIGNAL = SignalSpec(window_frames=6)
SAMPLES = SIGNAL.context_samples + SIGNAL.window_pcm_samples


@pytest.mark.parametrize("channel_format", CHANNELS)
def test_made_windows_have_the_format_of_the_model_and_fit_full_scale(channel_format: ChannelFormat) -> None:
    signal = SignalSpec(window_frames=6, channel_format=channel_format, spatial="none")
    windows = builtin_windows(signal, 8)
    assert windows.shape == (8, signal.channels, SAMPLES)
    assert windows.dtype == np.float32
    assert np.abs(windows).max() <= 1.0


def test_made_windows_are_the_same_every_time_and_cover_levels_from_a_whisper_to_full_scale() -> None:
    windows = builtin_windows(SIGNAL, 16)
    np.testing.assert_array_equal(windows, builtin_windows(SIGNAL, 16))
    peaks = np.sort(np.abs(windows).max(axis=(1, 2)))
    assert peaks[-1] > 0.99
    assert peaks[1] < 0.05
    assert len(np.unique(peaks)) > 12


def record(path: Path, rate_hz: int, seconds: float = 1.0, peak: float = 0.5) -> None:
    noise = np.random.default_rng(0).uniform(-peak, peak, (int(rate_hz * seconds), 4))
    soundfile.write(path, noise, rate_hz)


def test_recordings_are_brought_to_many_levels(tmp_path: Path) -> None:
    for number in range(3):
        record(tmp_path / f"{number}.wav", 24_000)
    windows = recorded_windows(tmp_path, SIGNAL, 6)
    assert windows.shape == (6, 4, SAMPLES)
    peaks = np.abs(windows).max(axis=(1, 2))
    assert (np.diff(peaks) > 0).all()
    assert peaks[-1] == pytest.approx(1.0, abs=1e-6)
    assert peaks[0] < 0.03


def test_recordings_of_another_rate_are_refused(tmp_path: Path) -> None:
    record(tmp_path / "a.wav", 48_000)
    with pytest.raises(ExportError, match=r"must have 24000 Hz, .*a.wav has 48000"):
        recorded_windows(tmp_path, SIGNAL, 4)


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="holds none"):
        recorded_windows(tmp_path, SIGNAL, 4)
