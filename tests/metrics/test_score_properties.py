"""What holds for any events: agreement with the plain scorer, and invariances."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeseld.core.geometry import unit_vector
from edgeseld.metrics.counts import CLASS_COLUMNS, FILE_COLUMNS, Counts, pool
from edgeseld.metrics.labels import Labels, labels_from_vectors, take
from edgeseld.metrics.rules import RULES, Rules
from edgeseld.metrics.score import count_files, score, score_counts
from tests.metrics.plain_scorer import plain_score
from tests.metrics.scenes import near, plain_rows, random_scene, shuffled

SEEDS = st.integers(0, 2**32 - 1)
# A scene holds some fifty groups of rows, and each property runs under every rule.
FEW = settings(max_examples=10)
MANY = settings(max_examples=150)
ALL_RULES = [replace(rules, corrected=corrected) for rules in RULES.values() for corrected in (False, True)]
CORRECTED = [rules for rules in ALL_RULES if rules.corrected]
EVERY_RULE = pytest.mark.parametrize("rules", ALL_RULES, ids=lambda rules: f"{rules.name}-{rules.corrected}")
CORRECTED_RULE = pytest.mark.parametrize("rules", CORRECTED, ids=lambda rules: rules.name)
Files = dict[str, Labels]


def made_files(seed: int, files: int = 2) -> tuple[np.random.Generator, Files, Files]:
    generator = np.random.default_rng(seed)
    reference = {f"f{index}": random_scene(generator) for index in range(files)}
    return generator, reference, {name: near(scene, generator) for name, scene in reference.items()}


def assert_same_counts(first: Counts, second: Counts, tolerance: float = 1e-9) -> None:
    for name in CLASS_COLUMNS + FILE_COLUMNS:
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), atol=tolerance, rtol=1e-9, err_msg=name)


@EVERY_RULE
@FEW
@given(SEEDS, st.booleans())
def test_equals_the_plain_scorer(rules: Rules, seed: int, with_condition: bool) -> None:
    assert_equals_the_plain_scorer(rules, seed, with_condition)


@pytest.mark.slow
@EVERY_RULE
@MANY
@given(SEEDS, st.booleans())
def test_equals_the_plain_scorer_often(rules: Rules, seed: int, with_condition: bool) -> None:
    assert_equals_the_plain_scorer(rules, seed, with_condition)


def assert_equals_the_plain_scorer(rules: Rules, seed: int, with_condition: bool) -> None:
    if with_condition and rules.stereo:
        rules = replace(rules, onscreen=True)
    _, reference, prediction = made_files(seed)
    rows = [{name: plain_rows(scene, rules.stereo) for name, scene in side.items()} for side in (reference, prediction)]
    for average in rules.averages:
        got = score(reference, prediction, rules, average)
        values, classwise = plain_score(rows[0], rows[1], rules, average)
        for name, value in got.values.items():
            assert value == pytest.approx(values[name], abs=1e-5, rel=1e-9, nan_ok=True), name
            wanted = [by_class[name] for by_class in classwise]
            np.testing.assert_allclose(got.classwise[name], wanted, rtol=1e-9, atol=1e-5, err_msg=name)


@EVERY_RULE
@FEW
@given(SEEDS)
def test_files_add_up(rules: Rules, seed: int) -> None:
    _, reference, prediction = made_files(seed, files=3)
    together = count_files(reference, prediction, rules)
    alone = [count_files({name: reference[name]}, {name: prediction[name]}, rules) for name in sorted(reference)]
    ones = np.ones(1)
    for index, counts in enumerate(alone):
        assert_same_counts(pool(together, np.eye(3)[index]), pool(counts, ones))


@CORRECTED_RULE
@FEW
@given(SEEDS)
def test_the_order_of_rows_does_not_matter(rules: Rules, seed: int) -> None:
    generator, reference, prediction = made_files(seed)
    moved = [{name: shuffled(scene, generator) for name, scene in side.items()} for side in (reference, prediction)]
    assert_same_counts(count_files(reference, prediction, rules), count_files(moved[0], moved[1], rules))


@FEW
@given(SEEDS, st.sampled_from(["dcase2024", "dcase2025"]))
def test_frame_by_frame_the_numbers_of_sources_do_not_matter(seed: int, name: str) -> None:
    generator, reference, prediction = made_files(seed)
    renumbered = [
        {name: replace(scene, source=generator.permutation(scene.source)) for name, scene in side.items()}
        for side in (reference, prediction)
    ]
    rules = replace(RULES[name], corrected=True)
    assert_same_counts(count_files(reference, prediction, rules), count_files(renumbered[0], renumbered[1], rules))


@EVERY_RULE
@FEW
@given(SEEDS)
def test_officially_the_order_of_frames_and_classes_does_not_matter(rules: Rules, seed: int) -> None:
    _, reference, prediction = made_files(seed)
    moved = [
        {name: take(scene, np.lexsort((-scene.frame, scene.class_id))) for name, scene in side.items()}
        for side in (reference, prediction)
    ]
    assert_same_counts(count_files(reference, prediction, rules), count_files(moved[0], moved[1], rules))


@CORRECTED_RULE
@FEW
@given(SEEDS)
def test_turning_the_room_does_not_matter(rules: Rules, seed: int) -> None:
    if rules.stereo:
        return
    generator, reference, prediction = made_files(seed)
    turn, _ = np.linalg.qr(generator.normal(size=(3, 3)))
    turned = [{name: turned_by(turn, scene) for name, scene in side.items()} for side in (reference, prediction)]
    assert_same_counts(count_files(reference, prediction, rules), count_files(turned[0], turned[1], rules), 1e-6)


def turned_by(turn: np.ndarray, scene: Labels) -> Labels:
    vectors = unit_vector(scene.azimuth_deg, scene.elevation_deg) @ turn.T
    turned = labels_from_vectors(scene.frame, scene.class_id, scene.source, 3 * vectors)
    return replace(scene, azimuth_deg=turned.azimuth_deg, elevation_deg=turned.elevation_deg)


@FEW
@given(SEEDS)
def test_mirroring_stereo_does_not_matter(seed: int) -> None:
    _, reference, prediction = made_files(seed)
    mirrored = [
        {name: replace(scene, azimuth_deg=-scene.azimuth_deg) for name, scene in side.items()}
        for side in (reference, prediction)
    ]
    rules = replace(RULES["dcase2025"], corrected=True)
    assert_same_counts(count_files(reference, prediction, rules), count_files(mirrored[0], mirrored[1], rules))


@CORRECTED_RULE
@FEW
@given(SEEDS, st.sampled_from([10, 20, 30]))
def test_a_file_cut_between_segments_scores_the_same(rules: Rules, seed: int, cut: int) -> None:
    _, reference, prediction = made_files(seed, files=1)
    halves: list[Files] = [{}, {}]
    for side, files in zip((reference, prediction), halves, strict=True):
        scene = side["f0"]
        files["early"] = take(scene, np.flatnonzero(scene.frame < cut))
        late = take(scene, np.flatnonzero(scene.frame >= cut))
        files["late"] = replace(late, frame=late.frame - cut)
    whole, parts = count_files(reference, prediction, rules), count_files(halves[0], halves[1], rules)
    assert_same_counts(pool(whole, np.ones(1)), pool(parts, np.ones(2)))


@CORRECTED_RULE
@FEW
@given(SEEDS)
def test_every_reference_track_counts_once(rules: Rules, seed: int) -> None:
    _, reference, prediction = made_files(seed)
    counts = count_files(reference, prediction, rules)
    np.testing.assert_array_equal(counts.matched + counts.misses, counts.references)


@CORRECTED_RULE
@FEW
@given(SEEDS)
def test_a_perfect_prediction(rules: Rules, seed: int) -> None:
    _, reference, _ = made_files(seed)
    values = score(reference, reference, rules).values
    for name, value in values.items():
        perfect = 1.0 if name in ("F", "LR", "onscreen_accuracy") else 0.0
        assert math.isclose(value, perfect, abs_tol=1e-9), name


@EVERY_RULE
@FEW
@given(SEEDS)
def test_a_wider_threshold_never_loses_hits(rules: Rules, seed: int) -> None:
    _, reference, prediction = made_files(seed)
    hits = [
        count_files(reference, prediction, replace(rules, doa_threshold_deg=threshold)).true_positives.sum()
        for threshold in (5.0, 20.0, 60.0, 180.0)
    ]
    assert hits == sorted(hits)


@EVERY_RULE
@FEW
@given(SEEDS)
def test_counts_that_were_kept_give_the_same_score(rules: Rules, seed: int) -> None:
    _, reference, prediction = made_files(seed)
    kept = count_files(reference, prediction, rules)
    assert score_counts(kept, rules).values == pytest.approx(score(reference, prediction, rules).values, nan_ok=True)
