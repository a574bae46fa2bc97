"""Cases small enough to count on paper: every rule and every quirk, official and corrected."""

import math
from dataclasses import replace

import numpy as np
import pytest

from edgeseld.core.errors import ConfigError, DataError
from edgeseld.core.prediction import Prediction
from edgeseld.metrics.faults import ScoreWarning
from edgeseld.metrics.intervals import jackknife
from edgeseld.metrics.labels import EMPTY, Labels, labels_from_prediction, without_directions
from edgeseld.metrics.rules import RULES, Average, Rules
from edgeseld.metrics.score import Score, score
from tests.metrics.scenes import labels, track

SEGMENT = range(11)
Rows = list[tuple[float, ...]]


def rules(year: int, **changes: object) -> Rules:
    return replace(RULES[f"dcase{year}"], **changes)  # type: ignore[arg-type]


def scored(reference: Rows, prediction: Rows, rules: Rules, average: Average = "micro") -> Score:
    return score({"a": labels(reference)}, {"a": labels(prediction)}, rules, average)


def values(reference: Rows, prediction: Rows, rules: Rules, average: Average = "micro") -> dict[str, float]:
    return scored(reference, prediction, rules, average).values


class TestSegments:
    def test_a_hit_within_twenty_degrees(self) -> None:
        got = values(track(SEGMENT, 0, 0, 0), track(SEGMENT, 0, 0, 19), rules(2023))
        assert got == pytest.approx({"ER": 0, "F": 1, "LE": 19, "LR": 1, "SELD": 19 / 180 / 4})

    def test_a_track_too_far_off_is_found_but_no_hit(self) -> None:
        got = values(track(SEGMENT, 0, 0, 0), track(SEGMENT, 0, 0, 30), rules(2023))
        assert got == pytest.approx({"ER": 1, "F": 0, "LE": 30, "LR": 1, "SELD": (1 + 1 + 30 / 180 + 0) / 4})

    def test_the_threshold_is_an_option(self) -> None:
        got = values(track(SEGMENT, 0, 0, 0), track(SEGMENT, 0, 0, 30), rules(2023, doa_threshold_deg=31.0))
        assert got["F"] == pytest.approx(1)

    @pytest.mark.parametrize(("year", "f_score"), [(2021, 1 / 1.5), (2022, 1 / 2), (2023, 1 / 2)])
    def test_a_far_track_weighs_half_in_2021(self, year: int, f_score: float) -> None:
        reference = track(SEGMENT, 0, 0, 0) + track(SEGMENT, 1, 1, 0)
        prediction = track(SEGMENT, 0, 0, 0) + track(SEGMENT, 1, 0, 90)
        assert values(reference, prediction, rules(year))["F"] == pytest.approx(f_score)

    def test_the_error_of_a_track_is_the_mean_over_its_frames(self) -> None:
        prediction = track(range(5), 0, 0, 10) + track(range(5, 11), 0, 0, 28)
        got = values(track(SEGMENT, 0, 0, 0), prediction, rules(2023))
        assert got["LE"] == pytest.approx(19)
        assert got["F"] == pytest.approx(1), "frames 0..9 count: 5 of 10 and 5 of 28 degrees"

    def test_missing_and_surplus_tracks(self) -> None:
        reference = track(SEGMENT, 0, 0, 0) + track(SEGMENT, 0, 1, 90) + track(SEGMENT, 1, 2, 0)
        prediction = track(SEGMENT, 0, 0, 0) + track(SEGMENT, 1, 0, 0) + track(SEGMENT, 1, 0, 180)
        got = values(reference, prediction, rules(2023))
        assert got["ER"] == pytest.approx(1 / 3), "one substitution of three tracks"
        assert got["F"] == pytest.approx(2 / (2 + (1 + 1) / 2))
        assert got["LR"] == pytest.approx(2 / 3)

    def test_substitutions_deletions_and_insertions_are_counted_per_segment(self) -> None:
        reference = track(range(10), 0, 0, 0) + track(range(20, 31), 0, 0, 0)
        prediction = track(range(10), 1, 0, 0) + track(range(10, 20), 2, 0, 0)
        counts = scored(reference, prediction, rules(2023)).counts
        assert [counts.substitutions[0], counts.deletions[0], counts.insertions[0]] == [1, 1, 1]

    def test_azimuth_wraps(self) -> None:
        got = values(track(SEGMENT, 0, 0, 179), track(SEGMENT, 0, 0, -179), rules(2023))
        assert got["LE"] == pytest.approx(2)

    def test_near_the_pole_azimuth_means_little(self) -> None:
        got = values(track(SEGMENT, 0, 0, 0, 89), track(SEGMENT, 0, 0, 180, 89), rules(2023))
        assert got["LE"] == pytest.approx(2)

    def test_the_matching_costs_least_in_total(self) -> None:
        reference = track(SEGMENT, 0, 0, 0) + track(SEGMENT, 0, 1, 30)
        prediction = track(SEGMENT, 0, 0, 29) + track(SEGMENT, 0, 1, 63)
        assert values(reference, prediction, rules(2023))["LE"] == pytest.approx((29 + 33) / 2)

    def test_more_than_three_tracks_of_a_class(self) -> None:
        reference = [row for source in range(5) for row in track(SEGMENT, 4, source, -160 + 70 * source)]
        prediction = [row for source in range(5) for row in track(SEGMENT, 4, source, 125 - 70 * source)]
        got = values(reference, prediction, rules(2023))
        assert got == pytest.approx({"ER": 0, "F": 1, "LE": 5, "LR": 1, "SELD": 5 / 720})

    def test_macro_counts_absent_classes_as_total_failures(self) -> None:
        got = values(track(SEGMENT, 0, 0, 0), track(SEGMENT, 0, 0, 0), rules(2023), "macro")
        assert got == pytest.approx({"ER": 0, "F": 1 / 13, "LE": 180 * 12 / 13, "LR": 1 / 13, "SELD": 0.75 * 12 / 13})

    def test_classes_and_class_count(self) -> None:
        reference, prediction = {"a": labels(track(SEGMENT, 14, 0, 0))}, {"a": labels(track(SEGMENT, 14, 0, 9))}
        with pytest.warns(ScoreWarning, match=r"class must be in 0..12, got 14 \(and 10 more rows\)"):
            assert score(reference, prediction, rules(2023)).values["F"] == 0
        got = score(reference, prediction, rules(2023), class_count=15, classes=[14])
        assert got.values["F"] == pytest.approx(1)
        assert got.classwise["F"].shape == (15,)


