"""Mel filterbanks: corner frequencies by hand, unit areas, librosa's numbers."""

from pathlib import Path

import numpy as np
import pytest

from edgeseld.core.errors import ConfigError
from edgeseld.signal.mel import MelScale, mel_edges_hz, mel_matrix


def test_slaney_edges_are_linear_below_1_khz_and_end_at_12_khz() -> None:
    edges = mel_edges_hz(13)
    step = (15 + 27 * np.log(12) / np.log(6.4)) / 14
    assert edges[:5] == pytest.approx(np.arange(5) * step * 200 / 3)
    assert edges[-1] == pytest.approx(12_000)


def test_htk_edges_by_hand() -> None:
    top_mel = 2595 * np.log10(1 + 12_000 / 700)
    assert mel_edges_hz(1, "htk") == pytest.approx([0, 700 * (10 ** (top_mel / 2 / 2595) - 1), 12_000])


def test_every_band_has_unit_area() -> None:
    assert mel_matrix(16_384, 64).sum(axis=0) * 24_000 / 16_384 == pytest.approx(np.ones(64), rel=1e-3)


def test_bands_that_hold_no_bin_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"of 256 mel bands hold no bin of n_fft 512; use fewer bands"):
        mel_matrix(512, 256)


@pytest.mark.parametrize(("n_fft", "bands", "scale"), [(1024, 64, "slaney"), (512, 128, "slaney"), (1024, 64, "htk")])
def test_against_librosa(n_fft: int, bands: int, scale: MelScale) -> None:
    librosa = pytest.importorskip("librosa")
    expected = librosa.filters.mel(sr=24_000, n_fft=n_fft, n_mels=bands, htk=scale == "htk", dtype=np.float64).T
    assert mel_matrix(n_fft, bands, scale) == pytest.approx(expected, abs=1e-15)


def test_against_the_official_matrix(shared: Path) -> None:
    official = np.load(next((shared / "official/features").glob("foa*.npz")))["mel_weights_513x64"]
    assert mel_matrix(1024, 64) == pytest.approx(official, abs=1e-8)
