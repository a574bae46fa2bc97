"""Thresholds of classes, worked out by hand."""

import numpy as np

from edgeseld.core.prediction import Float32, Prediction
from edgeseld.export.thresholds import best_located_thresholds, best_thresholds
from edgeseld.metrics.labels import Labels, labels_from_vectors

FRONT, LEFT = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)


def test_thresholds_of_the_best_f_score_of_frames() -> None:
    activity = np.array([[0.1, 0.3], [0.2, 0.3], [0.35, 0.3], [0.4, 0.3], [0.9, 0.3]])
    presence = np.array([[False, False], [False, False], [True, False], [True, False], [True, False]])
    # All thresholds from 0.20 to 0.34 are perfect for the first class; 0.34 is nearest to 0.5. The other never sounds.
    assert best_thresholds(activity, presence).tolist() == [0.34, 0.5]


def heard(activity: list[float], directions: list[tuple[float, float, float]]) -> tuple[Prediction, Labels]:
    """One class that sounds in front in every frame, heard with these activities from these directions."""
    frames = len(activity)
    direction: Float32 = np.array(directions, np.float32).reshape(frames, 1, 1, 3)
    prediction = Prediction(np.array(activity, np.float32).reshape(frames, 1, 1), direction, ("bell",))
    rows = np.arange(frames)
    return prediction, labels_from_vectors(rows, 0 * rows, 0 * rows, np.tile(FRONT, (frames, 1)))


def test_what_is_heard_faintly_and_in_the_wrong_place_is_left_out() -> None:
    """Six frames right at 0.8, thirty wrong at 0.405: below it a detection is right one time in six."""
    prediction, labels = heard([0.8] * 6 + [0.405] * 30, [FRONT] * 6 + [LEFT] * 30)
    (located,) = best_located_thresholds({"a": prediction}, {"a": labels}, 1, unify_deg=15.0)
    assert located == 0.5
    activity = prediction.activity[:, 0].astype(np.float64)
    assert best_thresholds(activity, np.ones((36, 1), bool)).tolist() == [0.4]


def test_in_the_right_place_the_faint_counts_too() -> None:
    prediction, labels = heard([0.8] * 6 + [0.405] * 30, [FRONT] * 36)
    (located,) = best_located_thresholds({"a": prediction}, {"a": labels}, 1, unify_deg=15.0)
    # Perfect up to 0.40, and so is the mean over three neighbours up to 0.37.
    assert located == 0.37


def test_a_class_that_never_sounds_keeps_the_middle() -> None:
    prediction, labels = heard([0.8] * 12, [FRONT] * 12)
    silent = Prediction(np.zeros((12, 1, 2), np.float32), np.zeros((12, 1, 2, 3), np.float32), ("bell", "knock"))
    activity, direction = silent.activity.copy(), silent.direction.copy()
    activity[..., :1], direction[:, :, :1] = prediction.activity, prediction.direction
    both = Prediction(activity, direction, ("bell", "knock"))
    assert best_located_thresholds({"a": both}, {"a": labels}, 2, unify_deg=15.0)[1] == 0.5
