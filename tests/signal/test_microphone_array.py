"""Described arrays: plane waves and measured rooms encoded to FOA, descriptions that are refused."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeseld.core.errors import AudioFormatError, ConfigError
from edgeseld.core.geometry import angle_between_deg, unit_vector
from edgeseld.signal.ambisonics import foa_gains
from edgeseld.signal.audio import read_audio, read_channels
from edgeseld.signal.microphone_array import (
    MicrophoneArray,
    encode_array,
    encoding_filters,
    read_array,
    spread_directions,
    steering_matrix,
)

Float32 = NDArray[np.float32]
TETRAHEDRON = [[0.02, 0.02, 0.02], [0.02, -0.02, -0.02], [-0.02, 0.02, -0.02], [-0.02, -0.02, 0.02]]
SQUARE = [[0.03, 0.0, 0.0], [0.0, 0.03, 0.0], [-0.03, 0.0, 0.0], [0.0, -0.03, 0.0]]


def description(positions: list[list[float]], **more: Any) -> dict[str, Any]:
    return {"channels": [{"channel": index + 1, "xyz_m": xyz} for index, xyz in enumerate(positions)]} | more


def array(folder: Path, positions: list[list[float]], gains_db: tuple[float, ...] = (0, 0, 0, 0)) -> MicrophoneArray:
    content = description(positions)
    for microphone, gain in zip(content["channels"], gains_db, strict=True):
        microphone["gain_relative_to_centre_db"] = gain
    (folder / "array.json").write_text(json.dumps(content))
    return read_array(folder / "array.json")


def recording(of: MicrophoneArray, azimuth: float, elevation: float, samples: int = 24_000) -> tuple[Float32, Float32]:
    """Noise of 150 to 1200 Hz from one direction: what the origin and what the microphones hear."""
    frequencies = np.arange(samples // 2 + 1) * 24_000 / samples
    noise = np.fft.rfft(np.random.default_rng(0).standard_normal(samples)) * (
        (frequencies > 150) & (frequencies < 1_200)
    )
    direction = unit_vector(azimuth, elevation)[None]
    heard = np.stack([steering_matrix(of, direction, frequency)[:, 0] for frequency in frequencies], axis=1)
    signals = np.fft.irfft(np.vstack([np.ones_like(frequencies), heard]) * noise, samples).astype(np.float32)
    return signals[0], signals[1:] * of.gains[:, None].astype(np.float32)


@pytest.mark.parametrize(("azimuth", "elevation"), [(0, 0), (90, 0), (-60, 40), (135, -35)])
@pytest.mark.parametrize("gains_db", [(0.0, 0.0, 0.0, 0.0), (-9.0, 3.0, 0.0, 1.0)])
def test_a_plane_wave_becomes_foa(
    tmp_path: Path, azimuth: float, elevation: float, gains_db: tuple[float, ...]
) -> None:
    """W is the sound at the origin, in time; Y, Z, X are W times the direction."""
    tetrahedron = array(tmp_path, TETRAHEDRON, gains_db)
    source, microphones = recording(tetrahedron, azimuth, elevation)
    foa = encode_array(microphones, encoding_filters(tetrahedron))[:, 600:-600]
    source = source[600:-600]
    assert np.abs(foa[0] - source).max() < 0.05 * np.abs(source).max()
    gains = foa @ source / (source @ source)
    assert gains == pytest.approx(foa_gains(azimuth, elevation), abs=0.05)
    assert float(angle_between_deg(gains[[3, 1, 2]], unit_vector(azimuth, elevation))) < 2


def test_a_flat_array_has_no_height(tmp_path: Path) -> None:
    square = array(tmp_path, SQUARE)
    source, microphones = recording(square, 30, 0)
    foa = encode_array(microphones, encoding_filters(square))
    assert np.abs(foa[2]).max() < 1e-3 * np.abs(source).max()
    assert foa[[1, 3]] @ source / (source @ source) == pytest.approx(unit_vector(30, 0)[[1, 0]], abs=0.05)


def test_filters_hold_noise_down_where_the_array_is_small(tmp_path: Path) -> None:
    """Differences of 2 cm hold almost nothing at 50 Hz; the regularisation keeps noise below 30 dB of gain."""
    spectra = np.fft.rfft(encoding_filters(array(tmp_path, TETRAHEDRON)), 24_000)
    noise_gain_db = 10 * np.log10((np.abs(spectra) ** 2).sum(axis=1))
    assert noise_gain_db[:, 50:2_000].max() < 30
    assert noise_gain_db[1:, 1_000].max() < noise_gain_db[1:, 200].min()


def test_blocks_leave_no_seam(tmp_path: Path) -> None:
    """The fast convolution equals a plain one over several blocks, and any length works."""
    filters = encoding_filters(array(tmp_path, TETRAHEDRON))
    audio = np.random.default_rng(1).standard_normal((4, 20_001)).astype(np.float32)
    plain = sum(np.convolve(audio[m], filters[1, m])[256 : 256 + 20_001] for m in range(4))
    assert encode_array(audio, filters)[1] == pytest.approx(plain, abs=1e-4)
    for samples in (1, 255, 7_681, 7_682):
        assert encode_array(audio[:, :samples], filters).shape == (4, samples)


def test_directions_are_spread_evenly() -> None:
    directions = spread_directions(1_000)
    assert np.linalg.norm(directions, axis=1) == pytest.approx(1)
    assert directions.mean(axis=0) == pytest.approx(0, abs=1e-3)
    assert directions.T @ directions / 1_000 == pytest.approx(np.eye(3) / 3, abs=1e-3)


def test_against_the_measured_rooms(shared: Path) -> None:
    """The FOA files of the rooms were encoded from the same recordings, independently: equal in their band."""
    rooms = shared / "rooms"
    described = read_array(rooms / "mics.json")
    filters = encoding_filters(described)
    with (rooms / "index.csv").open() as index:
        rows = list(csv.DictReader(index))[::40]
    for row in rows:
        foa = encode_array(read_channels(rooms / row["mic_file"], 7), filters)
        expected = read_audio(rooms / row["foa_file"], "foa")
        first, second = (np.fft.rfft(audio, 24_000)[:, 150:2_000] for audio in (foa, expected))
        error = np.linalg.norm(first - second, axis=1) / np.linalg.norm(second, axis=1)
        assert error.max() < 0.03


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (description([[0.1 * i, 0, 0] for i in range(4)]), "must not lie on one line"),
        (description([[0, 0, 0]]), "must not lie on one line"),
        (description([]), "must not lie on one line"),
        (description([[20, 0, 0], [0, 20, 0], [0, 0, 20], [0, 0, 0]]), "got 20 m: positions are in metres"),
        (description([[1e-3, 0, 0], [0, 1e-3, 0], [0, 0, 0]]), "got 0.001 m: positions are in metres"),
        ({"channels": [{"channel": 2, "xyz_m": [0, 0, 0]}]}, "numbered 1, 2, .*, got .2"),
        ({"channels": [{"channel": 1, "xyz_m": [0, 0]}]}, "length 3"),
        (description(SQUARE, places=3), "unknown field `places`"),
        (description(SQUARE, descripton="a square"), "did you mean 'description'"),
    ],
)
def test_descriptions_that_are_refused(tmp_path: Path, content: dict[str, Any], message: str) -> None:
    (tmp_path / "array.json").write_text(json.dumps(content))
    with pytest.raises(ConfigError, match=message):
        read_array(tmp_path / "array.json")


def test_recordings_of_another_array_are_refused(tmp_path: Path) -> None:
    filters = encoding_filters(array(tmp_path, SQUARE))
    with pytest.raises(AudioFormatError, match=r"audio of 4 microphones .*, got \(6, 9\); check"):
        encode_array(np.zeros((6, 9), np.float32), filters)
    np.save(tmp_path / "a.npy", np.zeros((6, 9), np.float32))
    with pytest.raises(AudioFormatError, match="the array has 4 microphones, got 6 channels"):
        read_channels(tmp_path / "a.npy", 4)
