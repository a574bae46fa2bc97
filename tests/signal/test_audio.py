"""Reading and writing audio: scaling, formats, rates, conventions, and one clear line for what is refused."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from edgeseld.core.errors import AudioFormatError
from edgeseld.core.spec import ChannelFormat
from edgeseld.signal.audio import FoaOrder, read_audio, to_acn_sn3d, write_audio
from edgeseld.signal.resampling import halve_rate

Float32 = NDArray[np.float32]


def noise(channels: int, samples: int = 4_800) -> Float32:
    return np.random.default_rng(0).uniform(-0.5, 0.5, (channels, samples)).astype(np.float32)


def steps16(audio: Float32) -> NDArray[np.int16]:
    return np.rint(audio * 32_768).astype(np.int16)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_16_bit_files_read_as_their_integers_over_32768(tmp_path: Path, suffix: str) -> None:
    steps = np.array([[0, 1, -1, 32_767, -32_768]], np.int16)
    soundfile.write(tmp_path / f"a{suffix}", steps.T, 24_000, subtype="PCM_16")
    audio = read_audio(tmp_path / f"a{suffix}", "mono")
    assert audio.dtype == np.float32
    assert audio.flags["C_CONTIGUOUS"]
    assert (audio * 32_768).tolist() == steps.tolist()


@pytest.mark.parametrize(("channel_format", "channels"), [("foa", 4), ("mic", 4), ("stereo", 2), ("mono", 1)])
def test_ogg_keeps_shape_and_sound(tmp_path: Path, channel_format: ChannelFormat, channels: int) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 / 24_000 * np.arange(4_800)) * np.ones((channels, 1))
    soundfile.write(tmp_path / "a.ogg", tone.T, 24_000)
    assert read_audio(tmp_path / "a.ogg", channel_format) == pytest.approx(tone.astype(np.float32), abs=0.05)


def test_48_khz_goes_through_the_documented_filter(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(2).T, 48_000, subtype="FLOAT")
    assert (read_audio(tmp_path / "a.wav", "stereo") == halve_rate(noise(2))).all()


def test_44_1_khz_has_the_expected_length(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(1, 44_100).T, 44_100)
    assert read_audio(tmp_path / "a.wav", "mono").shape == (1, 24_000)


def test_silence_is_fine(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((100, 4)), 24_000)
    assert not read_audio(tmp_path / "a.wav", "foa").any()


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
def test_npy_scenes(tmp_path: Path, dtype: type) -> None:
    audio = steps16(noise(4)) / np.float32(32_768)
    np.save(tmp_path / "a.npy", steps16(audio) if dtype is np.int16 else audio.astype(dtype))
    assert (read_audio(tmp_path / "a.npy", "foa") == audio).all()


def test_a_plane_wave_reads_the_same_in_every_foa_convention(tmp_path: Path) -> None:
    direction = {"w": 1.0, "x": 0.48, "y": 0.6, "z": 0.64}
    gains: dict[FoaOrder, list[float]] = {
        "acn-sn3d": [direction[axis] for axis in "wyzx"],
        "acn-n3d": [1.0, *[3**0.5 * direction[axis] for axis in "yzx"]],
        "fuma": [2**-0.5, *[direction[axis] for axis in "xyz"]],
    }
    for order, gain in gains.items():
        soundfile.write(tmp_path / "a.wav", np.outer(noise(1), gain), 24_000, subtype="FLOAT")
        expected = np.outer(gains["acn-sn3d"], noise(1))
        assert read_audio(tmp_path / "a.wav", "foa", order) == pytest.approx(expected, abs=1e-6)


def test_foa_conversion_leaves_its_input_alone() -> None:
    foa = noise(4)
    to_acn_sn3d(foa, "acn-n3d")
    to_acn_sn3d(foa, "fuma")
    assert (foa == noise(4)).all()


def test_float_files_may_overshoot_and_are_not_clipped(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.array([1.5, -1.5]), 24_000, subtype="FLOAT")
    assert read_audio(tmp_path / "a.wav", "mono").tolist() == [[1.5, -1.5]]


def test_a_header_of_unknown_length_is_read(tmp_path: Path) -> None:
    """Recorders that write to a pipe leave 0xFFFFFFFF as the size."""
    soundfile.write(tmp_path / "a.wav", steps16(noise(1)).T, 24_000, subtype="PCM_16")
    content = bytearray((tmp_path / "a.wav").read_bytes())
    content[4:8] = content[40:44] = struct.pack("<I", 0xFFFF_FFFF)
    (tmp_path / "a.wav").write_bytes(content)
    assert read_audio(tmp_path / "a.wav", "mono").shape == (1, 4_800)


@given(arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 50)), elements=st.floats(-1, 1, width=32)))
def test_what_is_written_reads_back_within_half_a_step(
    tmp_path_factory: pytest.TempPathFactory, audio: Float32
) -> None:
    formats: dict[int, ChannelFormat] = {1: "mono", 2: "stereo", 4: "foa"}
    folder = tmp_path_factory.mktemp("audio")
    for suffix, tolerance in ((".wav", 0.5 / 32_768), (".flac", 0.5 / 32_768), (".npy", 0)):
        write_audio(folder / f"a{suffix}", audio)
        if len(audio) in formats:
            read = read_audio(folder / f"a{suffix}", formats[len(audio)])
            assert np.abs(read - np.minimum(audio, 32_767 / 32_768 if tolerance else 1)).max() <= tolerance


@pytest.mark.parametrize("bad", [1.01, -1.01, np.nan, np.inf])
def test_values_outside_full_scale_are_not_written(tmp_path: Path, bad: float) -> None:
    with pytest.raises(AudioFormatError, match=r"must lie within \[-1, 1\], got"):
        write_audio(tmp_path / "a.wav", np.full((1, 4), bad, np.float32))
    assert not list(tmp_path.iterdir())


def test_other_suffixes_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(AudioFormatError, match=r"written as \.wav, \.flac or \.npy, got '\.mp3'; rename the output"):
        write_audio(tmp_path / "a.mp3", noise(1))


@pytest.mark.parametrize(
    ("channels", "channel_format", "message"),
    [
        (2, "foa", "format foa needs 4 channels, got 2; its channels fit stereo"),
        (4, "mono", "format mono needs 1 channels, got 4; its channels fit foa or mic"),
        (7, "mic", "format mic needs 4 channels, got 7; extract the channels first"),
    ],
)
def test_wrong_channel_counts(tmp_path: Path, channels: int, channel_format: ChannelFormat, message: str) -> None:
    soundfile.write(tmp_path / "a.wav", noise(channels).T, 24_000)
    with pytest.raises(AudioFormatError, match=message):
        read_audio(tmp_path / "a.wav", channel_format)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite(tmp_path: Path, bad: float) -> None:
    audio = noise(4)
    audio[2, [7, 9]] = bad
    soundfile.write(tmp_path / "a.wav", audio.T, 24_000, subtype="FLOAT")
    with pytest.raises(AudioFormatError, match="samples must be finite, got 2 NaN or infinite; repair the file"):
        read_audio(tmp_path / "a.wav", "foa")


def test_integers_stored_as_floats(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", 32_768 * noise(4))
    with pytest.raises(AudioFormatError, match=r"full scale is 1, got a peak of 1.6\d+e\+04; divide"):
        read_audio(tmp_path / "a.npy", "foa")


def test_a_file_without_samples(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((0, 1)), 24_000)
    with pytest.raises(AudioFormatError, match="needs at least one sample, got none"):
        read_audio(tmp_path / "a.wav", "mono")


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".npy"])
@pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 0.99])
def test_truncated_files(tmp_path: Path, suffix: str, part: float) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".npy":
        np.save(path, noise(4))
    else:
        soundfile.write(path, noise(4).T, 24_000)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(AudioFormatError, match=r"; (copy|convert|save|record)"):
        read_audio(path, "foa")


def test_a_flac_file_with_altered_bytes(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", noise(4).T, 24_000)
    content = bytearray((tmp_path / "a.flac").read_bytes())
    content[9_000:9_100] = bytes(100)
    (tmp_path / "a.flac").write_bytes(content)
    with pytest.raises(AudioFormatError, match="must be an intact"):
        read_audio(tmp_path / "a.flac", "foa")


def test_files_that_are_no_audio(tmp_path: Path) -> None:
    for name in ("a.wav", "a.npy", "a.txt"):
        (tmp_path / name).write_text("this is no audio, whatever its name says")
        with pytest.raises(AudioFormatError, match="must be an intact"):
            read_audio(tmp_path / name, "mono")


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(AudioFormatError, match="must be an intact"):
        read_audio(tmp_path / "a.npy", "mono")


@pytest.mark.parametrize(
    "array", [np.zeros(9), np.zeros((1, 9), np.int32), np.zeros((1, 1, 9)), np.zeros((1, 9), complex)]
)
def test_arrays_that_are_no_scene(tmp_path: Path, array: NDArray[np.generic]) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(AudioFormatError, match=r"a scene must be int16, float32 or float64 of shape"):
        read_audio(tmp_path / "a.npy", "mono")


def test_missing_files(tmp_path: Path) -> None:
    for name in ("a.wav", "a.npy"):
        with pytest.raises(AudioFormatError, match="there is no such file"):
            read_audio(tmp_path / name, "mono")


def test_folders(tmp_path: Path) -> None:
    with pytest.raises(AudioFormatError, match="there is no such file"):
        read_audio(tmp_path, "mono")


def test_rates_out_of_range(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(1).T, 4_000)
    with pytest.raises(AudioFormatError, match=r"between 8000 and 192000 Hz, got 4000"):
        read_audio(tmp_path / "a.wav", "mono")


def test_real_recordings_read(shared: Path) -> None:
    audio = read_audio(shared / "real_foa/starss23_clip_foa.flac", "foa")
    assert audio.shape[0] == 4
    assert 0 < np.abs(audio).max() < 1
