"""Whether activities are probabilities: reliability, expected calibration error, Brier score, and AUROC."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import DataError
from edgeseld.core.prediction import Prediction
from edgeseld.metrics.labels import Labels

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """What was said and what happened, in bins of the predicted probability that hold anything, shape (bins,).

    `confidence` is the mean probability of a bin, `frequency` the share of its outcomes that are true.
    """

    count: NDArray[np.int64]
    confidence: Float64
    frequency: Float64

    @property
    def expected_error(self) -> float:
        """Expected calibration error: mean gap between confidence and frequency, by count (Guo et al., ICML 2017)."""
        return float(np.average(np.abs(self.confidence - self.frequency), weights=self.count))

    @property
    def largest_error(self) -> float:
        """Maximum calibration error: the largest gap of any bin."""
        return float(np.abs(self.confidence - self.frequency).max())


def reliability(probability: Float64, outcome: Bool, bins: int = 15, adaptive: bool = False) -> Reliability:
    """Reliability diagram of arrays of one shape.

    Fixed bins share [0, 1] in equal parts, a value on a border falls to the upper one; adaptive ones hold equally many
    values (Nguyen and O'Connor, EMNLP 2015), which tells more where most activities lie near 0.
    """
    probability, outcome = _pairs(probability, outcome)
    if adaptive:
        order = np.argsort(probability, kind="stable")
        places = np.empty(len(order), dtype=np.int64)
        places[order] = np.arange(len(order)) * bins // len(order)
    else:
        places = np.minimum((probability * bins).astype(np.int64), bins - 1)
    count = np.bincount(places, minlength=bins)
    held = count > 0
    confidence = np.bincount(places, weights=probability, minlength=bins)[held] / count[held]
    frequency = np.bincount(places, weights=outcome, minlength=bins)[held] / count[held]
    return Reliability(count[held], confidence, frequency)


def brier_score(probability: Float64, outcome: Bool) -> float:
    """Mean squared difference between probability and outcome (Brier 1950); 0 is perfect, 0.25 what 0.5 always gets."""
    probability, outcome = _pairs(probability, outcome)
    return float(np.mean((probability - outcome) ** 2))


def auroc(score: Float64, outcome: Bool) -> float:
    """Chance that a true outcome scores higher than a false one, ties counting half; NaN if one kind is missing."""
    score, outcome = np.ravel(score), np.ravel(outcome)
    positives, negatives = int(outcome.sum()), int((~outcome).sum())
    if not positives or not negatives:
        return float("nan")
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(count) - (count - 1) / 2
    wins = mean_rank[place][outcome].sum() - positives * (positives + 1) / 2
    return float(wins / (positives * negatives))


def class_activity(prediction: Prediction) -> Float64:
    """Activity of each class in each frame, (frames, classes): that of its most active track."""
    activity: Float64 = prediction.activity.max(axis=1).astype(np.float64)
    return activity


def class_presence(labels: Labels, frames: int, class_count: int) -> Bool:
    """Whether a class sounds in a frame, (frames, classes); later frames are left out."""
    presence = np.zeros((frames, class_count), dtype=np.bool_)
    inside = labels.frame < frames
    presence[labels.frame[inside], labels.class_id[inside]] = True
    return presence


def _pairs(probability: Float64, outcome: Bool) -> tuple[Float64, Bool]:
    if probability.shape != outcome.shape or not probability.size:
        raise DataError(f"one outcome per probability is needed, got shapes {probability.shape} and {outcome.shape}")
    if not ((probability >= 0.0) & (probability <= 1.0)).all():
        raise DataError(f"probabilities must be in [0, 1], got {probability.min():g} to {probability.max():g}")
    return probability.ravel(), outcome.ravel()
