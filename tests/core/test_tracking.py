"""Frames to events: every rule by hand, and what must hold for any prediction."""

import json
import math
from collections.abc import Iterable
from itertools import pairwise, permutations, product

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseld.core.assignment import angle_deg, assign, extrapolate
from edgeseld.core.events import EventList, SeldEvent
from edgeseld.core.geometry import angle_between_deg, unit_vector
from edgeseld.core.prediction import Prediction, Uncertainty
from edgeseld.core.spec import TrackingSpec
from edgeseld.core.tracking import Changes, Tracker, track_events
from tests.conftest import ROOT
from tests.core import golden_tracking

CLASSES = ("bell", "knock")
# Frame, track, class, activity, azimuth, elevation in degrees.
Row = tuple[int, int, int, float, float, float]
PLAIN = TrackingSpec(max_gap_frames=0, min_frames=1, smooth_frames=1)


def prediction(rows: Iterable[Row], frames: int, tracks: int = 3) -> Prediction:
    activity = np.zeros((frames, tracks, 2), np.float32)
    direction = np.zeros((frames, tracks, 2, 3), np.float32)
    for frame, track, class_id, p, azimuth_deg, elevation_deg in rows:
        activity[frame, track, class_id] = p
        direction[frame, track, class_id] = unit_vector(azimuth_deg, elevation_deg)
    return Prediction(activity, direction, CLASSES)


def levels(*activities: float) -> Prediction:
    """One bell in front, track 0."""
    return prediction([(frame, 0, 0, p, 0.0, 0.0) for frame, p in enumerate(activities)], len(activities))


def spans(events: Iterable[SeldEvent]) -> list[tuple[float, float]]:
    return [(event.onset_s, event.offset_s) for event in events]


def rules(**changes: object) -> TrackingSpec:
    return msgspec.structs.replace(PLAIN, **changes)


def test_an_event_lasts_from_its_first_frame_to_the_end_of_its_last() -> None:
    (event,) = track_events(levels(0, 0, 0.9, 0.7, 0.8, 0), PLAIN)
    assert (event.class_name, event.track, event.onset_s, event.offset_s) == ("bell", 0, 0.2, 0.5)
    assert event.score == pytest.approx(0.8)
    assert [point.time_s for point in event.trajectory] == [0.2, 0.3, 0.4]
    assert [point.activity for point in event.trajectory] == pytest.approx([0.9, 0.7, 0.8])
    assert event.uncertainty is None


def test_the_threshold_must_be_exceeded() -> None:
    assert track_events(levels(0.5, 0.5), PLAIN) == ()
    assert spans(track_events(levels(0.5, np.nextafter(np.float32(0.5), np.float32(1))), PLAIN)) == [(0.1, 0.2)]


def test_hysteresis_starts_high_and_goes_on_low() -> None:
    """Release at 0.4: 0.45 keeps the event, does not start it; 0.4 ends it."""
    assert spans(track_events(levels(0.45, 0.6, 0.45, 0.41, 0.4, 0.45, 0.6), PLAIN)) == [(0.1, 0.4), (0.6, 0.7)]
    assert spans(track_events(levels(0.45, 0.6, 0.45, 0.6), rules(release_ratio=1.0))) == [(0.1, 0.2), (0.3, 0.4)]


def test_thresholds_belong_to_classes() -> None:
    ours = rules(class_thresholds={"bell": 0.2})
    assert spans(track_events(levels(0.3), ours)) == [(0.0, 0.1)]
    assert track_events(prediction([(0, 0, 1, 0.3, 0.0, 0.0)], 1), ours) == ()


@pytest.mark.parametrize(("gap", "expected"), [(0, 2), (1, 2), (2, 1), (3, 1)])
def test_gaps_up_to_the_longest_are_bridged(gap: int, expected: int) -> None:
    """Two silent frames in between."""
    events = track_events(levels(0.9, 0, 0, 0.9), rules(max_gap_frames=gap))
    assert len(events) == expected
    assert events[-1].offset_s == 0.4
    assert sum(len(event.trajectory) for event in events) == 2


