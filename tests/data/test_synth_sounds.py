"""Built-in sounds, activity of clips, and the manifest."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from edgeseld.core.classes import STARSS_CLASSES
from edgeseld.core.errors import AudioFormatError, DataError
from edgeseld.data.synth.activity import active_segments, clip_levels, close_gaps
from edgeseld.data.synth.builtin import SOUNDS, builtin_sound
from edgeseld.data.synth.builtin.shaping import bubble
from edgeseld.data.synth.catalogue import builtin_shares, builtin_sources, make_catalogue
from edgeseld.data.synth.clips import ClipBank, load_clip_bank, make_clip_bank
from edgeseld.data.synth.definition import HeldoutDefinition, SetSpec
from edgeseld.data.synth.manifest import read_manifest, select
from edgeseld.data.synth.workers import untracked, worker_pool
from tests.data.synth_parts import bank_of, noise_clip, write_clips


def make_definition(**changes: object) -> HeldoutDefinition:
    fields: dict[str, object] = {
        "headline_classes": ("bell",),
        "unsettled_licences": ("GPL-3.0",),
        "heldout_groups": {"bell": ("bell:0",), "interference": ("interference:0",)},
        "validation_groups": {"bell": ("bell:1",)},
        "sets": {"one": SetSpec(split="heldout", scenes=1, scene_s=5, seed=1, measured_share=1.0)},
    }
    return HeldoutDefinition(**{**fields, **changes})  # type: ignore[arg-type]


def test_every_class_has_a_built_in_sound() -> None:
    assert set(STARSS_CLASSES) | {"interference", "ambience"} == set(SOUNDS)


@pytest.mark.parametrize("kind", list(SOUNDS))
def test_built_in_sounds_are_sound_and_come_from_their_seed(kind: str) -> None:
    sound = builtin_sound(kind, (5, 1))
    assert sound.dtype == np.float32
    assert 0.1 * 24_000 < len(sound) <= 10 * 24_000
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() == pytest.approx(10 ** (-3 / 20), rel=1e-5)
    np.testing.assert_array_equal(sound, builtin_sound(kind, (5, 1)))
    other = builtin_sound(kind, (5, 2))
    assert len(other) != len(sound) or not np.array_equal(other, sound)


def median_pitch_hz(kind: str) -> float:
    """Median over seeds of the strongest periodicity between 60 and 400 Hz in the loudest 80 ms."""
    pitches = []
    for seed in range(6):
        sound = builtin_sound(kind, (seed,)).astype(np.float64)
        loudest = int(np.argmax(np.convolve(sound**2, np.ones(1_920), "valid")))
        spectrum = np.fft.rfft(sound[loudest : loudest + 1_920], 4_096)
        correlation = np.fft.irfft(np.abs(spectrum) ** 2)[60:400]
        pitches.append(24_000 / (60 + int(np.argmax(correlation))))
    return float(np.median(pitches))


def test_voices_have_the_pitch_of_women_and_men() -> None:
    assert 150 < median_pitch_hz("female_speech") < 320
    assert 75 < median_pitch_hz("male_speech") < 170


def test_a_bubble_rings_at_minnaerts_frequency() -> None:
    ring = bubble(np.random.default_rng(0), 3.0)
    frequency = np.argmax(np.abs(np.fft.rfft(ring, 24_000)))
    assert frequency == pytest.approx(1_000, rel=0.15)


def test_levels_ignore_pauses() -> None:
    steady = noise_clip(1.0)
    with_pause = np.concatenate([steady, np.zeros(48_000, np.float32), steady])
    assert clip_levels(with_pause)[0] == pytest.approx(clip_levels(steady)[0], abs=0.1)
    assert clip_levels(steady)[0] == pytest.approx(-20, abs=0.2)


def test_segments_are_where_the_clip_sounds() -> None:
    clip = np.zeros(72_000, np.float32)
    clip[24_000:36_000] = noise_clip(0.5)
    (segment,) = active_segments(clip_levels(clip)[1], -30.0)
    assert segment[0] == pytest.approx(24_000, abs=480)
    assert segment[1] == pytest.approx(36_000, abs=480)


def test_a_decay_counts_down_to_the_floor() -> None:
    clip = (np.exp(-6.9 * np.arange(48_000) / 48_000) * np.sin(np.arange(48_000))).astype(np.float32)
    levels = clip_levels(clip)[1]
    ends = [active_segments(levels, floor)[0][1] for floor in (-10.0, -20.0, -30.0)]
    assert ends == sorted(ends)
    assert (ends[2] - ends[1]) / 48_000 == pytest.approx(10 / 60, abs=0.02)


def test_pauses_of_half_a_second_are_closed() -> None:
    assert close_gaps([(12_000, 20_000), (0, 0 + 100)]) == [(0, 20_000)]
    assert close_gaps([(0, 100), (12_101, 20_000)]) == [(0, 100), (12_101, 20_000)]


def test_the_manifest_is_checked(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds manifest.csv, and .* has none"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.csv").write_text("file,class\n")
    with pytest.raises(DataError, match="'split_group' is missing: add it"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.csv").write_text("file,class,split_group\n")
    with pytest.raises(DataError, match="lists no clip"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.csv").write_text("file,class,split_group\na.wav,bell,\n")
    with pytest.raises(DataError, match="line 2 has no 'split_group'"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.csv").write_text("file,class,split_group\na.wav,bell,g\n")
    with pytest.raises(DataError, match=r"line 2 names a.wav, which is not on disk"):
        read_manifest(tmp_path)


def test_classes_are_those_of_starss_first_then_ones_own(tmp_path: Path) -> None:
    folder = write_clips(tmp_path, {"glass_break": 1, "interference": 1, "knock": 1, "bell": 1, "alarm": 1})
    assert read_manifest(folder).classes == ("bell", "knock", "glass_break", "alarm")


def test_splits_are_by_group_and_disjoint(tmp_path: Path) -> None:
    manifest = read_manifest(write_clips(tmp_path, {"bell": 4, "interference": 2}))
    definition = make_definition(excluded_groups={"bell:3": "not a bell"})
    chosen = {split: select(manifest, split, definition).groups() for split in ("train", "validation", "heldout")}  # type: ignore[arg-type]
    assert chosen["heldout"] == {"bell": ("bell:0",), "interference": ("interference:0",)}
    assert chosen["validation"] == {"bell": ("bell:1",)}
    assert chosen["train"] == {"bell": ("bell:2",), "interference": ("interference:1",)}
    assert select(manifest, "all", None).groups()["bell"] == ("bell:0", "bell:1", "bell:2", "bell:3")


def test_unsettled_licences_stay_out_of_training(tmp_path: Path) -> None:
    manifest = read_manifest(write_clips(tmp_path, {"bell": 3, "interference": 1}, licence="GPL-3.0 (asset)"))
    training = select(manifest, "train", make_definition())
    assert training.recordings == ()
    assert training.left_out == {"bell": ("bell:0", "bell:1", "bell:2"), "interference": ("interference:0",)}
    assert select(manifest, "heldout", make_definition()).groups()["bell"] == ("bell:0",)


def test_a_definition_of_other_clips_is_refused(tmp_path: Path) -> None:
    manifest = read_manifest(write_clips(tmp_path, {"bell": 1}))
    with pytest.raises(DataError, match="which the manifest lacks"):
        select(manifest, "train", make_definition())


def test_thin_classes_are_thickened_in_training_only() -> None:
    groups = {"bell": ("a",) * 5, "female_speech": ("a",) * 40, "interference": ("a",), "ambience": ("a",)}
    classes = ("bell", "female_speech", "knock", "glass_break")
    assert builtin_shares(classes, groups, "train") == {"bell": 0.3, "knock": 1.0, "interference": 0.7, "ambience": 0.7}
    assert builtin_shares(classes, groups, "heldout") == {"knock": 1.0}


def test_built_in_sounds_differ_between_splits() -> None:
    train, heldout = (builtin_sources({"bell": 1.0}, 3, split) for split in ("train", "heldout"))  # type: ignore[arg-type]
    assert not {source.name for source in train} & {source.name for source in heldout}


def test_a_class_without_clips_is_refused() -> None:
    with pytest.raises(DataError, match="'glass_break' has none in this split"):
        make_catalogue(("bell", "glass_break"), bank_of({"bell/a/0": noise_clip(0.5)}), {})


def test_groups_are_drawn_alike_however_many_clips_they_have() -> None:
    sounds = {f"bell/big/{number}": noise_clip(0.1, number) for number in range(9)} | {"bell/small/0": noise_clip(0.1)}
    voice = make_catalogue(("bell",), bank_of(sounds), {}).voices[0]
    rng = np.random.default_rng(0)
    small = np.mean([len(voice.draw_group(rng)) == 1 for _ in range(400)])
    assert 0.4 < small < 0.6


def test_the_bank_keeps_every_sample(tmp_path: Path) -> None:
    folder = write_clips(tmp_path / "clips", {"bell": 2})
    with worker_pool(1, untracked) as mapper:
        bank = load_clip_bank(make_clip_bank(tmp_path, list(read_manifest(folder).recordings), mapper))
    second = bank.clips[1]
    expected, _ = soundfile.read(folder / "bell-1.wav", dtype="float32")
    assert second.samples == len(expected)
    read = bank.read(1, 100, 500) * 10 ** (second.level_db / 20)
    np.testing.assert_allclose(read, expected[100:600], atol=1e-6)
    assert len(bank.levels(1)) == -(-len(expected) // 240)


def bank_of_one(folder: Path, sound: np.ndarray, rate_hz: int) -> ClipBank:
    write_clips(folder / "clips", {"bell": 1})
    soundfile.write(folder / "clips" / "bell-0.wav", sound, rate_hz)
    with worker_pool(1, untracked) as mapper:
        return load_clip_bank(make_clip_bank(folder, list(read_manifest(folder / "clips").recordings), mapper))


def test_clips_at_other_rates_are_resampled(tmp_path: Path) -> None:
    bank = bank_of_one(tmp_path, 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(48_000) / 48_000), 48_000)
    assert bank.clips[0].samples == 24_000
    assert np.argmax(np.abs(np.fft.rfft(bank.read(0, 0, 24_000)))) == 1_000


def test_clips_are_mono_and_sound(tmp_path: Path) -> None:
    with pytest.raises(AudioFormatError, match="format mono needs 1 channels, got 2"):
        bank_of_one(tmp_path, np.zeros((100, 2)), 24_000)
    with pytest.raises(DataError, match=r"bell-0.wav is silent: remove it"):
        bank_of_one(tmp_path, np.zeros(4_800), 24_000)