class TestQuirksOfSegments:
    def test_the_last_frame_is_not_scored_where_it_starts_a_segment(self) -> None:
        reference, prediction = track(range(11), 0, 0, 0), track(range(10), 0, 0, 0)
        assert values(reference, prediction, rules(2023))["F"] == pytest.approx(1)
        got = values(reference, prediction, rules(2023, corrected=True))
        assert got == pytest.approx({"ER": 1 / 2, "F": 1 / 1.5, "LE": 0, "LR": 1 / 2, "SELD": (0.5 + 1 / 3 + 0.5) / 4})

    def test_it_is_scored_where_it_does_not(self) -> None:
        got = values(track(range(12), 0, 0, 0), track(range(10), 0, 0, 0), rules(2023))
        assert got["LR"] == pytest.approx(1 / 2)

    def test_later_predictions_are_ignored(self) -> None:
        reference, prediction = track(SEGMENT, 0, 0, 0), track(SEGMENT, 0, 0, 0) + track(range(30, 35), 1, 0, 0)
        assert values(reference, prediction, rules(2023))["ER"] == 0
        assert values(reference, prediction, rules(2023, corrected=True))["ER"] == pytest.approx(1 / 2), "one of two"

    def test_tracks_that_never_sound_together_count_as_predicted_misses(self) -> None:
        reference = track(range(5), 0, 0, 0) + track(range(5), 0, 1, 90) + track(range(10, 21), 1, 0, 0)
        prediction = track(range(5, 10), 0, 0, 0) + track(range(10, 21), 1, 0, 0)
        official = scored(reference, prediction, rules(2023)).counts
        assert (official.misses[0, 0], official.false_positives[0, 0]) == (1, 0)
        corrected = scored(reference, prediction, rules(2023, corrected=True)).counts
        assert (corrected.misses[0, 0], corrected.false_positives[0, 0]) == (2, 1)

    def test_corrected_every_reference_track_counts_once(self) -> None:
        reference = track(SEGMENT, 0, 0, 0) + track(SEGMENT, 0, 1, 90)
        prediction = track(range(5), 0, 0, 0) + track(range(5, 11), 0, 0, 90)
        official = scored(reference, prediction, rules(2023)).counts
        assert (official.references[0, 0], official.matched[0, 0], official.misses[0, 0]) == (2, 2, 1)
        corrected = scored(
            track(range(10), 0, 0, 0) + track(range(10), 0, 1, 90), prediction[:10], rules(2023, corrected=True)
        )
        assert (corrected.counts.matched[0, 0], corrected.counts.misses[0, 0]) == (2, 0)

    def test_corrected_tracks_follow_the_source_number_not_the_order_of_rows(self) -> None:
        reference, prediction = [], []
        for frame in range(10):
            near, far = (frame, 0, 0, 0, 0), (frame, 0, 1, 90, 0)
            reference += [near, far] if frame % 2 else [far, near]
            prediction += [(frame, 0, 0, 5, 0), (frame, 0, 1, 130, 0)]
        official = scored([*reference, (10, 0, 0, 0, 0)], prediction, rules(2023)).counts
        assert official.true_positives[0, 0] == 0, "each row mixes errors of 5 and 40 degrees: 22.5"
        corrected = scored(reference, prediction, rules(2023, corrected=True)).counts
        assert corrected.true_positives[0, 0] == 1

    def test_absent_classes_are_left_out(self) -> None:
        reference, prediction = track(range(10), 0, 0, 0), track(range(10), 0, 0, 0) + track(range(10), 1, 0, 0)
        got = scored(reference, prediction, rules(2023, corrected=True), "macro")
        assert got.values["F"] == pytest.approx(1 / 2), "class 1 is a false alarm, the other eleven are not defined"
        assert (got.values["LE"], got.values["LR"]) == (0, 1)
        assert math.isnan(got.classwise["F"][2])
        assert math.isnan(got.classwise["LR"][1])

    def test_equal_directions_are_no_angle_apart(self) -> None:
        place = [(0, 0, 0, 41, 33, 1.0, 0), (1, 0, 0, 41, 33, 1.0, 0)]
        assert values(place, place, rules(2024))["DOAE"] == pytest.approx(0.00081, abs=1e-5)
        assert values(place, place, rules(2024, corrected=True))["DOAE"] == 0

    def test_an_empty_reference_stops_the_official_program(self) -> None:
        files = {"a": labels([])}, {"a": labels(track(range(10), 0, 0, 0))}
        with pytest.raises(DataError, match="reference a is empty"):
            score(*files, rules(2023))
        corrected = score(*files, rules(2023, corrected=True))
        assert corrected.values["F"] == 0
        assert math.isnan(corrected.values["ER"]), "no reference track to divide by"

    def test_a_reference_that_ends_at_frame_0_holds_no_segment(self) -> None:
        got = values([(0, 0, 0, 0, 0)], [(0, 0, 0, 0, 0)], rules(2023))
        assert (got["F"], got["LR"], got["LE"]) == (0, 0, 180)
        assert values([(0, 0, 0, 0, 0)], [(0, 0, 0, 0, 0)], rules(2023, corrected=True))["F"] == 1