def test_short_events_are_dropped_counting_heard_frames_only() -> None:
    ours = rules(min_frames=3, max_gap_frames=2)
    assert track_events(levels(0.9, 0, 0, 0.9), ours) == ()
    assert spans(track_events(levels(0.9, 0, 0.9, 0.9), ours)) == [(0.0, 0.4)]


@pytest.mark.parametrize(("step_deg", "events"), [(40.0, 1), (40.1, 2)])
def test_a_jump_beyond_the_gate_is_another_source(step_deg: float, events: int) -> None:
    two = prediction([(0, 0, 0, 0.9, 170.0, 0.0), (1, 0, 0, 0.9, 170.0 + step_deg, 0.0)], 2)
    assert len(track_events(two, rules(gate_deg=40.0001))) == events


def test_events_of_one_class_that_overlap_have_different_numbers() -> None:
    rows = [(frame, 0, 0, 0.9, 90.0, 0.0) for frame in range(6)] + [
        (frame, 1, 0, 0.8, -90.0, 0.0) for frame in (1, 2, 4, 5)
    ]
    rows += [(frame, 2, 1, 0.8, -90.0, 0.0) for frame in range(2)]
    events = track_events(prediction(rows, 6), PLAIN)
    assert [(e.class_name, e.track, e.onset_s) for e in events] == [
        ("bell", 0, 0.0),
        ("knock", 0, 0.0),
        ("bell", 1, 0.1),
        ("bell", 1, 0.4),
    ]


def test_of_two_that_start_together_the_louder_has_the_lower_number() -> None:
    rows = [(0, 0, 0, 0.7, 90.0, 0.0), (0, 2, 0, 0.9, -90.0, 0.0)]
    events = track_events(prediction(rows, 1), PLAIN)
    assert [(event.track, round(event.trajectory[0].azimuth_deg or 0)) for event in events] == [(0, -90), (1, 90)]


def test_one_direction_goes_to_the_nearer_source_only() -> None:
    rows = [(0, 0, 0, 0.9, 0.0, 0.0), (0, 1, 0, 0.9, 30.0, 0.0), (1, 0, 0, 0.9, 20.0, 0.0)]
    events = track_events(prediction(rows, 2), rules(gate_deg=40.0))
    assert sorted(len(event.trajectory) for event in events) == [1, 2]
    (longer,) = [event for event in events if len(event.trajectory) == 2]
    assert longer.trajectory[0].azimuth_deg == pytest.approx(30.0, abs=1e-4)


def crossing(meeting_frames: int, speed_deg: float = 6.0) -> Prediction:
    """Two bells on one circle that pass each other at 0 degrees, in changing tracks; while they meet one is heard."""
    rows: list[Row] = []
    for frame in range(32):
        azimuth_deg = (frame - 15.5) * speed_deg
        if abs(frame - 15.5) < meeting_frames / 2:
            rows.append((frame, 1, 0, 0.9, 0.0, 0.0))
        else:
            rows.append((frame, frame % 3, 0, 0.9, azimuth_deg, 0.0))
            rows.append((frame, (frame + 1) % 3, 0, 0.9, -azimuth_deg, 0.0))
    return prediction(rows, 32)


@pytest.mark.parametrize("meeting_frames", [0, 2, 4])
def test_sources_that_cross_keep_their_identity(meeting_frames: int) -> None:
    ours = rules(max_gap_frames=4)
    events = track_events(crossing(meeting_frames), ours)
    ways = [[point.azimuth_deg for point in event.trajectory] for event in events]
    assert len(events) == 2
    for way in ways:
        assert abs((way[0] or 0.0) + (way[-1] or 0.0)) < 1e-3
        assert abs(way[0] or 0.0) == pytest.approx(93.0, abs=1e-3)


def test_without_motion_the_same_sources_turn_back() -> None:
    """So the rule is what keeps them apart."""
    events = track_events(crossing(0), rules(motion_frames=1))
    assert all(abs((e.trajectory[0].azimuth_deg or 0) - (e.trajectory[-1].azimuth_deg or 0)) < 1.0 for e in events)


