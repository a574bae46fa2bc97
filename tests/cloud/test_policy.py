"""When the cloud is asked, worked out by hand, and held to the vectors that ports share."""

import json
import math
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseld.cloud.patience import CircuitBreaker, retry_wait_s
from edgeseld.cloud.policy import (
    MEASURES,
    FallbackPolicy,
    Measure,
    binary_entropy,
    doubt,
    fit_threshold,
    share_of_bytes,
)
from edgeseld.core.errors import ConfigError
from edgeseld.core.prediction import Prediction, Uncertainty
from tests.cloud.golden_fallback import PATH, golden, made_prediction


def _prediction(activity: list[list[list[float]]]) -> Prediction:
    array = np.array(activity, np.float32)
    return Prediction(array, np.zeros((*array.shape, 3), np.float32), ("bell", "knock"))


def test_the_vectors_that_ports_share_are_those_of_this_code() -> None:
    assert json.loads(PATH.read_text()) == json.loads(json.dumps(golden()))


def test_entropy_by_hand() -> None:
    # One frame, two tracks: the less sure track of each class counts.
    prediction = _prediction([[[0.5, 1.0], [0.0, 0.25]]])
    expected = math.log(2) - 0.25 * math.log(0.25) - 0.75 * math.log(0.75)
    assert doubt(prediction, "entropy") == pytest.approx(expected, rel=1e-12)
    assert doubt(_prediction([[[1.0, 0.0]]]), "entropy") == 0.0


def test_entropy_of_samples_is_that_of_their_mean() -> None:
    prediction = made_prediction(1)
    assert prediction.uncertainty is not None
    assert doubt(prediction, "entropy") == pytest.approx(prediction.uncertainty.entropy.max(axis=1).sum(axis=1).mean())


def test_margin_by_hand() -> None:
    # Thresholds 0.5: 0.5 is in doubt fully, 0 and 1 not at all; frames are averaged.
    assert doubt(_prediction([[[0.5, 0.0]], [[1.0, 0.0]], [[0.75, 0.0]], [[0.0, 0.375]]]), "margin") == pytest.approx(
        (1.0 + 0.0 + 0.5 + 0.75) / 4
    )


def test_spread_counts_what_is_heard_by_how_loudly_it_is_heard() -> None:
    prediction = _prediction([[[1.0, 0.6], [0.4, 0.8]], [[0.1, 0.1], [0.1, 0.1]]])
    nothing = np.zeros_like(prediction.activity)
    spread = np.array([[[10.0, 20.0], [90.0, np.nan]], [[90.0] * 2] * 2], np.float32)
    prediction = replace(prediction, uncertainty=Uncertainty(nothing, nothing, nothing, spread, 10, 1))
    assert doubt(prediction, "direction-spread") == pytest.approx((1.0 * 10 + 0.6 * 20) / 1.6 / 2, rel=1e-6)


def test_switching_counts_classes_that_begin_or_end() -> None:
    # The bell moves from one track to the other and goes on; the knock comes, then goes with the bell.
    frames = [[[0.9, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.9, 0.7]], [[0.0, 0.5], [0.4, 0.0]]]
    assert doubt(_prediction(frames), "switching") == pytest.approx((0 + 1 + 2) / 3)


@pytest.mark.parametrize("measure", ["mutual-information", "direction-spread"])
def test_some_measures_need_samples(measure: Measure) -> None:
    with pytest.raises(ConfigError, match="needs Monte Carlo samples"):
        doubt(_prediction([[[0.5, 0.5]]]), measure)


@pytest.mark.parametrize("measure", MEASURES)
def test_no_frames_are_no_doubt(measure: Measure) -> None:
    assert doubt(made_prediction(1).frames_between(0, 0), measure) == 0.0


def test_binary_entropy_is_defined_everywhere() -> None:
    np.testing.assert_allclose(binary_entropy(np.array([-0.1, 0.0, 0.5, 1.0, 1.1])), [0, 0, math.log(2), 0, 0])


@given(st.lists(st.floats(0.0, 10.0), min_size=1, max_size=50), st.floats(0.0, 1.0))
def test_a_fitted_threshold_keeps_the_budget(doubts: list[float], share: float) -> None:
    threshold = fit_threshold(doubts, share)
    policy = FallbackPolicy(measure="entropy", threshold=threshold, window_frames=30, context_frames=10)
    sent = sum(policy.sends(value) for value in doubts)
    assert sent <= round(share * len(doubts), 9)
    if len(set(doubts)) == len(doubts):
        assert sent == int(round(share * len(doubts), 9))


def test_shares_that_are_no_binary_fractions() -> None:
    doubts = [float(number) for number in range(100)]
    for percent in range(101):
        assert sum(value > fit_threshold(doubts, percent / 100) for value in doubts) == percent


def test_what_cannot_be_fitted() -> None:
    for doubts, share in ([], 0.5), ([1.0], 1.5), ([1.0], math.nan):
        with pytest.raises(ConfigError):
            fit_threshold(doubts, share)


def test_a_budget_of_bytes_is_a_share() -> None:
    # 1,200 windows of 3 s an hour, 100 kB each.
    assert share_of_bytes(30e6, 1e5, 3.0) == pytest.approx(0.25)
    assert share_of_bytes(1e12, 1e5, 3.0) == 1.0


def test_waits_grow_with_jitter_and_obey_the_server() -> None:
    draw = random.Random(0)
    for attempt, longest_s in [(1, 0.1), (2, 0.2), (6, 3.2), (7, 5.0), (50, 5.0)]:
        waits = [retry_wait_s(attempt, draw) for _ in range(200)]
        assert 0.0 <= min(waits)
        assert 0.8 * longest_s < max(waits) <= longest_s
    assert 7.0 <= retry_wait_s(1, draw, 7.0) <= 7.1


def test_an_open_breaker_lets_one_probe_through() -> None:
    breaker = CircuitBreaker(failures_to_open=2, open_s=10.0)
    for now_s in (0.0, 1.0):
        assert breaker.allows(now_s)
        breaker.failed(now_s)
    assert not breaker.allows(10.9)
    assert breaker.allows(11.0)
    assert not breaker.allows(11.0)
    breaker.failed(12.0)
    assert not breaker.allows(21.9)
    assert breaker.allows(22.0)
    breaker.succeeded()
    assert breaker.allows(22.1)
