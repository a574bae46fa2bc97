"""Calibration of activities: bins by hand, ranks against a double loop, and what sure things give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseld.core.errors import DataError
from edgeseld.core.prediction import Prediction
from edgeseld.metrics.calibration import auroc, brier_score, class_activity, class_presence, reliability
from tests.metrics.scenes import labels

PROBABILITY = np.array([0.05, 0.15, 0.15, 0.9, 1.0])
OUTCOME = np.array([False, False, True, True, True])


def test_fixed_bins() -> None:
    got = reliability(PROBABILITY, OUTCOME, bins=10)
    assert got.count.tolist() == [1, 2, 2]
    assert got.confidence == pytest.approx([0.05, 0.15, 0.95])
    assert got.frequency == pytest.approx([0, 0.5, 1])
    assert got.expected_error == pytest.approx((0.05 + 2 * 0.35 + 2 * 0.05) / 5)
    assert got.largest_error == pytest.approx(0.35)


def test_adaptive_bins_hold_equally_many() -> None:
    got = reliability(np.linspace(0, 0.1, 1000), np.zeros(1000, dtype=bool), bins=8, adaptive=True)
    assert got.count.tolist() == [125] * 8
    assert got.expected_error == pytest.approx(0.05)
    few = reliability(PROBABILITY, OUTCOME, bins=15, adaptive=True)
    assert few.count.tolist() == [1] * 5


def test_a_calibrated_system_has_a_small_error_in_either_binning() -> None:
    generator = np.random.default_rng(1)
    probability = generator.beta(0.3, 2, 100_000)
    outcome = generator.random(100_000) < probability
    for adaptive in (False, True):
        assert reliability(probability, outcome, adaptive=adaptive).expected_error < 0.005
        assert reliability(probability**2, outcome, adaptive=adaptive).expected_error > 0.03


def test_brier_score() -> None:
    assert brier_score(PROBABILITY, OUTCOME) == pytest.approx((0.05**2 + 0.15**2 + 0.85**2 + 0.1**2) / 5)
    assert brier_score(np.full((4, 3), 0.5), np.eye(4, 3, dtype=bool)) == 0.25


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=25))
def test_auroc_counts_pairs(pairs: list[tuple[int, bool]]) -> None:
    score, outcome = (np.array(column) for column in zip(*pairs, strict=True))
    wins = [(a > b) + (a == b) / 2 for a in score[outcome] for b in score[~outcome]]
    assert auroc(score, outcome) == pytest.approx(np.mean(wins) if wins else np.nan, nan_ok=True)


@pytest.mark.parametrize(
    ("probability", "outcome", "message"),
    [
        ([0.1, 0.2], [True], "one outcome per probability"),
        ([], [], "one outcome per probability"),
        ([0.1, 1.2], [True, False], r"in \[0, 1\], got 0.1 to 1.2"),
        ([0.1, np.nan], [True, False], r"in \[0, 1\]"),
    ],
)
def test_what_are_no_probabilities(probability: list[float], outcome: list[bool], message: str) -> None:
    with pytest.raises(DataError, match=message):
        reliability(np.array(probability), np.array(outcome, dtype=bool))


def test_activity_and_presence_of_classes() -> None:
    activity = np.zeros((3, 2, 2), dtype=np.float32)
    activity[1, 0, 1], activity[1, 1, 1] = 0.25, 0.75
    prediction = Prediction(activity, np.zeros((3, 2, 2, 3), dtype=np.float32), ("a", "b"))
    assert class_activity(prediction).tolist() == [[0, 0], [0, 0.75], [0, 0]]
    present = class_presence(labels([(0, 1, 0, 0, 0), (0, 1, 1, 9, 0), (5, 0, 0, 0, 0)]), frames=3, class_count=2)
    assert present.tolist() == [[False, True], [False, False], [False, False]]
