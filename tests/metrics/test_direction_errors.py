"""Direction errors match by match, and caps of the von Mises-Fisher distribution."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseld.core.errors import DataError
from edgeseld.core.prediction import Prediction, Uncertainty
from edgeseld.metrics.direction_errors import angular_coverage, cap_radius_deg, direction_errors
from edgeseld.metrics.labels import labels_from_prediction
from edgeseld.metrics.rules import RULES
from tests.metrics.scenes import labels, track

RULES_2024 = replace(RULES["dcase2023"], block_frames=1, corrected=True)


def test_errors_of_all_matches_whatever_the_threshold() -> None:
    reference = {"a": labels(track(range(3), 0, 0, 0) + track(range(3), 1, 1, 0))}
    prediction = {"a": labels(track(range(2), 0, 0, 5) + track(range(1), 1, 0, 90) + track(range(3), 2, 0, 0))}
    got = direction_errors(reference, prediction, RULES_2024)
    assert got.error_deg == pytest.approx([5, 90, 5])
    assert got.class_id.tolist() == [0, 1, 0]
    assert np.isnan(got.spread_deg).all()
    assert got.share_within(20) == pytest.approx(2 / 3)


def test_spreads_follow_their_prediction() -> None:
    frames, shape = 2, (2, 1, 2)
    direction = np.zeros((*shape, 3), dtype=np.float32)
    direction[..., 0] = 1
    spread = np.arange(4, dtype=np.float32).reshape(shape)
    nothing = np.zeros(shape, dtype=np.float32)
    uncertainty = Uncertainty(nothing, nothing, nothing, spread, mc_samples=3, time_shifts=1)
    prediction = Prediction(np.ones(shape, dtype=np.float32), direction, ("a", "b"), uncertainty=uncertainty)
    reference = labels(track(range(frames), 1, 0, 30))
    got = direction_errors({"a": reference}, {"a": labels_from_prediction(prediction)}, RULES_2024)
    assert got.error_deg == pytest.approx([30, 30], abs=1e-5)
    assert got.spread_deg.tolist() == [1, 3]


def test_no_match_has_no_share() -> None:
    files = {"a": labels(track(range(3), 0, 0, 0))}, {"a": labels(track(range(3), 1, 0, 0))}
    assert math.isnan(direction_errors(*files, RULES_2024).share_within(20))


@given(st.floats(0.01, 0.99))
def test_a_uniform_distribution_fills_caps_by_area(share: float) -> None:
    assert cap_radius_deg(np.array(90.0), np.array(share)) == pytest.approx(
        math.degrees(math.acos(1 - 2 * share)), abs=1e-3
    )


@given(st.floats(0.05, 2.0), st.floats(0.05, 0.95))
def test_a_narrow_distribution_is_a_gaussian_of_two_axes(spread_deg: float, share: float) -> None:
    """1 - cos spread = 1 / concentration, the variance of either axis."""
    sigma_deg = math.degrees(math.sqrt(1 - math.cos(math.radians(spread_deg))))
    expected = sigma_deg * math.sqrt(-2 * math.log(1 - share))
    assert cap_radius_deg(np.array(spread_deg), np.array(share)) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("concentration", [0.01, 0.5, 2.0, 20.0, 200.0, 5000.0])
def test_the_cap_holds_its_share_of_the_density(concentration: float) -> None:
    cosine = np.linspace(-1, 1, 2_000_001)
    density = np.exp(concentration * (cosine - 1))
    mean = float((density * cosine).sum() / density.sum())
    radius = cap_radius_deg(np.array(math.degrees(math.acos(mean))), np.array(0.7))
    held = density[cosine >= np.cos(np.radians(radius))].sum() / density.sum()
    assert held == pytest.approx(0.7, abs=2e-3)


def test_no_spread_is_a_point() -> None:
    assert cap_radius_deg(np.array(0.0), np.array(0.99)) < 1e-3


def test_coverage_of_right_and_of_too_small_spreads() -> None:
    generator = np.random.default_rng(3)
    spread = generator.uniform(3, 60, 20_000)
    error = cap_radius_deg(spread, generator.random(20_000))
    assert angular_coverage(error, spread).expected_error < 0.01
    small = angular_coverage(error, spread / 2)
    assert (small.covered < small.level).all()
    assert small.expected_error > 0.2
    some = np.where(generator.random(20_000) < 0.5, spread, np.nan)
    assert angular_coverage(error, some, [0.5, 0.9]).covered == pytest.approx([0.5, 0.9], abs=0.02)


def test_coverage_needs_spreads() -> None:
    with pytest.raises(DataError, match="run with Monte Carlo samples or time shifts"):
        angular_coverage(np.zeros(3), np.full(3, np.nan))
