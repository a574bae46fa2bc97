"""Receivers, simulated rooms and measured responses."""

import sys
from pathlib import Path

import numpy as np
import pytest

from edgeseld.core.errors import AudioFormatError, BackendMissingError, DataError
from edgeseld.core.geometry import Float64, angle_between_deg, azimuth_elevation_deg, unit_vector
from edgeseld.data.synth import measured
from edgeseld.data.synth.definition import SimulatedRooms
from edgeseld.data.synth.geometry import BANDS_HZ, FARTHEST_M, NEAREST_M, RoomPlan, draw_room
from edgeseld.data.synth.receivers import CAPSULES_DEG, FOA, MIC, sphere_response
from edgeseld.data.synth.rooms import load_room, place_at
from edgeseld.data.synth.simulated import DIRECT_SAMPLE, make_simulated_room, room_responses
from tests.data.synth_parts import free_field, write_rooms

RANGES = SimulatedRooms(count=1, length_m=(6.0, 6.0), width_m=(5.0, 5.0), height_m=(3.0, 3.0), rt60_s=(0.4, 0.4))


def intensity(responses: Float64) -> Float64:
    """Direction x, y, z of the active intensity of (..., 4, samples)."""
    return (responses[..., :1, :] * responses[..., [3, 1, 2], :]).sum(axis=-1)


def small_room(walls: float = 0.3) -> RoomPlan:
    """Two sources in front and to the left, one and two metres away."""
    receiver = np.array([3.0, 2.5, 1.5])
    sources = receiver + np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    return RoomPlan(np.array([6.0, 5.0, 3.0]), np.full((6, len(BANDS_HZ)), walls), receiver, sources, ((0, 2),))


def test_a_plane_wave_without_delay_is_an_impulse_in_ambisonics() -> None:
    starts, kernels = FOA.arrivals(np.array([5.0]), unit_vector([90.0], [0.0]))
    expected = np.zeros(kernels.shape[-1])
    expected[5 - starts[0]] = 1.0
    np.testing.assert_allclose(kernels[0], [expected, expected, 0 * expected, 0 * expected], atol=1e-12)


def test_a_fractional_delay_is_a_phase_ramp() -> None:
    starts, kernels = FOA.arrivals(np.array([20.25]), unit_vector([0.0], [0.0]))
    signal = np.zeros(64)
    signal[starts[0] : starts[0] + kernels.shape[-1]] = kernels[0, 0]
    spectrum = np.fft.rfft(signal)[1:24]
    expected = np.exp(-2j * np.pi * np.arange(1, 24) / 64 * 20.25)
    np.testing.assert_allclose(spectrum, expected, atol=0.02)


def test_the_sphere_is_transparent_at_low_and_doubles_pressure_at_high_frequencies() -> None:
    response = np.abs(sphere_response(np.array([1.0, -1.0]), np.array([20.0, 11_000.0])))
    np.testing.assert_allclose(response[:, 0], 1.0, atol=0.02)
    assert response[0, 1] == pytest.approx(2.0, abs=0.1)
    assert response[1, 1] < response[0, 1]


def test_the_capsule_that_faces_the_wave_hears_it_first_and_loudest() -> None:
    starts, kernels = MIC.arrivals(np.array([100.0]), unit_vector([CAPSULES_DEG[0][0]], [CAPSULES_DEG[0][1]]))
    peaks = np.abs(kernels[0]).argmax(axis=-1)
    assert peaks[0] == peaks.min() < peaks[1:].min()
    assert np.abs(kernels[0]).max(axis=-1).argmax() == 0
    # Front to shadow side: at least the straight way through 0.042 m x (1 + 1 / 3) at 343 m/s.
    assert starts[0] + peaks[0] < 100
    assert peaks[1:].max() - peaks[0] >= np.floor(0.042 * 4 / 3 / 343 * 24_000)


