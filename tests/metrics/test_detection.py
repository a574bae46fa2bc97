"""Detection scores: equality with sed_eval and sed_scores_eval, cases by hand, a slow search for the best threshold."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeseld.core.errors import DataError
from edgeseld.metrics.detection import (
    DetectionScore,
    Event,
    best_thresholds,
    detection_score,
    hard_labels,
    segment_activity,
    segment_counts,
    segment_peaks,
)
from edgeseld.metrics.event_detection import event_counts
from edgeseld.metrics.polyphonic_detection import SCENARIOS, best_event_f_scores, psds

OFFICIAL = Path(__file__).parent.parent / "golden" / "official" / "sed"
CLASSES = [f"c{index}" for index in range(6)]
EXPECTED: dict[str, Any] = json.loads((OFFICIAL / "official_sed.json").read_text())


def table(name: str) -> list[dict[str, str]]:
    with (OFFICIAL / name).open() as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


DURATION_S = {row["filename"].removesuffix(".wav"): float(row["duration"]) for row in table("durations.tsv")}


def events(name: str) -> dict[str, list[Event]]:
    lists: dict[str, list[Event]] = {file: [] for file in DURATION_S}
    for row in table(name):
        event = (float(row["onset"]), float(row["offset"]), row["event_label"])
        lists[row["filename"].removesuffix(".wav")].append(event)
    return lists


def scores() -> dict[str, NDArray[np.float64]]:
    return {file: np.loadtxt(OFFICIAL / "scores" / f"{file}.tsv", skiprows=1)[:, 2:] for file in DURATION_S}


def activities(lists: dict[str, list[Event]], segment_s: float) -> list[NDArray[np.bool_]]:
    return [segment_activity(lists[file], CLASSES, length, segment_s) for file, length in DURATION_S.items()]


def assert_equals_sed_eval(got: DetectionScore, expected: dict[str, Any]) -> None:
    overall, mean = expected["overall"], expected["class_avg"]
    assert got.f_score == pytest.approx(overall["f_measure"]["f_measure"])
    assert got.precision == pytest.approx(overall["f_measure"]["precision"])
    assert got.recall == pytest.approx(overall["f_measure"]["recall"])
    assert got.error_rate == pytest.approx(overall["error_rate"]["error_rate"])
    assert got.macro_f_score == pytest.approx(mean["f_measure"]["f_measure"])
    assert got.macro_error_rate == pytest.approx(mean["error_rate"]["error_rate"])


@pytest.mark.parametrize(("segment_s", "name"), [(1.0, "segment_1s"), (0.1, "segment_0.1s")])
def test_segments_equal_sed_eval(segment_s: float, name: str) -> None:
    reference, estimate = (activities(events(file), segment_s) for file in ("reference.tsv", "estimate.tsv"))
    got = detection_score(segment_counts(reference, estimate))
    assert_equals_sed_eval(got, EXPECTED[name])
    for index, by_class in enumerate(EXPECTED[name]["class_wise"].values()):
        assert got.classwise_f_score[index] == pytest.approx(by_class["f"]["f_measure"])
        assert got.classwise_precision[index] == pytest.approx(by_class["f"]["precision"])
        assert got.classwise_recall[index] == pytest.approx(by_class["f"]["recall"])
        assert got.classwise_error_rate[index] == pytest.approx(by_class["er"]["error_rate"])


@pytest.mark.parametrize(
    ("offset_share", "name"), [(0.2, "event_collar200ms_offset1"), (None, "event_collar200ms_offset0")]
)
def test_events_equal_sed_eval(offset_share: float | None, name: str) -> None:
    lists = [list(events(file).values()) for file in ("reference.tsv", "estimate.tsv")]
    assert_equals_sed_eval(
        detection_score(event_counts(lists[0], lists[1], CLASSES, offset_share=offset_share)), EXPECTED[name]
    )


def test_best_thresholds_equal_sed_scores_eval() -> None:
    peaks = np.concatenate([segment_peaks(of_file, 10) for of_file in scores().values()])
    got = best_thresholds(peaks, np.concatenate(activities(events("reference.tsv"), 1.0)))
    expected = EXPECTED["sed_scores_eval_segment1s_best_f1"]
    for index, name in enumerate(CLASSES):
        ours = (got.f_score[index], got.precision[index], got.recall[index], got.threshold[index])
        assert ours == pytest.approx([expected[name][key] for key in ("f", "p", "r", "thr")])
    assert got.macro_f_score == pytest.approx(expected["macro_average"]["f"])


def test_one_threshold_equals_sed_scores_eval() -> None:
    estimate = [segment_peaks(of_file, 10) > 0.5 for of_file in scores().values()]
    got = detection_score(segment_counts(activities(events("reference.tsv"), 1.0), estimate))
    expected = EXPECTED["sed_scores_eval_segment1s_f1_thr0.5"]
    assert got.classwise_f_score == pytest.approx([expected[name] for name in CLASSES])
    assert (got.macro_f_score, got.f_score) == pytest.approx((expected["macro_average"], expected["micro_average"]))


@pytest.mark.slow
@pytest.mark.parametrize("scenario", [1, 2])
def test_psds_equals_sed_scores_eval(scenario: int) -> None:
    got = psds(scores(), events("reference.tsv"), DURATION_S, CLASSES, SCENARIOS[scenario])
    assert got == pytest.approx(EXPECTED[f"sed_scores_eval_psds_scenario{scenario}"]["psds"])


@pytest.mark.slow
def test_best_event_f_scores_are_those_of_their_thresholds() -> None:
    got = best_event_f_scores(scores(), events("reference.tsv"), CLASSES)
    reference = list(events("reference.tsv").values())
    for index, name in enumerate(CLASSES):
        f_score, threshold = got[name]
        estimate = [runs(of_file[:, index] > threshold, name) for of_file in scores().values()]
        assert detection_score(event_counts(reference, estimate, CLASSES)).classwise_f_score[index] == pytest.approx(
            f_score
        )


def runs(active: NDArray[np.bool_], name: str) -> list[Event]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], active.astype(int), [0]])))
    return [(onset / 10, offset / 10, name) for onset, offset in edges.reshape(-1, 2)]


class TestByHand:
    def test_segments(self) -> None:
        reference = np.array([[1, 0], [1, 0], [0, 1], [0, 0]], dtype=bool)
        estimate = np.array([[1, 1], [0, 1], [0, 0], [1, 0]], dtype=bool)
        got = detection_score(segment_counts([reference], [estimate]))
        # hit and insertion, substitution, deletion, insertion
        assert got.error_rate == pytest.approx((1 + 1 + 2) / 3)
        assert (got.f_score, got.precision, got.recall) == pytest.approx((2 / 7, 1 / 4, 1 / 3))
        assert got.classwise_f_score == pytest.approx([1 / 2, 0])

    def test_a_class_never_heard_nor_meant_is_not_defined(self) -> None:
        silent = np.zeros((3, 1), dtype=bool)
        got = detection_score(segment_counts([silent], [silent]))
        assert math.isnan(got.f_score)
        assert math.isnan(got.error_rate)

    def test_a_class_meant_but_never_heard_scores_zero(self) -> None:
        got = detection_score(segment_counts([np.ones((3, 1), dtype=bool)], [np.zeros((3, 1), dtype=bool)]))
        assert (got.f_score, got.macro_f_score, got.error_rate) == (0, 0, 1)

    def test_an_event_is_present_in_every_segment_it_touches(self) -> None:
        got = segment_activity([(0.9, 2.1, "a")], ["a", "b"], 4.0)
        assert got.tolist() == [[True, False]] * 3 + [[False, False]]
        with pytest.raises(DataError, match="event class 'c' is none of a, b"):
            segment_activity([(0, 1, "c")], ["a", "b"], 4.0)

    def test_events(self) -> None:
        reference = [(1.0, 2.0, "a"), (3.0, 4.0, "a"), (5.0, 6.0, "b")]
        estimate = [(1.1, 2.1, "a"), (3.1, 4.5, "a"), (5.1, 6.1, "a"), (8.0, 9.0, "b")]
        got = event_counts([reference], [estimate], ["a", "b"])
        assert (got.hits.tolist(), got.references.tolist(), got.estimates.tolist()) == ([[1, 0]], [[2, 1]], [[3, 1]])
        assert (got.substitutions[0], got.deletions[0], got.insertions[0]) == (1, 1, 2)
        assert event_counts([reference], [estimate], ["a", "b"], offset_share=None).hits.tolist() == [[2, 0]]

    def test_most_events_are_found(self) -> None:
        reference, estimate = [(1.0, 2.0, "a"), (1.3, 2.3, "a")], [(1.15, 2.15, "a"), (0.9, 1.9, "a")]
        assert event_counts([reference], [estimate], ["a"]).hits.tolist() == [[2]], "the greedy first choice finds one"

    def test_nothing_on_one_side(self) -> None:
        got = event_counts([[(1.0, 2.0, "a")], []], [[], [(1.0, 2.0, "a")]], ["a"])
        assert (got.deletions.tolist(), got.insertions.tolist()) == ([1, 0], [0, 1])

    def test_soft_labels(self) -> None:
        assert hard_labels(np.array([0.4, 0.5, 0.6])).tolist() == [False, False, True]

    def test_a_short_last_segment(self) -> None:
        assert segment_peaks(np.array([[1.0], [3.0], [2.0]]), 2).tolist() == [[3.0], [2.0]]

    def test_shapes_must_agree(self) -> None:
        with pytest.raises(DataError, match="one shape"):
            segment_counts([np.zeros((2, 1), dtype=bool)], [np.zeros((3, 1), dtype=bool)])
        with pytest.raises(DataError, match="one shape"):
            best_thresholds(np.zeros((2, 1)), np.zeros((3, 1), dtype=bool))

    def test_a_class_without_reference_has_no_best_threshold(self) -> None:
        got = best_thresholds(np.array([[0.2, 0.9], [0.8, 0.1]]), np.array([[False, False], [True, False]]))
        assert got.f_score == pytest.approx([1, math.nan], nan_ok=True)
        assert (got.threshold[0], got.macro_f_score) == (0.5, 1)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=30))
def test_no_threshold_is_better_than_the_best(pairs: list[tuple[int, bool]]) -> None:
    scores = np.array([[score / 5] for score, _ in pairs])
    reference = np.array([[present] for _, present in pairs])
    got = best_thresholds(scores, reference)
    if not reference.any():
        assert math.isnan(got.f_score[0])
        return
    candidates = [-math.inf, *np.unique(scores)]
    every = [detection_score(segment_counts([reference], [scores > threshold])).f_score for threshold in candidates]
    assert got.f_score[0] == pytest.approx(max(every))
    at_best = detection_score(segment_counts([reference], [scores > got.threshold[0]]))
    assert at_best.f_score == pytest.approx(got.f_score[0])
