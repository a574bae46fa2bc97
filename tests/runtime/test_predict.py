"""`Model.predict`: windows, Monte Carlo samples, and what it refuses."""

import numpy as np
import pytest

from edgeseld.core.errors import AudioFormatError, BundleError, ConfigError
from edgeseld.core.manifest import MaskSiteSpec
from edgeseld.core.prediction import Float32, Prediction
from edgeseld.core.spec import TrackingSpec
from edgeseld.runtime.masks import draw_masks
from edgeseld.runtime.windows import cut, cut_windows
from tests.runtime.parts import SIGNAL, SITES, WIDTH, MadeUpBackend, made_up_model, noise


def assert_same(ours: Prediction, theirs: Prediction) -> None:
    np.testing.assert_allclose(ours.activity, theirs.activity, atol=1e-6)
    np.testing.assert_allclose(ours.direction, theirs.direction, atol=1e-5)
    assert ours.uncertainty is not None
    assert theirs.uncertainty is not None
    for one, other in zip(ours.uncertainty.arrays(), theirs.uncertainty.arrays(), strict=True):
        np.testing.assert_allclose(one, other, atol=0.05)


@pytest.mark.parametrize(("samples", "frames"), [(1, 1), (2400, 1), (2401, 2), (14_400, 6), (14_401, 7), (40_000, 17)])
def test_a_started_label_frame_counts(samples: int, frames: int) -> None:
    model = made_up_model()
    for options in ({}, {"mc_samples": 3}, {"time_shifts": 3}):
        prediction = model.predict(noise(samples), **options)
        assert prediction.frames == frames
        assert prediction.activity.shape == (frames, 3, 2)
        assert prediction.direction.shape == (frames, 3, 2, 3)
        assert prediction.activity.dtype == prediction.direction.dtype == np.float32


def test_windows_hear_the_samples_before_them() -> None:
    audio = noise(20 * 2400)
    windows = cut_windows(audio, SIGNAL)
    assert windows.shape == (4, 4, 32 + 14_400)
    assert not windows[0, :, :32].any()
    np.testing.assert_array_equal(windows[1, :, :32], audio[:, 14_400 - 32 : 14_400])
    assert not windows[3, :, 32 + 4_800 :].any()


def test_cutting_beyond_the_ends_gives_silence() -> None:
    audio = np.arange(1, 9, dtype=np.float32).reshape(2, 4)
    assert cut(audio, -2, 2).tolist() == [[0, 0, 1, 2], [0, 0, 5, 6]]
    assert cut(audio, 3, 6).tolist() == [[4, 0, 0], [8, 0, 0]]
    assert cut(audio, 1, 3).tolist() == [[2, 3], [6, 7]]
    assert not cut(audio, -9, -5).any()
    assert not cut(audio, 5, 9).any()


def test_monte_carlo_against_single_passes_with_each_mask() -> None:
    model, audio = made_up_model(chunk=4, tracking=TrackingSpec(unify_deg=0.0)), noise(6 * 2400)
    prediction = model.predict(audio, mc_samples=6, seed=3)
    *_, embedding = model.backend.run("full", [cut_windows(audio, SIGNAL)[:1]])
    (mask,) = draw_masks(SITES, 0, 6, seed=3)
    lengths = [np.linalg.norm(model.backend.run("head", [embedding, one[None]])[0][0], axis=2) for one in mask]
    # Tracks may be swapped between samples, their sum cannot.
    expected = np.minimum(lengths, 1.0).mean(axis=0).sum(axis=1)
    np.testing.assert_allclose(prediction.activity.sum(axis=1), expected, atol=1e-6)


@pytest.mark.parametrize("chunk", [1, 3, 7, 20])
def test_chunks_of_the_head_graph_do_not_matter(chunk: int) -> None:
    audio = noise(9 * 2400)
    assert_same(
        made_up_model(chunk=chunk).predict(audio, mc_samples=7, seed=1),
        made_up_model().predict(audio, mc_samples=7, seed=1),
    )


def test_the_trunk_runs_once_per_window_and_the_head_once_per_chunk() -> None:
    model = made_up_model(chunk=4)
    assert isinstance(model.backend, MadeUpBackend)
    model.predict(noise(12 * 2400), mc_samples=10)
    assert model.backend.runs == ["full", "head", "head", "head"] * 2