def test_a_source_that_moves_fast_may_still_stop() -> None:
    """Its line leads 60 degrees away from where it stays, but where it was last heard is inside the gate."""
    rows = [(frame, 0, 0, 0.9, 30.0 * min(frame, 3), 0.0) for frame in range(6)]
    assert len(track_events(prediction(rows, 6), rules(gate_deg=35.0))) == 1


def test_the_trajectory_is_smoothed_over_heard_frames_by_activity() -> None:
    rows = [(0, 0, 0, 0.9, 10.0, 0.0), (1, 0, 0, 0.6, -10.0, 0.0), (3, 0, 0, 0.9, 10.0, 0.0)]
    (event,) = track_events(prediction(rows, 4), rules(max_gap_frames=2, smooth_frames=3))
    azimuths = [point.azimuth_deg for point in event.trajectory]

    def mean(*parts: tuple[float, float]) -> float:
        x, y = (sum(p * f(math.radians(a)) for p, a in parts) for f in (math.cos, math.sin))
        return math.degrees(math.atan2(y, x))

    assert azimuths == pytest.approx([mean((0.9, 10), (0.6, -10)), mean((0.9, 10), (0.6, -10)), 10.0], abs=1e-4)
    assert [point.activity for point in event.trajectory] == pytest.approx([0.9, 0.6, 0.9])


def test_smoothing_does_not_bend_a_straight_way() -> None:
    rows = [(frame, 0, 0, 0.9, 4.0 * frame, 0.0) for frame in range(11)]
    (event,) = track_events(prediction(rows, 11), rules(smooth_frames=5))
    inner = [point.azimuth_deg for point in event.trajectory][2:-2]
    assert inner == pytest.approx([4.0 * frame for frame in range(2, 9)], abs=1e-3)


def test_an_even_width_is_refused() -> None:
    with pytest.raises(ValueError, match=r"tracking\.smooth_frames must be odd, got 4"):
        TrackingSpec(smooth_frames=4)


def test_detection_without_directions() -> None:
    activity = np.full((3, 1, 2), 0.9, np.float32)
    silent = Prediction(activity, np.zeros((3, 1, 2, 3), np.float32), CLASSES)
    events = track_events(silent, PLAIN)
    assert [event.class_name for event in events] == ["bell", "knock"]
    assert all(point.azimuth_deg is None and point.elevation_deg is None for point in events[0].trajectory)


def test_distances_are_means_by_activity() -> None:
    base = levels(0.9, 0.6)
    distance_m = np.zeros((2, 3, 2), np.float32)
    distance_m[:, 0, 0] = [1.0, 2.0]
    (event,) = track_events(Prediction(base.activity, base.direction, CLASSES, distance_m), rules(smooth_frames=3))
    assert [p.distance_m for p in event.trajectory] == pytest.approx([(0.9 + 1.2) / 1.5] * 2)


def test_uncertainty_is_the_mean_over_heard_frames() -> None:
    base = levels(0.9, 0.0, 0.7)
    arrays = [np.full((3, 3, 2), 9.0, np.float32) for _ in range(4)]
    for index, array in enumerate(arrays):
        array[:, 0, 0] = np.array([0.1, 5.0, 0.3]) * (index + 1)
    arrays[3][2, 0, 0] = np.nan
    uncertain = Prediction(base.activity, base.direction, CLASSES, None, Uncertainty(*arrays, 10, 5))
    (event,) = track_events(uncertain, rules(max_gap_frames=1))
    assert event.uncertainty is not None
    assert event.uncertainty.activity_std == pytest.approx(0.2)
    assert event.uncertainty.entropy == pytest.approx(0.4)
    assert event.uncertainty.mutual_information == pytest.approx(0.6)
    assert event.uncertainty.direction_spread_deg == pytest.approx(0.4)
    assert (event.uncertainty.mc_samples, event.uncertainty.time_shifts) == (10, 5)


