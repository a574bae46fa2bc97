"""From which activity on a class counts as heard: the threshold of each class, in hundredths."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from edgeseld.core.prediction import Prediction
from edgeseld.metrics.labels import Labels, labels_from_prediction
from edgeseld.metrics.rules import RULES
from edgeseld.metrics.score import score
from edgeseld.runtime.unify import unify

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

THRESHOLDS = np.arange(5, 96) / 100
# What single detections of rare sounds do to F of one hundredth is chance: each stands for itself and three neighbours.
SMOOTHED_OVER = 7
RULES_OF_PLACE = replace(RULES["dcase2023"], corrected=True)


def best_thresholds(activity: Float64, presence: Bool) -> Float64:
    """Thresholds with the best frame-wise F score of each class, arrays (frames, classes)."""
    f_scores = []
    for threshold in THRESHOLDS.tolist():
        active = activity > threshold
        hits = (active & presence).sum(axis=0)
        f_scores.append(2 * hits / np.maximum(active.sum(axis=0) + presence.sum(axis=0), 1))
    return _best(np.stack(f_scores, axis=1))


def best_located_thresholds(
    predictions: Mapping[str, Prediction], references: Mapping[str, Labels], class_count: int, unify_deg: float
) -> Float64:
    """Thresholds with the best F score of each class where only directions within 20 degrees are right.

    What a network hears faintly, it often hears in the wrong place: such thresholds are higher than those of frames.
    By the corrected rules of DCASE 2023, near tracks unified as the runtime does; F is smoothed over the thresholds.
    """
    f_scores = []
    for threshold in THRESHOLDS.tolist():
        every = [threshold] * class_count
        detected = {
            name: labels_from_prediction(unify(one, every, unify_deg), every) for name, one in predictions.items()
        }
        found = score(references, detected, RULES_OF_PLACE, class_count=class_count)
        f_scores.append(np.nan_to_num(found.classwise["F"]))
    weights = np.full(SMOOTHED_OVER, 1.0 / SMOOTHED_OVER)
    return _best(correlate1d(np.stack(f_scores, axis=1), weights, axis=1, mode="nearest"))


def _best(f_scores: Float64) -> Float64:
    """The threshold of the highest score of each class (classes, thresholds); of several the one nearest to 0.5."""
    best = f_scores == f_scores.max(axis=1, keepdims=True)
    distance = np.where(best, np.abs(THRESHOLDS - 0.5), np.inf)
    chosen: Float64 = THRESHOLDS[distance.argmin(axis=1)]
    return chosen