def test_masks_that_keep_everything_are_the_plain_pass() -> None:
    model, audio = made_up_model(sites=(MaskSiteSpec(name="a", channels=WIDTH, rate=0.0),)), noise(13 * 2400)
    prediction, plain = model.predict(audio, mc_samples=5), model.predict(audio)
    np.testing.assert_allclose(prediction.activity, plain.activity, atol=1e-6)
    np.testing.assert_allclose(prediction.direction, plain.direction, atol=1e-5)
    assert prediction.uncertainty is not None
    assert prediction.uncertainty.activity_std.max() < 1e-6
    assert prediction.uncertainty.mutual_information.max() < 1e-6
    assert np.nanmax(prediction.uncertainty.direction_spread_deg) < 0.1


def test_seeds_repeat_and_differ() -> None:
    model, audio = made_up_model(), noise(6 * 2400)
    first, again, other = (model.predict(audio, mc_samples=4, seed=seed) for seed in (2, 2, 3))
    np.testing.assert_array_equal(first.activity, again.activity)
    assert np.abs(first.activity - other.activity).max() > 1e-3


def test_mutual_information_is_part_of_the_entropy() -> None:
    uncertainty = made_up_model().predict(noise(6 * 2400), mc_samples=40).uncertainty
    assert uncertainty is not None
    assert (uncertainty.mutual_information <= uncertainty.entropy).all()
    assert (uncertainty.entropy <= np.log(2) + 1e-6).all()
    assert uncertainty.mutual_information.mean() > 0.01


def test_events_carry_their_uncertainty() -> None:
    model = made_up_model(tracking=TrackingSpec(threshold=0.2))
    events = model.predict(noise(12 * 2400), mc_samples=4, time_shifts=3).events()
    assert events
    for event in events:
        assert event.uncertainty is not None
        assert (event.uncertainty.mc_samples, event.uncertainty.time_shifts) == (4, 3)
        assert event.uncertainty.direction_spread_deg is not None
        assert event.uncertainty.entropy >= event.uncertainty.mutual_information >= 0.0


def test_merged_tracks_are_as_uncertain_as_their_mean() -> None:
    audio = noise(6 * 2400)
    apart = made_up_model(tracking=TrackingSpec(threshold=0.1, unify_deg=0.0)).predict(audio, mc_samples=5)
    merged = made_up_model(tracking=TrackingSpec(threshold=0.1, unify_deg=180.0)).predict(audio, mc_samples=5)
    assert apart.uncertainty is not None
    assert merged.uncertainty is not None
    all_three = (apart.activity > 0.1).all(axis=1)
    assert all_three.any()
    for own, mean in zip(apart.uncertainty.arrays(), merged.uncertainty.arrays(), strict=True):
        np.testing.assert_allclose(mean[:, 0][all_three], own.mean(axis=1)[all_three], rtol=1e-4)


@pytest.mark.parametrize("head", ["multi-accdoa", "accdoa", "sed-doa", "sed"])
@pytest.mark.parametrize("distance", [False, True])
def test_every_head_draws_samples(head: str, distance: bool) -> None:
    model, audio = made_up_model(head, distance=distance and head != "sed"), noise(7 * 2400)  # type: ignore[arg-type]
    plain, drawn = model.predict(audio), model.predict(audio, mc_samples=3)
    assert drawn.activity.shape == plain.activity.shape
    assert (drawn.distance_m is None) == (plain.distance_m is None)
    assert drawn.uncertainty is not None
    assert np.isnan(drawn.uncertainty.direction_spread_deg).all() == (head == "sed")


def bad(shape: tuple[int, ...], value: float = 0.0) -> Float32:
    return np.full(shape, value, np.float32)


@pytest.mark.parametrize(
    ("audio", "reason"),
    [
        (bad((2, 4800)), r"hears foa audio \(4, samples\), got shape \(2, 4800\)"),
        (bad((4800,)), "got shape"),
        (bad((4, 0)), "no samples"),
        (bad((4, 10), np.nan), "NaN or infinite"),
        (bad((4, 10), np.inf), "NaN or infinite"),
    ],
)
def test_audio_that_cannot_be_heard(audio: Float32, reason: str) -> None:
    with pytest.raises(AudioFormatError, match=reason):
        made_up_model().predict(audio)


def test_impossible_numbers_of_samples() -> None:
    with pytest.raises(ConfigError, match="mc_samples must be 0"):
        made_up_model().predict(noise(2400), mc_samples=-1)


def test_a_bundle_without_dropout_says_so() -> None:
    with pytest.raises(BundleError, match="Monte Carlo dropout needs the graph 'head'"):
        made_up_model(roles=["full"]).predict(noise(2400), mc_samples=2)