def test_a_stream_hears_of_events_as_they_open_and_close() -> None:
    tracker = Tracker(CLASSES, rules(min_frames=2, max_gap_frames=1))
    changes = [tracker.add(levels(p)) for p in (0.9, 0.9, 0.9, 0, 0, 0.9)]
    assert [len(change.opened) for change in changes] == [0, 1, 0, 0, 0, 0]
    assert [len(change.detections) for change in changes] == [0, 1, 1, 0, 0, 0]
    assert [len(change.closed) for change in changes] == [0, 0, 0, 0, 1, 0]
    assert spans(changes[1].opened) == [(0.0, 0.2)]
    assert spans(changes[4].closed) == [(0.0, 0.3)]
    assert [d.time_s for change in changes for d in change.detections] == [0.1, 0.2]
    assert tracker.finish() == Changes()


def test_a_bounded_trajectory_keeps_score_and_onset() -> None:
    activities = np.linspace(0.6, 0.9, 50).tolist()
    tracker = Tracker(CLASSES, PLAIN, kept_frames=10)
    tracker.add(levels(*activities))
    (event,) = tracker.finish().closed
    assert (event.onset_s, event.offset_s, len(event.trajectory)) == (0.0, 5.0, 10)
    assert event.score == pytest.approx(0.75)
    assert event.trajectory[0].time_s == 4.0