class TestFiles:
    def test_a_missing_prediction_is_left_out_or_an_error(self) -> None:
        reference = {"a": labels(track(SEGMENT, 0, 0, 0)), "b": labels(track(SEGMENT, 1, 0, 0))}
        prediction = {"a": labels(track(SEGMENT, 0, 0, 0))}
        with pytest.warns(ScoreWarning, match="'b' has no prediction"):
            assert score(reference, prediction, rules(2023), "micro").values["LR"] == pytest.approx(1)
        with pytest.raises(DataError, match="an empty file says that nothing was heard"):
            score(reference, prediction, rules(2023, corrected=True))
        assert score(reference, {**prediction, "b": EMPTY}, rules(2023), "micro").values["LR"] == pytest.approx(1 / 2)

    def test_a_prediction_without_reference_is_an_error(self) -> None:
        events = {"a": labels(track(SEGMENT, 0, 0, 0))}
        with pytest.raises(DataError, match="prediction 'b' has no reference"):
            score(events, {**events, "b": EMPTY, "c": EMPTY}, rules(2023))

    def test_nothing_to_score(self) -> None:
        with pytest.raises(DataError, match="nothing to score"):
            score({}, {}, rules(2023))

    def test_a_jackknife_needs_two_files(self) -> None:
        got = scored(track(SEGMENT, 0, 0, 0), track(SEGMENT, 0, 0, 0), rules(2023))
        with pytest.raises(DataError, match="two or more, got 1"):
            jackknife(got)

    def test_jackknife_by_hand(self) -> None:
        reference = {name: labels(track(SEGMENT, 0, 0, 0)) for name in "abc"}
        prediction = {
            name: labels(track(SEGMENT, 0, 0, azimuth)) for name, azimuth in zip("abc", (3, 6, 12), strict=True)
        }
        low, high = jackknife(score(reference, prediction, rules(2023), "micro")).values["LE"]
        # left out: 9, 7.5, 4.5, mean 7, no bias; error sqrt(2 / 3 * (4 + .25 + 6.25)) = sqrt 7; t(.975, 2) = 4.30265
        assert (low, high) == pytest.approx((7 - 4.3026527 * math.sqrt(7), 7 + 4.3026527 * math.sqrt(7)))


