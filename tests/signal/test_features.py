"""Reference features: the official programs' numbers, librosa's numbers, values by hand, properties."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeseld.core.errors import AudioFormatError
from edgeseld.signal.ambisonics import foa_gains
from edgeseld.signal.audio import read_audio
from edgeseld.signal.features import LOG_MAPS, reference_features
from edgeseld.signal.presets import PRESETS

GOLDEN = Path(__file__).parent.parent / "golden/features"
Float32 = NDArray[np.float32]


def noise(channels: int, samples: int, seed: int = 0) -> Float32:
    return np.random.default_rng(seed).uniform(-0.3, 0.3, (channels, samples)).astype(np.float32)


def tone(frequency_hz: float, samples: int = 9_600) -> Float32:
    return np.sin(2 * np.pi * frequency_hz / 24_000 * np.arange(samples)).astype(np.float32)


def official(name: str, key: str, maps: int) -> NDArray[np.float64]:
    """Columns (frames, maps x bins) of the official program as (maps, frames, bins)."""
    columns = np.load(next(GOLDEN.glob(f"{name}__*.npz")))[key]
    return np.moveaxis(columns.reshape(len(columns), maps, -1), 1, 0)


# Recording, preset, and the array of the official program.
of_official_programs = pytest.mark.parametrize(
    ("name", "preset", "key"),
    [
        ("foa_c_clicks_2s", "dcase2023-foa", "feat"),
        ("mic_d_planewave_3s", "dcase2023-mic", "feat_melgcc"),
        ("mic_d_planewave_3s", "salsa-lite", "feat_salsalite"),
    ],
)


@of_official_programs
def test_against_the_official_programs(name: str, preset: str, key: str) -> None:
    settings = PRESETS[preset]
    features = reference_features(read_audio(GOLDEN / f"{name}.wav", settings.channel_format), settings)
    expected = official(name, key, settings.maps)
    assert features.shape == expected.shape
    assert features.dtype == np.float32
    assert np.abs(features - expected)[:4].max() < 2e-5
    assert np.abs(features - expected)[4:].max() < 1e-6


def hard_cases(channels: int) -> dict[str, Float32]:
    """Where float32 spectra, missing offsets or wrong edges would show."""
    audio = noise(channels, 12_345)
    clicks = np.zeros_like(audio)
    clicks[:, [0, 479, 5_000, 12_344]] = np.arange(1, 5) / 5
    steps = np.rint(tone(1_000, 12_345) * 32_767) / 32_768
    weak = np.rint(noise(channels, 12_345, 1) * 3) / 32_768
    half = audio.copy()
    half[:, 4_000:9_000] = 0
    one_silent = audio.copy()
    one_silent[-1] = 0
    steep = np.cumsum(audio, axis=1) / 100
    return {
        "noise": audio,
        "clicks": clicks,
        "tone": np.outer(np.arange(1, channels + 1) / channels, steps).astype(np.float32),
        "weak": weak.astype(np.float32),
        "gap": half,
        "one channel silent": one_silent,
        "steep spectrum": steep.astype(np.float32),
        "silence": np.zeros_like(audio),
        "one hop": audio[:, :480],
        "shorter than a window": audio[:, :700],
    }


# Bins that hold nothing but rounding errors: their phases agree only where numpy and scipy transform bit by bit alike.
EMPTY_BINS = {"tone", "one channel silent"}


def transforms_agree(audio: Float32) -> bool:
    scipy_fft = pytest.importorskip("scipy.fft")
    frames = audio[:, :12_288].reshape(-1, 1024).astype(np.float64)
    return bool((np.fft.rfft(frames) == scipy_fft.rfft(frames)).all())


@pytest.mark.filterwarnings("ignore:n_fft=.* is too large")
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("case", hard_cases(1))
def test_against_librosa_in_float64(preset: str, case: str) -> None:
    pytest.importorskip("librosa")
    from tests.signal.librosa_reference import librosa_features

    settings = PRESETS[preset]
    audio = hard_cases(settings.channels)[case]
    difference = np.abs(reference_features(audio, settings) - librosa_features(audio, settings))
    logs = LOG_MAPS[settings.channel_format]
    assert difference[:logs].max() < 1e-4
    if settings.spatial != "none" and (case not in EMPTY_BINS or transforms_agree(audio)):
        assert difference[logs:].max() < (1e-4 if settings.spatial == "level-phase" else 1e-5)


@pytest.mark.parametrize("preset", ["dcase2023-foa", "hda-foa", "kang-foa", "berghi-foa"])
@pytest.mark.parametrize("recording", ["starss23_clip", "jsambisonics_eigenmike_rec1", "gewandhaus_rir"])
def test_against_librosa_on_recordings(shared: Path, preset: str, recording: str) -> None:
    pytest.importorskip("librosa")
    from tests.signal.librosa_reference import librosa_features

    audio = read_audio(shared / f"real_foa/{recording}_foa.flac", "foa")
    difference = np.abs(reference_features(audio, PRESETS[preset]) - librosa_features(audio, PRESETS[preset]))
    assert difference[:4].max() < 1e-4
    assert difference[4:].max() < 1e-5


@given(st.sampled_from(sorted(PRESETS)), st.integers(480, 6_000))
def test_frames_are_samples_over_hop(preset: str, samples: int) -> None:
    settings = PRESETS[preset]
    features = reference_features(noise(settings.channels, samples), settings)
    assert features.shape == (settings.maps, samples // settings.hop_samples, settings.bins)
    assert np.isfinite(features).all()


def test_silence_is_the_floor() -> None:
    features = reference_features(np.zeros((4, 4_800), np.float32), PRESETS["dcase2023-foa"])
    assert features[:4] == pytest.approx(-100, abs=1e-4)
    assert np.abs(features[4:]).max() < 1e-5


def test_a_plane_wave_points_to_its_source() -> None:
    """Intensity over energy of a plane wave is 3/4 of its direction, whatever its spectrum."""
    direction = foa_gains(40, 25)
    audio = np.outer(direction, noise(1, 24_000)[0]).astype(np.float32)
    features = reference_features(audio, PRESETS["dcase2023-foa"])
    mel_sum = 1024 / 24_000
    assert features[4:, 1:-1, 40].mean(axis=1) / mel_sum == pytest.approx(0.75 * direction[1:], rel=0.05)


def test_a_unit_intensity_ignores_the_energy_of_a_diffuse_field() -> None:
    audio = np.outer(foa_gains(0, 0), noise(1, 24_000)[0]).astype(np.float32)
    features = reference_features(audio, PRESETS["berghi-foa"])
    mel_sum = 512 / 24_000
    assert features[6, 1:-1, 100].mean() / mel_sum == pytest.approx(1.0, rel=0.1)


@pytest.mark.parametrize("delay", [-32, -5, 0, 7, 31])
def test_gcc_phat_peaks_at_the_delay(delay: int) -> None:
    """Microphone 1 hears microphone 0's noise `delay` samples later: the peak lies at lag `delay`."""
    source = noise(1, 9_700)[0]
    audio = np.stack([source[40 - shift :][:9_600] for shift in (0, delay, 0, 0)])
    features = reference_features(audio, PRESETS["dcase2023-mic"])
    peak = features[4, 3:-3].mean(axis=0).argmax() - 32
    assert peak == delay