@st.composite
def random_predictions(draw: st.DrawFn) -> Prediction:
    """Sources that come, go, move and jump, in any tracks."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    frames = draw(st.integers(1, 25))
    activity = generator.choice([0.0, 0.3, 0.45, 0.6, 0.9], (frames, 3, 2)) + generator.uniform(0, 0.05, (frames, 3, 2))
    centre = unit_vector(generator.uniform(-180, 180, 3), generator.uniform(-60, 60, 3))[:, None]
    direction = centre + generator.normal(0.0, draw(st.sampled_from([0.05, 0.3])), (frames, 3, 2, 3))
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    return Prediction(activity.astype(np.float32), direction.astype(np.float32), CLASSES)


any_rules = st.builds(
    TrackingSpec,
    release_ratio=st.sampled_from([0.5, 0.8, 1.0]),
    gate_deg=st.sampled_from([10.0, 40.0, 180.0]),
    max_gap_frames=st.integers(0, 3),
    min_frames=st.integers(1, 4),
    motion_frames=st.sampled_from([1, 5]),
    smooth_frames=st.sampled_from([1, 5]),
)


@given(random_predictions(), any_rules, st.data())
def test_the_order_of_tracks_means_nothing(whole: Prediction, ours: TrackingSpec, data: st.DataObject) -> None:
    activity, direction = whole.activity.copy(), whole.direction.copy()
    for frame in range(whole.frames):
        order = list(data.draw(st.sampled_from(list(permutations(range(3))))))
        activity[frame], direction[frame] = activity[frame, order], direction[frame, order]
    assert track_events(Prediction(activity, direction, CLASSES), ours) == track_events(whole, ours)


@given(random_predictions(), any_rules, st.lists(st.integers(1, 6), min_size=25, max_size=25))
def test_blocks_of_any_size_give_the_same_events(whole: Prediction, ours: TrackingSpec, sizes: list[int]) -> None:
    tracker, closed, start = Tracker(CLASSES, ours), [], 0
    for size in sizes:
        closed += tracker.add(whole.frames_between(start, min(start + size, whole.frames))).closed
        start = min(start + size, whole.frames)
    closed += tracker.finish().closed
    order = sorted(closed, key=lambda event: (event.onset_s, CLASSES.index(event.class_name), event.track))
    assert tuple(order) == track_events(whole, ours)


@given(random_predictions(), any_rules)
def test_every_event_obeys_the_rules(whole: Prediction, ours: TrackingSpec) -> None:
    seen: set[tuple[str, int, float]] = set()
    for event in track_events(whole, ours):
        frames = [round(point.time_s * 10) for point in event.trajectory]
        assert len(frames) >= ours.min_frames
        assert all(0 < later - earlier <= ours.max_gap_frames + 1 for earlier, later in pairwise(frames))
        assert (event.onset_s, event.offset_s) == (frames[0] / 10, (frames[-1] + 1) / 10)
        assert event.trajectory[0].activity > ours.threshold
        assert all(point.activity > ours.threshold * ours.release_ratio for point in event.trajectory)
        for point in event.trajectory:
            key = (event.class_name, event.track, point.time_s)
            assert key not in seen
            seen.add(key)


def test_the_most_pairs_come_before_the_least_angle() -> None:
    assert assign([[1.0, 30.0], [2.0, None]]) == [1, 0]
    assert assign([[5.0, 1.0], [None, 2.0]]) == [0, 1]
    assert assign([[None, None], [None, 3.0]]) == [None, 1]
    assert assign([[1.0, 1.0], [1.0, 1.0]]) == [0, 1]
    assert assign([[2.0], [1.0]]) == [None, 0]
    assert assign([]) == []


@given(rows=st.integers(0, 4), columns=st.integers(1, 5), data=st.data())
def test_assignment_against_trying_everything(rows: int, columns: int, data: st.DataObject) -> None:
    cost = st.one_of(st.none(), st.integers(0, 4).map(float))
    costs = data.draw(st.lists(st.lists(cost, min_size=columns, max_size=columns), min_size=rows, max_size=rows))
    allowed = []
    for choice in product([*range(columns), None], repeat=rows):
        pairs = [(row, column) for row, column in enumerate(choice) if column is not None]
        if len({column for _, column in pairs}) == len(pairs):
            paid = [costs[row][column] for row, column in pairs]
            if None not in paid:
                order = [columns if column is None else column for column in choice]
                allowed.append((-len(pairs), sum(filter(None, paid)), order, list(choice)))
    assert assign(costs) == min(allowed)[-1]


@given(st.lists(st.integers(-9, 9), min_size=6, max_size=6))
def test_angles_agree_with_the_geometry(values: list[int]) -> None:
    first, second = (values[0], values[1], values[2]), (values[3], values[4], values[5])
    assert angle_deg(first, second) == pytest.approx(float(angle_between_deg(first, second)), abs=1e-9)


def test_motion_goes_on_along_the_line() -> None:
    ahead = extrapolate((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), 0.5)
    assert ahead == pytest.approx((-0.5 / math.hypot(0.5, 1.5), 1.5 / math.hypot(0.5, 1.5), 0.0))
    assert extrapolate((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 2.0) == (0.0, 0.0, 0.0)


def test_against_the_golden_events_of_all_languages() -> None:
    golden = json.loads(golden_tracking.GOLDEN.read_text())
    assert [case["name"] for case in golden] == list(golden_tracking.cases())
    for case in golden:
        rules = msgspec.convert(case["rules"], TrackingSpec)
        expected = msgspec.convert(case["events"], tuple[SeldEvent, ...])
        ours = track_events(golden_tracking.prediction_of(case["heard"], case["frames"]), rules)
        assert_events_near(ours, expected)


def assert_events_near(ours: Iterable[SeldEvent], theirs: Iterable[SeldEvent]) -> None:
    """Equal but for the last digits."""
    for one, other in zip(ours, theirs, strict=True):
        assert (one.class_name, one.track, one.onset_s, one.offset_s) == (
            other.class_name,
            other.track,
            other.onset_s,
            other.offset_s,
        )
        assert one.score == pytest.approx(other.score, abs=1e-9)
        for point, same in zip(one.trajectory, other.trajectory, strict=True):
            assert msgspec.structs.astuple(point) == pytest.approx(msgspec.structs.astuple(same), abs=1e-6)
        assert one.uncertainty is not None
        assert other.uncertainty is not None
        assert msgspec.structs.astuple(one.uncertainty) == pytest.approx(
            msgspec.structs.astuple(other.uncertainty), abs=1e-6
        )


def test_the_schema_of_events_in_docs_is_that_of_the_structs() -> None:
    assert json.loads((ROOT / "docs" / "events.schema.json").read_text()) == msgspec.json.schema(EventList)
