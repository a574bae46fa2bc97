"""Bootstraps: the right files are drawn, intervals hold, equal systems do not differ."""

import numpy as np
import pytest

from edgeseld.core.errors import DataError
from edgeseld.metrics.counts import join
from edgeseld.metrics.labels import Labels
from edgeseld.metrics.rules import RULES
from edgeseld.metrics.score import Score, score, score_counts
from edgeseld.metrics.significance import bootstrap_intervals, paired_bootstrap, room_group
from tests.metrics.scenes import labels, near, random_scene, track

RULES_2023 = RULES["dcase2023"]
NAMES = [f"fold4_room{room}_mix00{mix}" for room in range(1, 5) for mix in range(1, 6)]
ROOMS = {name: room_group(name) for name in NAMES}


def system(offsets_deg: list[float]) -> Score:
    """One source per file, heard so far off."""
    reference: dict[str, Labels] = {name: labels(track(range(11), 0, 0, 0)) for name in NAMES}
    heard = zip(NAMES, offsets_deg, strict=True)
    return score(
        reference, {name: labels(track(range(11), 0, 0, offset)) for name, offset in heard}, RULES_2023, "micro"
    )


def test_an_interval_holds_the_value_and_follows_the_seed() -> None:
    one = system(list(np.linspace(1, 30, 20)))
    low, high = bootstrap_intervals(one)["LE"]
    assert low < one.values["LE"] < high
    spread = np.linspace(1, 30, 20).std() / np.sqrt(20)
    assert (high - low) / 2 == pytest.approx(1.96 * spread, rel=0.1)
    assert bootstrap_intervals(one) == bootstrap_intervals(one)
    assert bootstrap_intervals(one) != bootstrap_intervals(one, seed=1)


def test_groups_of_files_are_drawn_together() -> None:
    by_room = system([5.0] * 5 + [10.0] * 5 + [15.0] * 5 + [20.0] * 5)
    low, high = bootstrap_intervals(by_room)["LE"]
    wide = bootstrap_intervals(by_room, ROOMS)["LE"]
    assert wide[1] - wide[0] > 1.5 * (high - low), "four rooms tell less than twenty files"


def test_equal_systems_do_not_differ() -> None:
    one = system(list(np.linspace(1, 30, 20)))
    for difference in paired_bootstrap(one, one).values():
        assert (difference.difference, difference.low, difference.high, difference.p_value) == (0, 0, 0, 1)


def test_a_small_but_steady_difference_is_found_because_files_are_paired() -> None:
    offsets = np.linspace(1, 19, 20)
    first, second = system(list(offsets)), system(list(offsets + 1))
    got = paired_bootstrap(first, second)["LE"]
    assert (got.difference, got.low, got.high) == pytest.approx((1, 1, 1))
    assert got.p_value < 0.002
    assert bootstrap_intervals(first)["LE"][1] > bootstrap_intervals(second)["LE"][0], "alone, the intervals overlap"


def test_chance_is_rarely_significant() -> None:
    generator = np.random.default_rng(7)
    p_values = []
    for _ in range(40):
        first, second = (system(list(generator.uniform(0, 18, 20))) for _ in range(2))
        p_values.append(paired_bootstrap(first, second, resamples=300)["LE"].p_value)
    assert np.mean(np.array(p_values) < 0.05) < 0.2


def test_systems_must_be_scored_alike() -> None:
    one = system([5.0] * 20)
    events = {name: labels(track(range(11), 0, 0, 0)) for name in NAMES[:19]}
    with pytest.raises(DataError, match="only one was scored on 'fold4_room4_mix005'"):
        paired_bootstrap(one, score(events, events, RULES_2023, "micro"))
    with pytest.raises(DataError, match="under one set of rules"):
        paired_bootstrap(one, score(events, events, RULES_2023, "macro"))


def test_a_bootstrap_needs_two_units() -> None:
    with pytest.raises(DataError, match="two or more groups, got 1"):
        bootstrap_intervals(system([5.0] * 20), dict.fromkeys(NAMES, "one"))


def test_names_without_a_room() -> None:
    with pytest.raises(DataError, match="'scene1' has none"):
        room_group("scene1")


def test_sets_joined_are_scored_as_one() -> None:
    generator = np.random.default_rng(7)
    names = [f"fold4_room1_mix00{number}" for number in range(5)]
    reference = {name: random_scene(generator) for name in names}
    prediction = {name: near(scene, generator) for name, scene in reference.items()}
    whole = score(reference, prediction, RULES_2023)
    parts = {
        set_name: score(
            {name: reference[name] for name in chosen}, {name: prediction[name] for name in chosen}, RULES_2023
        )
        for set_name, chosen in {"a": names[:2], "b": names[2:]}.items()
    }
    joined = join({set_name: part.counts for set_name, part in parts.items()})
    assert joined.files == tuple([f"a/{name}" for name in names[:2]] + [f"b/{name}" for name in names[2:]])
    assert score_counts(joined, RULES_2023).values == pytest.approx(whole.values)
