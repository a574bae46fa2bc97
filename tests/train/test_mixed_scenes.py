"""Scenes mixed on the fly: functions of seed and step, labelled as they sound, trained on to the same weights."""

from pathlib import Path

import numpy as np
import pytest
import torch

from edgeseld.core.errors import TrainingError
from edgeseld.core.recipe import WaveformSpec
from edgeseld.data.synth.dataset import Job, Request, make_dataset
from edgeseld.data.synth.workers import untracked
from edgeseld.nn.network import SeldNetwork
from edgeseld.nn.weights import WEIGHTS_FILE
from edgeseld.train.feature_store import without_progress
from edgeseld.train.mixed_scenes import STATISTICS_BATCHES, MixedWindows, prepare_banks
from edgeseld.train.supervised import Sources, train
from edgeseld.train.waveform import distort
from tests.data.synth_parts import write_clips, write_rooms
from tests.train.conftest import RECIPE, recipe_file


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> Request:
    """Two classes of noise in a free field."""
    folder = tmp_path_factory.mktemp("inputs")
    sounds = write_clips(folder / "clips", {"beep": 2, "buzz": 2})
    rooms = write_rooms(folder / "rooms", list(range(-180, 180, 30)))
    return Request(scenes=2, scene_s=5, sounds=sounds, measured=rooms, seed=4)


@pytest.fixture(scope="module")
def job(request_: Request, tmp_path_factory: pytest.TempPathFactory) -> Job:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGESELD_CACHE", str(tmp_path_factory.mktemp("cache")))
        return prepare_banks(request_, without_progress)


def windows_of(job: Job, **changes: int) -> MixedWindows:
    settings = {"batch_size": 6, "steps": 8, "seed": 0} | changes
    return MixedWindows(job, RECIPE.signal, WaveformSpec(), **settings)


def test_a_batch_is_a_function_of_seed_and_step(job: Job) -> None:
    one, other = windows_of(job), windows_of(job)
    other.batch(1)
    assert torch.equal(one.batch(5).features, other.batch(5).features)
    assert torch.equal(one.batch(5).target, other.batch(5).target)
    assert not torch.equal(one.batch(5).features, one.batch(6).features)
    assert not torch.equal(one.batch(5).features, windows_of(job, seed=1).batch(5).features)


def test_batches_have_the_shapes_of_stored_ones(job: Job) -> None:
    batch = windows_of(job).batch(0)
    assert batch.features.shape == (6, 7, 50, 16)
    assert batch.target.shape == (6, 10, 6, 5, 2)
    assert len(batch.places) == 6
    assert batch.target[:, :, :, 0].max() == 1.0


def test_labels_point_where_the_intensity_does(job: Job) -> None:
    batches = [windows_of(job, batch_size=12).batch(step) for step in range(4)]
    target = torch.cat([batch.target for batch in batches])
    features = torch.cat([batch.features for batch in batches]).unflatten(2, (10, 5)).mean(dim=3)
    lone = target[:, :, :, 0].sum(dim=(2, 3)) == 1
    lone &= target[:, :, 0, 0].sum(dim=2) == 1
    direction = target[:, :, 0, 1:4].sum(dim=3)[lone]
    y, z, x = features[:, 4:].mean(dim=3).unbind(dim=1)
    heard = torch.stack([x, y, z], dim=2)[lone]
    cosine = torch.nn.functional.cosine_similarity(heard, direction, dim=1)
    assert cosine.median() > 0.9


def test_statistics_come_from_batches_that_are_not_trained_on(job: Job) -> None:
    windows, network = windows_of(job), SeldNetwork(RECIPE)
    windows.standardise(network)
    features = torch.cat([windows.batch(step).features for step in range(-STATISTICS_BATCHES, 0)])
    standardised = network.frontend.standardise(features)
    assert standardised.mean(dim=(0, 2)).abs().max() < 1e-4
    assert standardised.std(dim=(0, 2)).sub(1.0).abs().max() < 1e-3


def test_training_needs_a_validation_set_and_no_other_data(
    request_: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGESELD_CACHE", str(tmp_path / "cache"))
    validation = tmp_path / "validation"
    make_dataset(validation, request_, tmp_path / "cache", track=untracked)
    recipe = recipe_file(tmp_path, steps=2, warmup_steps=0)
    sources = Sources((), validation, mixed=request_)
    assert train(recipe, sources, tmp_path / "run").steps == 2
    assert (tmp_path / "run" / WEIGHTS_FILE).exists()
    for wrong in (Sources((), None, mixed=request_), Sources((validation,), validation, mixed=request_)):
        with pytest.raises(TrainingError, match="take the place of --data, and need a --validation set"):
            train(recipe, wrong, tmp_path / "other")


TONE = np.tile(0.2 * np.sin(np.arange(48_000) * 2 * np.pi * 440 / 24_000), (4, 1)).astype(np.float32)
TONE *= np.array([[1.0], [0.5], [0.0], [0.8]], np.float32)


def test_no_augmentation_is_none() -> None:
    assert distort(TONE, WaveformSpec(), 3) is TONE


def test_gain_is_within_its_bounds_and_the_same_for_all_channels() -> None:
    gains = []
    for seed in range(20):
        louder = distort(TONE, WaveformSpec(gain_share=1.0, gain_db=6.0), seed)
        gain = np.abs(louder).max() / np.abs(TONE).max()
        np.testing.assert_allclose(louder, np.clip(TONE * gain, -1, 1), atol=1e-4)
        gains.append(20 * np.log10(gain))
    assert -6.01 <= min(gains) < -2
    assert 2 < max(gains) <= 6.01


def test_noise_has_the_ratio_asked_for() -> None:
    noisy = distort(TONE, WaveformSpec(noise_share=1.0, noise_snr_db=(20.0, 20.0)), 0)
    # audiomentations takes the mean of the channels' effective values.
    level = np.sqrt(np.square(TONE).mean(axis=1)).mean()
    ratio = 20 * np.log10(level / np.sqrt(np.square(noisy - TONE).mean()))
    assert ratio == pytest.approx(20.0, abs=0.5)


def test_clipping_cuts_the_peaks_alone() -> None:
    clipped = distort(TONE, WaveformSpec(clipping_share=1.0, clipping_percentile=40), 1)
    changed = clipped != TONE
    assert 0 < changed.mean() < 0.4
    assert np.abs(clipped).max() < np.abs(TONE).max()


def test_pitch_moves_and_length_and_channel_gains_stay() -> None:
    moved = distort(TONE, WaveformSpec(pitch_share=1.0, pitch_semitones=4.0), 2)
    assert moved.shape == TONE.shape
    spectrum = np.abs(np.fft.rfft(moved[0] * np.hanning(48_000)))
    frequency_hz = spectrum.argmax() / 2
    assert 440 * 2 ** (-4 / 12) - 1 <= frequency_hz <= 440 * 2 ** (4 / 12) + 1
    assert abs(frequency_hz - 440) > 5
    middle = slice(10_000, 38_000)
    np.testing.assert_allclose(moved[3, middle], 0.8 * moved[0, middle], atol=0.01)


def test_the_same_seed_distorts_alike() -> None:
    spec = WaveformSpec(gain_share=0.5, noise_share=0.5, clipping_share=0.5, pitch_share=0.5)
    assert (distort(TONE, spec, 7) == distort(TONE, spec, 7)).all()
