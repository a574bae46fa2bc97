"""What the rounds of a benchmark become."""

import numpy as np
import pytest

from edgeseld.bench.rounds import WARM_UP_ROUNDS, ratio, stage, time_in_turn, undisturbed_ratio
from tests.bench.conftest import quiet


def test_a_stage_by_hand() -> None:
    found = stage(np.arange(1, 12) / 1e3)
    assert (found.median_ms, found.p90_ms, found.min_ms, found.max_ms) == pytest.approx((6.0, 10.0, 1.0, 11.0))


def test_a_ratio_is_the_median_over_rounds_so_that_a_slow_round_hits_both() -> None:
    baseline = np.array([1.0, 1.0, 50.0, 1.0, 1.0])
    found = ratio(2.0 * baseline, baseline)
    assert (found.value, found.low, found.high) == pytest.approx((2.0, 2.0, 2.0))


def test_the_interval_of_a_ratio_holds_it() -> None:
    generator = np.random.default_rng(0)
    found = ratio(generator.uniform(1.0, 2.0, 40), generator.uniform(1.0, 2.0, 40))
    assert found.low <= found.value <= found.high
    assert found.low < found.high


def test_rivals_run_in_turn() -> None:
    order: list[str] = []
    rivals = {"a": lambda: order.append("a"), "b": lambda: order.append("b")}
    seconds = time_in_turn(rivals, 4, quiet)
    assert "".join(order) == "ab" * (WARM_UP_ROUNDS + 4)
    assert {name: len(values) for name, values in seconds.items()} == {"a": 4, "b": 4}


def test_an_undisturbed_ratio_is_that_of_the_quiet_rounds() -> None:
    """Two threads wait for the slower one in two thirds of the rounds; the median sees nothing else."""
    baseline = np.full(60, 10.0)
    seconds = np.where(np.arange(60) % 3 == 0, 6.0, 15.0)
    found = undisturbed_ratio(seconds, baseline)
    assert (found.value, found.low, found.high) == pytest.approx((0.6, 0.6, 0.6))
    assert ratio(seconds, baseline).value == pytest.approx(1.5)


def test_its_interval_draws_both_in_the_same_rounds() -> None:
    """A machine that is slow in some rounds is slow for both: their ratio is certain all the same."""
    baseline = np.random.default_rng(3).uniform(1.0, 2.0, 40)
    found = undisturbed_ratio(3.0 * baseline, baseline)
    assert (found.value, found.low, found.high) == pytest.approx((3.0, 3.0, 3.0))
