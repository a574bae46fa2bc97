"""Which track of one pass is which of another: by hand, and against a search in plain loops."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeseld.runtime.alignment import align
from edgeseld.runtime.samples import Samples, decode_samples


def samples_of(vectors: NDArray[np.float64]) -> Samples:
    """(samples, tracks, 3) of one frame and class."""
    accdoa = vectors[:, np.newaxis, :, :, np.newaxis].astype(np.float32)
    return decode_samples({"accdoa": accdoa}, "multi-accdoa")


def tracks_of(samples: Samples) -> NDArray[np.float32]:
    """(samples, tracks, 3) of one frame and class."""
    return samples.weighted[:, :, :, 0, 0].transpose(2, 1, 0)


def plain_order(reference: NDArray[np.float64], sample: NDArray[np.float64]) -> tuple[int, ...]:
    """Permutation of the largest agreement, by loops in float64."""

    def agreement(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
        lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
        if lengths == 0:
            return 0.0
        weight = min(np.linalg.norm(first), 1.0) * min(np.linalg.norm(second), 1.0)
        return float(weight * (1.0 + first @ second / lengths))

    return max(
        permutations(range(3)), key=lambda order: sum(agreement(reference[t], sample[order[t]]) for t in range(3))
    )


X, Y, Z = np.eye(3)
NOTHING = np.zeros(3)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_every_permutation_is_undone(order: tuple[int, ...]) -> None:
    reference = np.stack([0.9 * X, 0.8 * Y, 0.7 * Z])
    aligned = align(samples_of(reference[list(order)][None]), samples_of(reference[None]))
    np.testing.assert_allclose(tracks_of(aligned)[0], reference, atol=1e-7)
    np.testing.assert_allclose(aligned.activity[:, 0, 0, 0], [0.9, 0.8, 0.7], atol=1e-7)


def test_a_quiet_track_gives_way_to_a_loud_one() -> None:
    """The quiet track lies nearer, but 0.9 x 0.1 of full agreement is less than 0.9 x 0.9 of nearly full agreement."""
    reference = np.stack([0.9 * X, NOTHING, NOTHING])
    near_x = 0.9 * np.array([np.cos(0.15), 0.0, np.sin(0.15)])
    sample = np.stack([0.1 * X, near_x, NOTHING])
    aligned = tracks_of(align(samples_of(sample[None]), samples_of(reference[None])))
    np.testing.assert_allclose(aligned[0], [near_x, 0.1 * X, NOTHING], atol=1e-6)


def test_a_source_that_moved_stays_on_its_track_although_the_others_are_silent() -> None:
    reference = np.stack([NOTHING, 0.9 * X, NOTHING])
    sample = np.stack([NOTHING, -0.8 * X + 0.1 * Y, NOTHING])
    aligned = tracks_of(align(samples_of(sample[None]), samples_of(reference[None])))
    np.testing.assert_array_equal(aligned[0], np.float32(sample))


def test_two_sources_that_changed_places_change_back_although_one_is_louder() -> None:
    reference = np.stack([0.9 * X, 0.3 * Y, NOTHING])
    sample = np.stack([0.8 * Y, 0.35 * X, NOTHING])
    aligned = tracks_of(align(samples_of(sample[None]), samples_of(reference[None])))
    np.testing.assert_array_equal(aligned[0], np.float32(sample[[1, 0, 2]]))


def test_ties_go_to_the_lexicographically_first_order() -> None:
    """Silent tracks count for nothing, so all orders that keep track 0 tie, and without any vector all six do."""
    reference = np.stack([X, NOTHING, NOTHING])
    sample = np.stack([X, 0.4 * Y, 0.4 * Z])
    np.testing.assert_array_equal(
        tracks_of(align(samples_of(sample[None]), samples_of(reference[None])))[0], np.float32(sample)
    )
    silent = samples_of(np.zeros((1, 3, 3)))
    np.testing.assert_array_equal(tracks_of(align(samples_of(sample[None]), silent))[0], np.float32(sample))


@given(st.integers(0, 2**32 - 1))
def test_against_a_search_in_plain_loops(seed: int) -> None:
    generator = np.random.default_rng(seed)
    vectors = generator.normal(0.0, 0.6, (5, 3, 3)) * (generator.random((5, 3, 1)) < 0.8)
    aligned = tracks_of(align(samples_of(vectors[1:]), samples_of(vectors[:1])))
    for sample, ours in zip(np.float32(vectors[1:]).astype(float), aligned, strict=True):
        order = plain_order(np.float32(vectors[0]).astype(float), sample)
        expected = sample[list(order)] / np.maximum(np.linalg.norm(sample[list(order)], axis=1, keepdims=True), 1.0)
        np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_frames_and_classes_are_aligned_one_by_one() -> None:
    generator = np.random.default_rng(1)
    reference = generator.normal(0.0, 0.5, (1, 4, 3, 4, 2)).astype(np.float32)
    shuffled = np.empty((3, 4, 3, 4, 2), np.float32)
    for sample, frame, class_id in np.ndindex(3, 4, 2):
        shuffled[sample, frame, :, :, class_id] = reference[0, frame, generator.permutation(3), :, class_id]
    expected = decode_samples({"accdoa": reference}, "multi-accdoa")
    aligned = align(decode_samples({"accdoa": shuffled}, "multi-accdoa"), expected)
    np.testing.assert_array_equal(aligned.weighted, np.repeat(expected.weighted, 3, axis=2))


def test_single_tracks_are_left_alone() -> None:
    samples = decode_samples({"activity": np.full((2, 3, 4), 0.5, np.float32)}, "sed")
    assert align(samples, samples) is samples