def test_identical_microphones_correlate_fully_even_in_silence() -> None:
    features = reference_features(np.zeros((4, 4_800), np.float32), PRESETS["dcase2023-mic"])
    expected = np.zeros(64)
    expected[32] = 1
    assert features[4:] == pytest.approx(np.broadcast_to(expected, features[4:].shape), abs=1e-6)


def test_salsa_lite_phases_are_path_differences() -> None:
    """A delay of 3 samples is a path 3 x 343 / 24000 = 0.043 m longer, heard as minus that; none above 2 kHz."""
    source = noise(1, 9_603)[0]
    audio = np.stack([source[3 - shift :][:9_600] for shift in (0, 3, 0, 0)])
    features = reference_features(audio, PRESETS["salsa-lite"])
    assert np.median(features[4, 3:-3, 10:85]) == pytest.approx(-3 * 343 / 24_000, abs=1e-3)
    assert not features[4:, :, 85:].any()


def test_stereo_level_difference_and_coherence() -> None:
    """The left channel twice as loud and 2 samples late: 6.02 dB, coherence exp(j 2 pi f 2 / 24000)."""
    source = noise(1, 24_002)[0]
    audio = np.stack([2 * source[:24_000], source[2:]])
    features = reference_features(audio, PRESETS["stereo"])[:, 3:-3]
    centre_hz = 1_000
    band = 21
    assert features[4].mean() == pytest.approx(20 * np.log10(2), abs=0.05)
    phase = np.arctan2(features[6, :, band], features[5, :, band]).mean()
    assert phase == pytest.approx(2 * np.pi * centre_hz * 2 / 24_000, abs=0.1)
    assert np.hypot(features[5], features[6])[:, :30].min() > 0.9


def test_identical_stereo_channels_have_no_side() -> None:
    features = reference_features(np.tile(noise(1, 4_800), (2, 1)), PRESETS["stereo"])
    assert features[3] == pytest.approx(-100, abs=1e-4)
    assert features[4] == pytest.approx(0, abs=1e-5)
    assert features[5] == pytest.approx(1, abs=1e-4)


def test_the_clip_reaches_over_the_whole_file() -> None:
    """A loud second raises the floor of a quiet one: reference features are not causal."""
    quiet, loud = 1e-4 * noise(1, 24_000), noise(1, 24_000)
    alone = reference_features(quiet, PRESETS["mono"])
    together = reference_features(np.concatenate([quiet, loud], axis=1), PRESETS["mono"])
    assert together[0].min() == pytest.approx(together.max() - 80)
    assert together[0, :45].min() > alone[0].min()


def test_chunks_leave_no_seam() -> None:
    """Frames of a long file equal those of a part cut out of it, clip aside."""
    audio = noise(4, 150 * 480)
    whole = reference_features(audio, PRESETS["dcase2023-foa"])
    part = reference_features(audio[:, 20 * 480 : 120 * 480], PRESETS["dcase2023-foa"])
    assert whole[:, 22:118] == pytest.approx(part[:, 2:98], abs=1e-4)


def test_audio_is_not_changed() -> None:
    audio = noise(4, 4_800)
    before = audio.copy()
    for settings in PRESETS.values():
        reference_features(audio[: settings.channels], settings)
    assert (audio == before).all()


@pytest.mark.parametrize("shape", [(2, 4_800), (4_800,), (5, 4_800), (4_800, 4)])
def test_wrong_channels_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(AudioFormatError, match=r"need foa audio \(4, samples\), got .*; choose a preset"):
        reference_features(np.zeros(shape, np.float32), PRESETS["dcase2023-foa"])


def test_audio_shorter_than_a_hop_is_refused() -> None:
    with pytest.raises(AudioFormatError, match="at least one hop of 480 samples, got 479; record for longer"):
        reference_features(np.zeros((1, 479), np.float32), PRESETS["mono"])
