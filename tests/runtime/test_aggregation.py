"""The formulae of uncertainty: values worked out by hand, and loops in float64 beside them."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeseld.core.prediction import Prediction
from edgeseld.runtime.aggregation import Counts, aggregate, binary_entropy
from edgeseld.runtime.samples import Samples, decode_samples

CLASSES = ("bell",)


def one_cell(*vectors: tuple[float, ...]) -> Prediction:
    """Samples of one track in one frame and class."""
    accdoa = np.array(vectors, np.float32)[:, None, None, :, None]
    return aggregate(decode_samples({"accdoa": accdoa}, "accdoa"), CLASSES, Counts(len(vectors), 1))


def value(prediction: Prediction, name: str) -> float:
    return float(getattr(prediction.uncertainty, name)[0, 0, 0])


def test_two_samples_by_hand() -> None:
    """p = 0.2 and 0.8, 90 degrees apart: mean 0.5, deviation 0.3, and R = |(0.2, 0.8)| / 1."""
    prediction = one_cell((0.2, 0.0, 0.0), (0.0, 0.8, 0.0))
    assert prediction.activity[0, 0, 0] == pytest.approx(0.5)
    assert value(prediction, "activity_std") == pytest.approx(0.3)
    assert value(prediction, "entropy") == pytest.approx(math.log(2))
    own = -0.2 * math.log(0.2) - 0.8 * math.log(0.8)
    assert value(prediction, "mutual_information") == pytest.approx(math.log(2) - own, rel=1e-5)
    length = math.hypot(0.2, 0.8)
    assert prediction.direction[0, 0, 0].tolist() == pytest.approx([0.2 / length, 0.8 / length, 0.0])
    assert value(prediction, "direction_spread_deg") == pytest.approx(math.degrees(math.acos(length)), abs=1e-3)


def test_samples_at_plus_and_minus_an_angle_spread_by_that_angle() -> None:
    at = math.radians(20)
    prediction = one_cell((math.cos(at), math.sin(at), 0.0), (math.cos(at), -math.sin(at), 0.0))
    assert value(prediction, "direction_spread_deg") == pytest.approx(20.0, abs=1e-3)
    assert prediction.direction[0, 0, 0].tolist() == pytest.approx([1.0, 0.0, 0.0], abs=1e-6)


def test_opposite_samples_have_no_direction_and_the_largest_spread() -> None:
    prediction = one_cell((0.5, 0.0, 0.0), (-0.5, 0.0, 0.0))
    assert not prediction.direction.any()
    assert value(prediction, "direction_spread_deg") == pytest.approx(90.0)


def test_equal_samples_are_certain_of_what_they_say() -> None:
    prediction = one_cell(*[(0.3, 0.0, 0.4)] * 7)
    assert prediction.activity[0, 0, 0] == pytest.approx(0.5)
    assert value(prediction, "activity_std") == pytest.approx(0.0, abs=1e-6)
    assert value(prediction, "mutual_information") == pytest.approx(0.0, abs=1e-6)
    assert value(prediction, "entropy") == pytest.approx(math.log(2))
    assert value(prediction, "direction_spread_deg") == pytest.approx(0.0, abs=0.05)


def test_where_nothing_is_active_there_is_no_spread() -> None:
    prediction = one_cell((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    assert math.isnan(value(prediction, "direction_spread_deg"))
    assert value(prediction, "entropy") == 0.0
    assert not prediction.direction.any()


def test_a_zero_vector_weighs_nothing_in_the_direction_but_counts_in_the_activity() -> None:
    prediction = one_cell((0.6, 0.0, 0.0), (0.0, 0.0, 0.0))
    assert prediction.activity[0, 0, 0] == pytest.approx(0.3)
    assert value(prediction, "direction_spread_deg") == pytest.approx(0.0, abs=0.05)


def test_vectors_longer_than_one_count_as_one() -> None:
    prediction = one_cell((1.0, 1.0, 0.0), (1.0, 0.0, 0.0))
    assert prediction.activity[0, 0, 0] == 1.0
    expected = np.array([1 + math.sqrt(0.5), math.sqrt(0.5), 0.0])
    assert prediction.direction[0, 0, 0].tolist() == pytest.approx((expected / np.linalg.norm(expected)).tolist())


def test_distance_is_weighted_by_activity_and_never_negative() -> None:
    prediction = one_cell((0.2, 0.0, 0.0, 1.0), (0.6, 0.0, 0.0, 3.0), (0.2, 0.0, 0.0, -4.0))
    assert prediction.distance_m is not None
    assert prediction.distance_m[0, 0, 0] == pytest.approx((0.2 * 1 + 0.6 * 3) / 1.0)


def test_entropy_of_certainties_is_zero() -> None:
    assert binary_entropy(np.array([0.0, 1.0, 0.5], np.float32)).tolist() == pytest.approx([0.0, 0.0, math.log(2)])


def random_samples(seed: int) -> Samples:
    generator = np.random.default_rng(seed)
    accdoa = generator.normal(0.0, 0.5, (6, 5, 3, 4, 2)).astype(np.float32)
    return decode_samples({"accdoa": accdoa}, "multi-accdoa")


def plain(samples: Samples, weights: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
    """The formulae cell by cell in float64, arrays (tracks, frames, classes)."""

    def h(p: float) -> float:
        return -sum(q * math.log(q) for q in (p, 1 - p) if q > 0)

    tracks, _, frames, classes = samples.activity.shape
    names = ("activity", "activity_std", "entropy", "mutual_information", "direction_spread_deg", "distance_m")
    result = {name: np.zeros((tracks, frames, classes)) for name in names}
    for track, frame, class_id in np.ndindex(tracks, frames, classes):
        held = np.flatnonzero(weights[:, frame])
        p = [float(samples.activity[track, n, frame, class_id]) for n in held]
        v = [samples.weighted[:, track, n, frame, class_id].astype(float) for n in held]
        mean = sum(p) / len(p)
        values = {
            "activity": mean,
            "activity_std": math.sqrt(sum((q - mean) ** 2 for q in p) / len(p)),
            "entropy": h(mean),
            "mutual_information": h(mean) - sum(h(q) for q in p) / len(p),
            "direction_spread_deg": math.degrees(math.acos(min(np.linalg.norm(sum(v)[:3]) / sum(p), 1.0))),
            "distance_m": float(sum(v)[3]) / sum(p),
        }
        for name, number in values.items():
            result[name][track, frame, class_id] = number
    return result


@pytest.mark.parametrize("some_are_missing", [False, True])
def test_against_loops_in_float64(some_are_missing: bool) -> None:
    samples = random_samples(0)
    weights = np.ones((6, 5), np.float32)
    if some_are_missing:
        weights[2:, 0] = 0.0
        weights[:4, 4] = 0.0
    prediction = aggregate(samples, ("a", "b"), Counts(6, 1), weights if some_are_missing else None)
    for name, expected in plain(samples, weights).items():
        holder = prediction if name in ("activity", "distance_m") else prediction.uncertainty
        ours = getattr(holder, name)
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, expected.transpose(1, 0, 2), atol=0.02 if name.endswith("deg") else 2e-6)
    np.testing.assert_allclose(np.linalg.norm(prediction.direction, axis=-1), 1.0, atol=1e-6)


def test_the_order_of_the_samples_does_not_matter() -> None:
    samples = random_samples(1)
    order = np.random.default_rng(2).permutation(6)
    first = aggregate(samples, ("a", "b"), Counts(6, 1))
    second = aggregate(Samples(samples.activity[:, order], samples.weighted[:, :, order]), ("a", "b"), Counts(6, 1))
    assert first.uncertainty is not None
    assert second.uncertainty is not None
    np.testing.assert_allclose(first.direction, second.direction, atol=1e-6)
    for ours, theirs in zip(first.uncertainty.arrays(), second.uncertainty.arrays(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_detection_without_directions() -> None:
    activity = np.array([[[0.2]], [[0.6]]], np.float32)
    prediction = aggregate(decode_samples({"activity": activity}, "sed"), CLASSES, Counts(2, 1))
    assert prediction.activity[0, 0, 0] == pytest.approx(0.4)
    assert prediction.direction.shape == (1, 1, 1, 3)
    assert not prediction.direction.any()
    assert math.isnan(value(prediction, "direction_spread_deg"))


def test_detection_with_directions_weighs_unit_vectors_by_activity() -> None:
    """The length of the vectors beside a SED head means nothing."""
    output = {
        "activity": np.array([[[0.3]], [[0.9]]], np.float32),
        "vectors": np.array([[[[5.0], [0.0], [0.0]]], [[[0.0], [0.1], [0.0]]]], np.float32),
        "distance": np.array([[[2.0]], [[4.0]]], np.float32),
    }
    prediction = aggregate(decode_samples(output, "sed-doa"), CLASSES, Counts(2, 1))
    expected = np.array([0.3, 0.9, 0.0]) / math.hypot(0.3, 0.9)
    assert prediction.direction[0, 0, 0].tolist() == pytest.approx(expected.tolist(), abs=1e-6)
    assert prediction.distance_m is not None
    assert prediction.distance_m[0, 0, 0] == pytest.approx((0.3 * 2 + 0.9 * 4) / 1.2)
