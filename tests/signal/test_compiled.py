"""Compiled features: the numpy path's numbers, the official programs', librosa's; the spectra bit by bit."""

import platform
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeseld.core.errors import AudioFormatError, BackendMissingError
from edgeseld.signal.audio import read_audio
from edgeseld.signal.features import reference_features
from edgeseld.signal.presets import PRESETS
from edgeseld.signal.stft import centred_spectra
from edgeseld.signal.window import WindowKind, analysis_window
from tests.signal.test_features import EMPTY_BINS, GOLDEN, hard_cases, noise, of_official_programs, official

numba = pytest.importorskip("numba")

from edgeseld.signal.compiled import BLOCK_MAPS, compiled_features  # noqa: E402
from edgeseld.signal.lane_transform import LANES, Workspace, lane_spectra, unit_circle  # noqa: E402

Float32 = NDArray[np.float32]
COMPILED = [name for name, preset in PRESETS.items() if preset.spatial in BLOCK_MAPS and preset.n_fft == 1024]
# Where the compiler may fuse products and sums, rounding differs from numpy's.
SAME_BITS = platform.machine() in ("x86_64", "AMD64")


def assert_close(features: Float32, expected: NDArray[np.floating]) -> None:
    assert features.shape == expected.shape
    assert features.dtype == np.float32
    assert np.abs(features - expected)[:4].max() < 2e-5
    assert np.abs(features - expected)[4:].max(initial=0) < 1e-6


def test_the_published_baselines_are_compiled() -> None:
    assert COMPILED == ["dcase2023-foa", "dcase2023-mic", "salsa-lite", "hda-foa"]


@pytest.mark.skipif(not SAME_BITS, reason="numpy and numba round alike on x86-64 only")
@pytest.mark.parametrize(("hop_samples", "window"), [(480, "hann"), (150, "hamming"), (1_024, "hann"), (2_000, "hann")])
@pytest.mark.parametrize(
    "case", ["noise", "tone", "clicks", "steep spectrum", "one channel silent", "shorter than a window"]
)
def test_spectra_have_the_bits_of_numpy(case: str, hop_samples: int, window: WindowKind) -> None:
    audio = np.tile(hard_cases(4)[case], 4)
    factors = analysis_window(window, 960, 1024)
    expected = np.concatenate([part.copy() for _, part in centred_spectra(audio, factors, hop_samples)], axis=1)
    work = Workspace.of(factors, hop_samples)
    real, imaginary = np.empty((2, 513, 4, LANES), np.float32)
    for first in range(0, expected.shape[1], LANES):
        lane_spectra(audio, first, hop_samples, work, real, imaginary)
        block = np.moveaxis(expected[:, first : first + LANES], 2, 0)
        count = block.shape[2]
        assert (real[..., :count] == block.real.astype(np.float32)).all()
        assert (imaginary[..., :count] == block.imag.astype(np.float32)).all()


@pytest.mark.parametrize("n_fft", [256, 1024, 4096])
def test_the_unit_circle(n_fft: int) -> None:
    """Products of two turns: each part is a sum of two products of rounded factors."""
    angle = 2 * np.pi * np.arange(n_fft // 2) / n_fft
    assert unit_circle(n_fft) == pytest.approx(np.stack([np.cos(angle), np.sin(angle)], axis=1), rel=0, abs=5e-16)


@pytest.mark.parametrize("preset", COMPILED)
@pytest.mark.parametrize("case", hard_cases(1))
def test_against_numpy(preset: str, case: str) -> None:
    audio = hard_cases(4)[case]
    expected = reference_features(audio, PRESETS[preset])
    features = compiled_features(audio, PRESETS[preset])
    if not SAME_BITS and case in EMPTY_BINS:
        features, expected = features[:4], expected[:4]
    assert_close(features, expected)


@given(st.sampled_from(COMPILED), st.integers(480, 20_000), st.integers(0, 100), st.floats(-90, 0))
@settings(deadline=None)
def test_any_length_and_level(preset: str, samples: int, seed: int, level_db: float) -> None:
    audio = noise(4, samples, seed) * np.float32(10 ** (level_db / 20))
    assert_close(compiled_features(audio, PRESETS[preset]), reference_features(audio, PRESETS[preset]))


@of_official_programs
def test_against_the_official_programs(name: str, preset: str, key: str) -> None:
    settings = PRESETS[preset]
    features = compiled_features(read_audio(GOLDEN / f"{name}.wav", settings.channel_format), settings)
    assert_close(features, official(name, key, settings.maps))


@pytest.mark.filterwarnings("ignore:n_fft=.* is too large")
@pytest.mark.parametrize("preset", COMPILED)
@pytest.mark.parametrize("case", ["noise", "clicks", "weak", "gap", "steep spectrum", "silence", "one hop"])
def test_against_librosa_in_float64(preset: str, case: str) -> None:
    pytest.importorskip("librosa")
    from tests.signal.librosa_reference import librosa_features

    audio = hard_cases(4)[case]
    difference = np.abs(compiled_features(audio, PRESETS[preset]) - librosa_features(audio, PRESETS[preset]))
    assert difference[:4].max() < 1e-4
    assert difference[4:].max() < 1e-5


@pytest.mark.parametrize("preset", [name for name in PRESETS if name not in COMPILED])
def test_other_presets_are_numpy_s(preset: str) -> None:
    audio = noise(PRESETS[preset].channels, 9_600)
    assert (compiled_features(audio, PRESETS[preset]) == reference_features(audio, PRESETS[preset])).all()


def test_wrong_channels_are_refused() -> None:
    with pytest.raises(AudioFormatError, match=r"need foa audio \(4, samples\)"):
        compiled_features(noise(2, 9_600), PRESETS["dcase2023-foa"])


def test_without_numba_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("edgeseld.signal.compiled", "edgeseld.signal.lane_transform"):
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(BackendMissingError, match=r"compiling features needs the extra 'fast': pip install"):
        import edgeseld.signal.compiled  # noqa: F401


def test_reference_features_do_not_load_numba() -> None:
    code = "import sys, edgeseld.signal.features; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