@pytest.mark.parametrize(("receiver", "first_order"), [(FOA, 1 / 3), (MIC, None)])
def test_diffuse_noise_has_the_statistics_of_many_plane_waves(receiver: object, first_order: float | None) -> None:
    rng = np.random.default_rng(0)
    noise = np.fft.rfft(rng.standard_normal((4, 1 << 16)))
    mixed = receiver.diffuse(noise)  # type: ignore[attr-defined]
    vectors = rng.standard_normal((3_000, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    _, kernels = receiver.arrivals(np.zeros(3_000), vectors)  # type: ignore[attr-defined]
    waves = np.fft.rfft(kernels, 256)
    for low, high in ((300, 800), (2_000, 3_000), (5_000, 7_000)):
        bins = slice(int(low / 12_000 * 128), int(high / 12_000 * 128) + 1)
        expected = np.einsum("wcf,wdf->cd", waves[..., bins], waves[..., bins].conj()).real / 3_000
        band = mixed[:, int(low / 12_000 * mixed.shape[1]) : int(high / 12_000 * mixed.shape[1])]
        found = (band @ band.conj().T).real
        np.testing.assert_allclose(found / found[0, 0], expected / expected[0, 0], atol=0.08)
        if first_order is not None:
            assert found[1, 1] / found[0, 0] == pytest.approx(first_order, abs=0.05)


@pytest.mark.parametrize("receiver", [FOA, MIC])
def test_direct_sounds_fall_with_distance_and_come_first(receiver: object) -> None:
    responses = room_responses(small_room(walls=0.95), receiver, np.random.default_rng(0))  # type: ignore[arg-type]
    direct = np.sqrt(np.square(responses[:, :, : DIRECT_SAMPLE + 40], dtype=np.float64).sum(axis=(1, 2)))
    assert direct[0] / direct[1] == pytest.approx(2.0, rel=0.05)
    assert np.abs(responses[0, 0]).argmax() == pytest.approx(DIRECT_SAMPLE, abs=4)


def test_the_direct_sound_comes_from_the_source() -> None:
    responses = room_responses(small_room(), FOA, np.random.default_rng(0))
    directions = intensity(responses[:, :, : DIRECT_SAMPLE + 16].astype(np.float64))
    np.testing.assert_allclose(angle_between_deg(directions, [[1, 0, 0], [0, 1, 0]]), 0, atol=2.0)


def test_the_decay_is_that_of_eyring() -> None:
    plan = small_room(walls=0.25)
    responses = room_responses(plan, FOA, np.random.default_rng(0))
    energy = np.square(responses[:, 0, DIRECT_SAMPLE:-1_500].astype(np.float64))
    decay = 10 * np.log10(energy[:, ::-1].cumsum(axis=1)[:, ::-1].mean(axis=0))
    decay -= decay[0]
    rt60 = 3 * (np.argmax(decay < -30) - np.argmax(decay < -10)) / 24_000
    assert rt60 == pytest.approx(plan.rt60_s()[4:].mean(), rel=0.15)


def test_drawn_places_are_in_the_room_and_the_range() -> None:
    for seed in range(5):
        plan = draw_room(np.random.default_rng(seed), SimulatedRooms(count=1))
        distance = np.linalg.norm(plan.sources_m - plan.receiver_m, axis=1)
        assert NEAREST_M - 1e-9 <= distance.min()
        assert distance.max() <= FARTHEST_M + 1e-9
        assert (plan.sources_m > 0).all()
        assert (plan.sources_m < plan.size_m).all()
        for start, stop in plan.paths:
            rays = plan.sources_m[start:stop] - plan.receiver_m
            assert angle_between_deg(rays[1:], rays[:-1]).max() < 8.5


def test_a_saved_room_comes_back(tmp_path: Path) -> None:
    make_simulated_room(tmp_path / "a", (1, 2), RANGES, "foa")
    make_simulated_room(tmp_path / "b", (1, 2), RANGES, "foa")
    assert (tmp_path / "a/responses.npy").read_bytes() == (tmp_path / "b/responses.npy").read_bytes()
    room = load_room(tmp_path / "a")
    assert room.responses.shape[:2] == (len(room.record.azimuth_deg), 4)
    assert room.responses.dtype == np.float16
    direct = room.responses[:, :, : DIRECT_SAMPLE + 8].astype(np.float64)
    errors = angle_between_deg(intensity(direct), room.record.directions())
    assert np.median(errors) < 1.0


def test_without_pyroomacoustics_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyroomacoustics", None)
    with pytest.raises(BackendMissingError, match=r"pip install 'edgeseld\[synth\]'"):
        room_responses(small_room(), FOA, np.random.default_rng(0))


def test_places_between_points_are_those_of_the_cross_fade() -> None:
    record = free_field([0.0, 20.0], [0.0, 0.0]).record
    azimuth, elevation, distance = place_at(record, np.array([0.0, 0.5, 1.0]), rotation_deg=30.0)
    np.testing.assert_allclose(azimuth, [30, 40, 50], atol=1e-9)
    np.testing.assert_allclose(elevation, 0, atol=1e-9)
    np.testing.assert_allclose(distance, 2.0)


def test_an_index_is_checked(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"index.csv, and .* has none: check --rooms"):
        measured.read_index(tmp_path, "foa")
    folder = write_rooms(tmp_path / "rooms", [0, 90])
    with pytest.raises(DataError, match="'mic_file' for mic scenes"):
        measured.read_index(folder, "mic")
    (folder / "wet90.wav").unlink()
    with pytest.raises(DataError, match=r"line 5 names wet90.wav, which is not on disk"):
        measured.read_index(folder, "foa")
    text = (folder / "index.csv").read_text()
    (folder / "index.csv").write_text(text.replace(",90,0,1.5,20", ",left,0,1.5,20", 1))
    with pytest.raises(DataError, match="line 3 is not"):
        measured.read_index(folder, "foa")


def test_responses_of_another_format_are_refused(tmp_path: Path) -> None:
    folder = write_rooms(tmp_path / "rooms", [0, 90], channels=2)
    with pytest.raises(AudioFormatError, match="have 4 channels"):
        measured.make_measured_room(tmp_path / "bank", measured.read_index(folder, "foa")[:2], "foa", False)


def test_measured_places_are_kept_and_joined_to_a_ring(tmp_path: Path) -> None:
    index = measured.read_index(write_rooms(tmp_path / "rooms", list(range(-180, 180, 30))), "foa")
    assert measured.settings(index) == ("dry", "wet")
    measured.make_measured_room(tmp_path / "bank", index[:12], "foa", with_paths=True)
    room = load_room(tmp_path / "bank")
    assert room.record.static_points == 12
    assert room.record.direct_sample == 20
    assert room.record.paths == ((12, 12 + 61),)
    errors = angle_between_deg(intensity(room.responses.astype(np.float64)), room.record.directions())
    assert errors.max() < 0.2
    # A ring starts and ends at one place, and every point of a free field sounds alike.
    np.testing.assert_allclose(room.responses[12], room.responses[72], atol=1e-3)
    np.testing.assert_allclose(room.responses[:, 0, 20], 1 / 1.5, atol=1e-3)


def test_measured_directions_agree_with_the_sound_field(shared: Path, tmp_path: Path) -> None:
    index = measured.read_index(shared / "rooms", "foa")
    assert measured.settings(index) == ("000", "050", "100", "RB")
    rows = tuple(row for row in index if row.setting == "050")
    measured.make_measured_room(tmp_path / "bank", rows, "foa", with_paths=False)
    room = load_room(tmp_path / "bank")
    assert room.record.paths == ()
    direct = room.responses[:, :, 120 - 24 : 120 + 48].astype(np.float64)
    errors = angle_between_deg(intensity(direct), room.record.directions())
    assert np.median(errors) < 5.0
    azimuth, _ = azimuth_elevation_deg(room.record.directions())
    assert len(np.unique(azimuth.round(3) % 360)) == 12
