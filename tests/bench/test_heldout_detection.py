"""Held-out scores of models without directions."""

import numpy as np
import pytest

from benchmarks.heldout_detection import detection_scores
from edgeseld.core.prediction import Prediction
from edgeseld.core.spec import STARSS_CLASSES
from edgeseld.metrics.labels import Labels

BELL, KNOCK = STARSS_CLASSES.index("bell"), STARSS_CLASSES.index("knock")


def heard(seconds: dict[int, float], class_id: int = BELL) -> Prediction:
    """Four seconds in which a class is active so much in the first frame of some seconds."""
    activity = np.zeros((40, 1, len(STARSS_CLASSES)), np.float32)
    for second, value in seconds.items():
        activity[10 * second, 0, class_id] = value
    return Prediction(activity, np.zeros((*activity.shape, 3), np.float32), STARSS_CLASSES)


def sounding(*frames: int, class_id: int = BELL) -> Labels:
    zeros = np.zeros(len(frames))
    return Labels(np.array(frames), np.full(len(frames), class_id), np.zeros(len(frames), np.int64), zeros, zeros)


def test_one_second_missed_and_one_made_up() -> None:
    predictions = {"a": heard({0: 0.9, 1: 0.3, 3: 0.6})}
    references = {"a": sounding(5, 12, 13)}
    scores = detection_scores(predictions, references, [0.5] * len(STARSS_CLASSES), STARSS_CLASSES)
    # Heard 0 and 3, there 0 and 1; a threshold below 0.3 gives 2 of 3 right.
    assert scores.F1 == pytest.approx(0.5)
    assert scores.F1_MO == pytest.approx(0.8)
    assert scores.ER == pytest.approx(1.0)
    assert scores.F1_interval == (pytest.approx(0.5), pytest.approx(0.5))


def test_classes_beside_the_headline_ones_do_not_count() -> None:
    predictions = {"a": heard({0: 0.9}), "b": heard({1: 0.9}, KNOCK)}
    references = {"a": sounding(5), "b": sounding(35, class_id=KNOCK)}
    scores = detection_scores(predictions, references, [0.5] * len(STARSS_CLASSES), STARSS_CLASSES)
    assert (scores.F1, scores.F1_MO, scores.ER) == (1.0, 1.0, 0.0)
