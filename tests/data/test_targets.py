"""Label encoding: against a plain encoder, under permutations, and window by window."""

from collections import defaultdict
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeseld.core.geometry import unit_vector
from edgeseld.data.targets import adpit_target, soft_target_rows, target_rows
from edgeseld.metrics.labels import EMPTY, Labels, take

FRAMES, CLASSES = 6, 3
ROW = st.tuples(
    st.integers(0, FRAMES - 1),
    st.integers(0, CLASSES - 1),
    st.integers(-180, 180),
    st.integers(-90, 90),
    st.integers(1, 900),
)
ROWS = st.lists(ROW, max_size=25)
# At most one event of a class in a frame.
DISTINCT_ROWS = st.lists(ROW, max_size=18, unique_by=lambda row: row[:2])


def labels_of(rows: list[tuple[int, ...]], *, distance: bool = True) -> Labels:
    frame, class_id, azimuth, elevation, distance_cm = np.array(rows, dtype=np.int64).reshape(-1, 5).T
    angles = azimuth.astype(np.float64), elevation.astype(np.float64)
    return Labels(frame, class_id, np.arange(len(frame)), *angles, distance_cm / 100 if distance else None)


def encode(labels: Labels) -> NDArray[np.float32]:
    return adpit_target(target_rows(labels), 0, FRAMES, CLASSES)


def plain_encode(rows: list[tuple[int, ...]]) -> NDArray[np.float32]:
    """Frame by frame and class by class: one event A0, two B0 B1, the first three of more C0 C1 C2."""
    target = np.zeros((FRAMES, 6, 5, CLASSES), np.float32)
    events = defaultdict(list)
    for frame, class_id, azimuth, elevation, distance_cm in rows:
        events[frame, class_id].append([1.0, *unit_vector(azimuth, elevation), distance_cm / 100])
    for (frame, class_id), values in events.items():
        first_slot = {1: 0, 2: 1}.get(len(values), 3)
        for slot, value in enumerate(values[:3], first_slot):
            target[frame, slot, :, class_id] = value
    return target


@given(ROWS)
def test_against_a_plain_encoder(rows: list[tuple[int, ...]]) -> None:
    assert encode(labels_of(rows)) == pytest.approx(plain_encode(rows), abs=1e-7)


@given(DISTINCT_ROWS, st.randoms(use_true_random=False))
def test_the_order_of_different_classes_changes_nothing(rows: list[tuple[int, ...]], random: Random) -> None:
    labels = labels_of(rows)
    order = list(range(len(rows)))
    random.shuffle(order)
    assert (encode(take(labels, np.array(order, dtype=np.int64))) == encode(labels)).all()


@given(ROWS, st.randoms(use_true_random=False))
def test_only_the_order_within_a_class_counts(rows: list[tuple[int, ...]], random: Random) -> None:
    """Frames and classes may be interleaved in any way; which events of a class stay is decided by their own order."""
    groups = defaultdict(list)
    for index, row in enumerate(rows):
        groups[row[:2]].append(index)
    queue = [key for key, indices in groups.items() for _ in indices]
    random.shuffle(queue)
    order = [groups[key].pop(0) for key in queue]
    labels = labels_of(rows)
    assert (encode(take(labels, np.array(order, dtype=np.int64))) == encode(labels)).all()


@given(ROWS, st.integers(0, FRAMES - 1), st.integers(1, FRAMES))
def test_a_window_is_a_slice_of_the_whole(rows: list[tuple[int, ...]], first: int, frames: int) -> None:
    target_of_file = target_rows(labels_of(rows))
    window = adpit_target(target_of_file, first, frames, CLASSES)
    whole = adpit_target(target_of_file, 0, 2 * FRAMES, CLASSES)
    assert (window == whole[first : first + frames]).all()


@given(ROWS)
def test_active_slots_hold_unit_vectors_and_the_others_nothing(rows: list[tuple[int, ...]]) -> None:
    target = encode(labels_of(rows))
    activity, length = target[:, :, 0], np.linalg.norm(target[:, :, 1:4], axis=2)
    assert set(activity.ravel().tolist()) <= {0.0, 1.0}
    assert length == pytest.approx(activity, abs=1e-6)
    assert not target[:, :, 4][activity == 0].any()


@given(ROWS)
def test_a_class_fills_the_slots_of_one_number_of_events(rows: list[tuple[int, ...]]) -> None:
    active = encode(labels_of(rows))[:, :, 0].transpose(0, 2, 1).reshape(-1, 6)
    allowed = {(0,) * 6, (1, 0, 0, 0, 0, 0), (0, 1, 1, 0, 0, 0), (0, 0, 0, 1, 1, 1)}
    assert {tuple(row) for row in active.astype(int).tolist()} <= allowed


def test_of_five_events_the_first_three_stay() -> None:
    """As the DCASE baselines do: by the order of the rows, whatever the sources' numbers."""
    target = encode(labels_of([(2, 1, azimuth, 0, 100) for azimuth in (0, 90, 180, -90, 45)]))
    assert target[2, 3:, 1:3, 1] == pytest.approx(np.array([[1, 0], [0, 1], [-1, 0]]), abs=1e-7)
    assert target[2, :3].sum() == 0


def test_distances_are_zero_where_none_is_known() -> None:
    target = encode(labels_of([(0, 0, 0, 0, 150)], distance=False))
    assert target[0, 0, :, 0].tolist() == [1, 1, 0, 0, 0]


def test_a_file_without_events() -> None:
    assert not encode(EMPTY).any()


@given(st.lists(st.lists(st.floats(0, 1, width=32), min_size=CLASSES, max_size=CLASSES), min_size=1, max_size=FRAMES))
def test_soft_activities_stand_in_the_first_slot(activities: list[list[float]]) -> None:
    activity = np.array(activities, np.float32)
    target = adpit_target(soft_target_rows(activity), 0, len(activity), CLASSES)
    assert (target[:, 0, 0] == activity).all()
    assert target.sum() == pytest.approx(activity.sum(), rel=1e-5)