class TestFrames:
    PLACE = (0.0, 2.0, 0)

    def test_a_hit_needs_a_right_distance_too(self) -> None:
        reference = track(range(3), 0, 0, 0, *self.PLACE)
        prediction = [(0, 0, 0, 10, 0, 4.0, 0), (1, 0, 0, 10, 0, 4.01, 0)]
        got = values(reference, prediction, rules(2024))
        assert got["F"] == pytest.approx(1 / 2), "100 % off is a hit, more is not"
        assert got["RDE"] == pytest.approx((1 + 1.005) / 2)
        assert got["DE_m"] == pytest.approx((2 + 2.01) / 2)
        assert got["DOAE"] == pytest.approx(10, abs=1e-3)
        assert got["SELD"] == pytest.approx((1 / 2 + 10 / 180 + 1.0025) / 3, abs=1e-5)
        assert got["LR"] == pytest.approx(1)
        assert values(reference, prediction, rules(2024, rde_threshold=1.2))["F"] == pytest.approx(1)

    def test_the_last_frame_is_never_scored(self) -> None:
        reference = track(range(3), 0, 0, 0, *self.PLACE)
        assert values(reference, reference[:2], rules(2024))["F"] == pytest.approx(1)
        assert values(reference, reference[:2], rules(2024, corrected=True))["F"] == pytest.approx(2 / 2.5)

    def test_a_class_never_found_has_no_errors(self) -> None:
        reference = track(range(3), 0, 0, 0, *self.PLACE) + track(range(3), 1, 0, 0, *self.PLACE)
        got = scored(reference, track(range(3), 0, 0, 9, *self.PLACE), rules(2024), "macro")
        assert got.values["F"] == pytest.approx(1 / 13)
        assert got.values["DOAE"] == pytest.approx(9, abs=1e-3)
        assert got.classwise["SELD"][:2] == pytest.approx([9 / 180 / 3, 1], abs=1e-5)
        assert math.isnan(got.classwise["DOAE"][1])

    def test_two_equal_predictions_of_different_distance(self) -> None:
        reference = track(range(2), 0, 0, 0, *self.PLACE)
        prediction = [(0, 0, 0, 5, 0, 3.0, 0), (0, 0, 0, 5, 0, 2.0, 0)]
        assert values(reference, prediction, rules(2024))["RDE"] == pytest.approx(0.5), "the first of equal costs"

    def test_a_reference_distance_of_zero_divides_by_epsilon(self) -> None:
        reference, prediction = track(range(2), 0, 0, 0, 0.0, 0.0), track(range(2), 0, 0, 0, 0.0, 1.0)
        with pytest.warns(ScoreWarning, match="reference distance must be above 0 m"):
            got = values(reference, prediction, rules(2024))
        assert got["RDE"] == pytest.approx(1 / np.finfo(float).eps)
        with pytest.raises(DataError, match="reference a, row 0: a reference distance must be above 0 m"):
            values(reference, prediction, rules(2024, corrected=True))

    def test_distance_is_required(self) -> None:
        with pytest.raises(DataError, match=r"prediction a has no distance.*take dcase2023"):
            values(track(range(3), 0, 0, 0, *self.PLACE), track(range(3), 0, 0, 0), rules(2024))


