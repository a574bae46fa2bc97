"""Plans, their labels, and the audio rendered from them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeseld.core.geometry import angle_between_deg, unit_vector
from edgeseld.data.layout import LabelRow
from edgeseld.data.synth.background import ambience, sensor_noise
from edgeseld.data.synth.catalogue import Catalogue, Voice
from edgeseld.data.synth.labels import label_scene
from edgeseld.data.synth.plan import Background, Event, Piece, ScenePlan, Wave, plan_scene
from edgeseld.data.synth.render import render_scene
from edgeseld.data.synth.rooms import Room
from edgeseld.data.synth.summary import summarise_scene, total
from tests.data.synth_parts import bank_of, catalogue_of, free_field, noise_clip

QUIET = Background(None, (), -np.inf, -120.0)
ROOM = free_field(
    [0.0, 60.0, 120.0, 180.0, -90.0, *np.arange(0.0, 80.0, 8.0)], [0.0] * 4 + [30.0] + [0.0] * 10, ((5, 15),)
)
BANK = bank_of(
    {f"bell/{group}/0": noise_clip(0.4 + 0.9 * group, group) for group in range(4)}
    | {f"knock/{group}/0": noise_clip(0.2, group) for group in range(3)}
    | {"interference/a/0": noise_clip(1.0), "ambience/a/0": noise_clip(4.0)}
)
SOUNDS = catalogue_of(BANK)
CATALOGUE = Catalogue(("bell", "knock"), SOUNDS.voices[:2], SOUNDS.voices[2], SOUNDS.voices[3], BANK)


def one_event(onset: int = 24_000, clip: int = 3, **changes: float) -> Event:
    samples = BANK.clips[clip].samples
    points = {"first_point": 0.0, "last_point": 0.0, "gain_db": 0.0, "floor_db": -30.0} | changes
    return Event(0, onset, (Piece(clip, 0, samples, 0),), **points)


def scene(*events: Event, seconds: int = 6, rotation_deg: int = 0, background: Background = QUIET) -> ScenePlan:
    return ScenePlan((0,), seconds * 24_000, rotation_deg, events, background, -6.0)


def frame_directions(audio: np.ndarray) -> np.ndarray:
    """Intensity vector x, y, z of each label frame."""
    frames = audio.reshape(4, -1, 2_400).astype(np.float64)
    return np.stack([(frames[0] * frames[axis]).sum(axis=-1) for axis in (3, 1, 2)], axis=-1)


def test_a_plan_comes_from_its_seed() -> None:
    first = plan_scene((1, 2), ROOM.record, CATALOGUE, scene_s=20)
    assert first == plan_scene((1, 2), ROOM.record, CATALOGUE, scene_s=20)
    assert first != plan_scene((1, 3), ROOM.record, CATALOGUE, scene_s=20)


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_every_plan_is_playable(seed: int) -> None:
    plan = plan_scene((seed,), ROOM.record, CATALOGUE, scene_s=20, moving_share=0.5)
    labelled = [event for event in plan.events if event.class_index is not None]
    for event in plan.events:
        assert 0 <= event.onset < plan.samples
        assert -30.0 <= event.floor_db <= -8.0 or event.class_index is None
        moving = event.first_point != event.last_point
        low, high = sorted((event.first_point, event.last_point))
        assert (5 <= low and high <= 14) if moving else 0 <= low < ROOM.record.static_points
        for piece in event.pieces:
            assert 0 <= piece.start < piece.start + piece.samples <= BANK.clips[piece.clip].samples
    for event in labelled:
        together = [other for other in labelled if other.onset <= event.onset < other.end]
        assert len(together) <= 3
        alike = [other.source for other in together if other.class_index == event.class_index]
        assert len(alike) == len(set(alike))


def test_silence_and_overlap_are_spread_as_in_real_scenes() -> None:
    plans = [plan_scene((seed,), ROOM.record, CATALOGUE, scene_s=60) for seed in range(30)]
    summary = total([summarise_scene(plan, label_scene(plan, ROOM.record, CATALOGUE)) for plan in plans], 2)
    silent, single, double, triple = summary.polyphony
    assert summary.hours == pytest.approx(0.5)
    assert 0.1 < silent < 0.35
    assert 0.3 < single < 0.6
    assert 0.15 < double < 0.4
    assert 0.02 < triple < 0.2
    assert abs(summary.events[0] - summary.events[1]) < 0.25 * summary.events[0]


def test_labels_are_rounded_to_frames() -> None:
    rows = label_scene(scene(one_event(onset=25_000, clip=0)), ROOM.record, CATALOGUE)
    # 0.4 s from 1.042 s on: frames 10 to 13.
    assert [row.frame for row in rows] == [10, 11, 12, 13]
    assert set(rows) == {LabelRow(frame, 0, 0, 0, 0, 200) for frame in range(10, 14)}


def test_a_click_has_one_frame_at_least() -> None:
    bank = bank_of({"bell/a/0": noise_clip(0.03)})
    event = Event(0, 1_000, (Piece(0, 0, 720, 0),), 0.0, 0.0, 0.0, -30.0)
    assert [row.frame for row in label_scene(scene(event), ROOM.record, catalogue_of(bank))] == [0]


def test_pauses_are_labelled_up_to_half_a_second() -> None:
    def with_pause(pause: int) -> list[int]:
        pieces = (Piece(4, 0, 4_800, 0), Piece(4, 0, 4_800, 4_800 + pause))
        event = Event(1, 0, pieces, 0.0, 0.0, 0.0, -30.0)
        return [row.frame for row in label_scene(scene(event), ROOM.record, CATALOGUE)]

    assert with_pause(9_600) == list(range(8))
    assert with_pause(14_400) == [0, 1, 8, 9]


def test_quiet_parts_are_not_labelled_under_a_loud_background() -> None:
    fading = noise_clip(2.0) * np.exp(-6.9 * np.arange(48_000) / 96_000).astype(np.float32)
    catalogue = catalogue_of(bank_of({"bell/a/0": fading}))

    def frames(floor_db: float) -> int:
        event = Event(0, 0, (Piece(0, 0, 48_000, 0),), 0.0, 0.0, 0.0, floor_db)
        return len(label_scene(scene(event), ROOM.record, catalogue))

    assert frames(-10.0) < frames(-20.0) <= frames(-30.0) == 20


def test_what_lies_outside_the_scene_is_not_labelled() -> None:
    rows = label_scene(scene(one_event(onset=5 * 24_000)), ROOM.record, CATALOGUE)
    assert max(row.frame for row in rows) == 59


def test_stereo_labels_are_folded_to_the_front() -> None:
    rows = label_scene(scene(one_event(first_point=2.0, last_point=2.0)), ROOM.record, CATALOGUE, "stereo")
    assert {(row.azimuth_deg, row.elevation_deg) for row in rows} == {(60, 0)}


def test_the_onset_is_exact_and_the_peak_as_planned() -> None:
    audio = render_scene(scene(one_event(onset=30_000)), ROOM, BANK, "foa")
    sounding = np.flatnonzero(np.abs(audio[0]) > 1e-4)
    assert 30_000 <= sounding[0] < 30_010
    assert sounding[-1] < 30_000 + BANK.clips[3].samples
    assert np.abs(audio).max() == pytest.approx(10 ** (-6 / 20), rel=1e-5)
    assert audio.dtype == np.float32


@pytest.mark.parametrize(("point", "rotation"), [(0, 0), (1, 0), (4, 0), (1, 75), (4, -160)])
def test_sound_comes_from_where_the_labels_say(point: int, rotation: int) -> None:
    plan = scene(one_event(first_point=float(point), last_point=float(point)), rotation_deg=rotation)
    heard = frame_directions(render_scene(plan, ROOM, BANK, "foa"))
    for row in label_scene(plan, ROOM.record, CATALOGUE):
        assert angle_between_deg(heard[row.frame], unit_vector(row.azimuth_deg, row.elevation_deg)) < 1.0


def test_moving_sound_follows_its_labels() -> None:
    plan = scene(one_event(first_point=13.0, last_point=5.5), rotation_deg=-100)
    heard = frame_directions(render_scene(plan, ROOM, BANK, "foa"))
    rows = label_scene(plan, ROOM.record, CATALOGUE)
    assert rows[0].azimuth_deg - rows[-1].azimuth_deg > 50
    for row in rows[1:-1]:
        assert angle_between_deg(heard[row.frame], unit_vector(row.azimuth_deg, row.elevation_deg)) < 2.0


def test_a_source_between_equal_points_is_as_loud_as_a_standing_one() -> None:
    still = free_field([30.0, 30.0, 30.0], [0.0] * 3, ((0, 3),))
    moving = scene(one_event(first_point=0.0, last_point=2.0), one_event(onset=0, clip=0))
    standing = scene(one_event(), one_event(onset=0, clip=0))
    a, b = (render_scene(plan, still, BANK, "foa") for plan in (moving, standing))
    np.testing.assert_allclose(a, b, atol=1e-4)


def test_formats_of_one_scene_agree() -> None:
    plan = scene(one_event(first_point=1.0, last_point=1.0), rotation_deg=30)
    foa, stereo, mono = (render_scene(plan, ROOM, BANK, name) for name in ("foa", "stereo", "mono"))  # type: ignore[arg-type]
    assert (stereo.shape[0], mono.shape[0]) == (2, 1)
    np.testing.assert_allclose(mono[0] / np.abs(mono).max(), foa[0] / np.abs(foa[0]).max(), atol=1e-6)
    # The source is at 90 degrees: nothing on the right.
    assert np.abs(stereo[1]).max() < 1e-3 * np.abs(stereo[0]).max()


def test_a_scene_that_begins_in_a_sound_is_cut_cleanly() -> None:
    audio = render_scene(scene(one_event(onset=0), one_event(onset=6 * 24_000 - 10), seconds=6), ROOM, BANK, "foa")
    assert audio.shape == (4, 6 * 24_000)
    assert np.isfinite(audio).all()


def test_ambience_is_level_seamless_and_diffuse() -> None:
    rng = np.random.default_rng(0)
    azimuths, heights = rng.uniform(-180, 180, 200), rng.uniform(-1, 1, 200)
    waves = tuple(
        Wave(azimuth, float(np.degrees(np.arcsin(height))), 397 * number, 1.0)
        for number, (azimuth, height) in enumerate(zip(azimuths, heights, strict=True))
    )
    field = ambience(noise_clip(4.0), waves, 10 * 24_000, "foa")
    assert np.sqrt(np.square(field[0]).mean()) == pytest.approx(1.0, rel=0.02)
    covariance = field @ field.T / field.shape[1]
    np.testing.assert_allclose(covariance, np.diag([1, 1 / 3, 1 / 3, 1 / 3]), atol=0.15)
    assert np.abs(np.diff(field[0])).max() < 8.0


def test_one_wave_of_ambience_has_its_direction() -> None:
    field = ambience(noise_clip(3.0), (Wave(90.0, 0.0, 1_234, 0.5),), 48_000, "foa")
    np.testing.assert_allclose(field[1], field[0], atol=1e-3)
    np.testing.assert_allclose(field[2:], 0, atol=1e-3)


def test_sensor_noise_rises_at_low_frequencies_in_first_order_channels_only() -> None:
    noise = sensor_noise(np.random.default_rng(0), 240_000, 0.1, "foa")
    power = np.abs(np.fft.rfft(noise)) ** 2
    low, high = power[:, 1_000:2_000].mean(axis=1), power[:, 50_000:].mean(axis=1)
    assert low[0] / high[0] == pytest.approx(1.0, rel=0.2)
    assert (low[1:] / high[1:] > 5).all()
    assert np.std(noise[0]) == pytest.approx(0.1, rel=0.02)
    assert np.std(sensor_noise(np.random.default_rng(0), 24_000, 0.1, "mic")) == pytest.approx(0.1, rel=0.02)


def test_built_in_sounds_take_their_share() -> None:
    voice = Voice(((0,),), (7,), 0.25)
    rng = np.random.default_rng(0)
    drawn = [voice.draw_group(rng) for _ in range(800)]
    assert np.mean([group == (7,) for group in drawn]) == pytest.approx(0.25, abs=0.05)


def test_capsules_of_the_array_hear_the_scene() -> None:
    capsules = Room(ROOM.record, np.repeat(ROOM.responses[:, :1], 4, axis=1))
    plan = scene(one_event(), background=Background(8, (Wave(45.0, 35.0, 0, 1.0),), -10.0, -60.0))
    audio = render_scene(plan, capsules, BANK, "mic")
    before = audio[:, :20_000].astype(np.float64)
    assert audio.shape[0] == 4
    # Only the background sounds before the event: it faces capsule 1 and reaches it first.
    lags = [np.argmax(np.correlate(before[k], before[0, 100:-100], "valid")) - 100 for k in range(1, 4)]
    assert min(lags) >= 2