class TestStereo:
    @pytest.mark.parametrize(
        ("azimuth_deg", "error"), [(80, 0), (100, 0), (-100, 160), (179, 79), (-180, 80), (60, 20)]
    )
    def test_front_and_back_are_one(self, azimuth_deg: float, error: float) -> None:
        reference, prediction = track(range(2), 0, 0, 80, 0, 1, 0), track(range(2), 0, 0, azimuth_deg, 0, 1, 0)
        got = values(reference, prediction, rules(2025))
        assert got["DOAE"] == pytest.approx(error)
        assert got["F"] == pytest.approx(float(error <= 20))

    def test_the_onscreen_flag_is_a_condition_only_if_asked(self) -> None:
        reference, prediction = track(range(3), 0, 0, 0, 0, 1, 1), [(0, 0, 0, 0, 0, 1, 1), (1, 0, 0, 0, 0, 1, 0)]
        got = values(reference, prediction, rules(2025))
        assert (got["F"], got["onscreen_accuracy"]) == pytest.approx((1, 0.5))
        assert values(reference, prediction, rules(2025, onscreen=True))["F"] == pytest.approx(1 / 2)
        assert "SELD" not in got

    def test_twice_the_distance_is_a_hit_for_every_centimetre(self) -> None:
        centimetres = np.arange(1, 1001)
        reference = [(frame, 0, 0, 0, 0, cm / 100, 0) for frame, cm in enumerate(centimetres)]
        prediction = [(frame, 0, 0, 0, 0, 2 * cm / 100, 0) for frame, cm in enumerate(centimetres)]
        got = values([*reference, (1000, 0, 0, 0, 0, 1.0, 0)], prediction, rules(2025))
        assert got["F"] == pytest.approx(1)

    def test_the_eleventh_track_overwrites_the_first(self) -> None:
        reference = track(range(2), 0, 0, 0, 0, 1, 0)
        prediction = [(0, 0, 0, -80 + 10 * source, 0, 1, 0) for source in range(10)] + [(0, 0, 0, 1, 0, 1, 0)]
        official = scored(reference, prediction, rules(2025)).counts
        assert (official.false_positives[0, 0], official.angle_error_deg[0, 0]) == (9, 0)
        late = [(0, 0, 20, -85 + 9 * source, 0, 1, 0) for source in range(10)] + [(0, 0, 20, 0, 0, 1, 0)] * 2
        assert scored(reference, late, rules(2025)).counts.angle_error_deg[0, 0] == 0
        corrected = scored(reference[:1], late, rules(2025, corrected=True)).counts
        assert corrected.false_positives[0, 0] == 11

    def test_an_empty_reference_counts_nothing(self) -> None:
        files = {"a": labels(track(range(3), 0, 0, 0, 0, 1, 0)), "b": EMPTY}
        prediction = {"a": files["a"], "b": labels(track(range(5), 1, 0, 0, 0, 1, 0))}
        assert score(files, prediction, rules(2025), "micro").values["F"] == pytest.approx(1)
        assert score(files, prediction, rules(2025, corrected=True), "micro").values["F"] == pytest.approx(3 / 5.5)

    def test_flags_are_required(self) -> None:
        place = [(0, 0, 0, 0, 0, 1.0), (1, 0, 0, 0, 0, 1.0)]
        with pytest.raises(DataError, match="no on-screen flag"):
            values(place, place, rules(2025))


class TestRules:
    def test_2021_knows_micro_only(self) -> None:
        events = {"a": labels(track(SEGMENT, 0, 0, 0))}
        assert score(events, events, rules(2021)).average == "micro"
        with pytest.raises(ConfigError, match="dcase2021 rules have no macro average: take micro"):
            score(events, events, rules(2021), "macro")

    @pytest.mark.parametrize(
        ("year", "changes", "message"),
        [
            (2023, {"doa_threshold_deg": 0.0}, "doa_threshold_deg must be above 0"),
            (2023, {"doa_threshold_deg": math.nan}, "doa_threshold_deg must be above 0"),
            (2024, {"rde_threshold": -1.0}, "rde_threshold must be above 0"),
            (2023, {"rde_threshold": 1.0}, "do not score distance"),
            (2024, {"onscreen": True}, "know no on-screen flag"),
            (2024, {"block_frames": 10}, "distance is scored frame by frame"),
        ],
    )
    def test_contradictions(self, year: int, changes: dict[str, object], message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            rules(year, **changes)

    def test_unknown_classes_to_average(self) -> None:
        events = {"a": labels(track(SEGMENT, 0, 0, 0))}
        with pytest.raises(ConfigError, match=r"some of 0..12, got \[3, 13\]"):
            score(events, events, rules(2023), classes=[3, 13])


def test_directions_that_are_no_numbers() -> None:
    reference, prediction = track(SEGMENT, 0, 0, 0), track(SEGMENT, 0, 0, math.nan)
    with (
        pytest.warns(ScoreWarning, match="azimuth must be in"),
        pytest.raises(DataError, match="a: a direction that is not"),
    ):
        values(reference, prediction, rules(2023))
    with pytest.raises(DataError, match=r"prediction a, row 0: azimuth must be in \[-180, 180\] degrees, got nan"):
        values(reference, prediction, rules(2023, corrected=True))
    with pytest.warns(ScoreWarning):
        got = values(reference, track(SEGMENT, 1, 0, math.nan), rules(2023))
    assert got["ER"] == pytest.approx(1), "unmatched, it is only a false alarm"


def test_columns_must_have_one_length() -> None:
    with pytest.raises(DataError, match=r"one length, got {'frame': 2, 'class_id': 2, 'source': 1,"):
        replace(labels(track(range(2), 0, 0, 0)), source=np.zeros(1, dtype=np.int64))


def test_labels_from_a_prediction() -> None:
    activity = np.zeros((3, 2, 2), dtype=np.float32)
    activity[1, 0, 1], activity[2, 1, 0] = 0.9, 0.4
    direction = np.zeros((3, 2, 2, 3), dtype=np.float32)
    direction[1, 0, 1] = (0, 1, 0)
    direction[2, 1, 0] = (0, 0, 1)
    distance_m = np.full((3, 2, 2), 1.5, dtype=np.float32)
    prediction = Prediction(activity, direction, ("a", "b"), distance_m)
    one = labels_from_prediction(prediction)
    assert (one.frame.tolist(), one.class_id.tolist(), one.azimuth_deg.tolist()) == ([1], [1], [90.0])
    both = labels_from_prediction(prediction, [0.3, 0.5])
    assert (both.frame.tolist(), both.source.tolist(), both.elevation_deg.tolist()) == ([1, 2], [0, 1], [0.0, 90.0])
    assert isinstance(both, Labels)
    assert both.distance_m is not None
    assert both.distance_m.tolist() == [1.5, 1.5]


def test_without_directions_a_class_sounds_once_a_frame() -> None:
    rows = [(0, 1, 0, 30.0, 5.0), (0, 1, 1, -90.0, 0.0), (0, 2, 0, 10.0, 0.0), (3, 1, 1, 45.0, 0.0)]
    asked = without_directions(labels(rows))
    assert list(zip(asked.frame.tolist(), asked.class_id.tolist(), strict=True)) == [(0, 1), (0, 2), (3, 1)]
    for column in (asked.source, asked.azimuth_deg, asked.elevation_deg):
        assert not column.any()
