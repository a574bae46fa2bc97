"""When the device should ask the cloud: how doubtful a stretch of label frames is, and from what doubt on it is sent.

tests/golden/fallback.json holds vectors that this and every port must reproduce.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import ConfigError
from edgeseld.core.prediction import Prediction
from edgeseld.core.spec import Positive
from edgeseld.core.structs import Frozen

Float64 = NDArray[np.float64]
Measure = Literal["entropy", "mutual-information", "direction-spread", "margin", "switching"]
MEASURES: tuple[Measure, ...] = ("entropy", "mutual-information", "direction-spread", "margin", "switching")
# Below the least doubt there is.
SEND_ALWAYS = -1.0


class FallbackPolicy(Frozen, frozen=True, kw_only=True):
    """policy.json: windows whose doubt is above the threshold are sent, with context on both sides."""

    measure: Measure
    threshold: float
    window_frames: Positive
    context_frames: int

    def sends(self, doubt: float) -> bool:
        """Whether a window of this doubt goes to the cloud."""
        return doubt > self.threshold


def doubt(prediction: Prediction, measure: Measure) -> float:
    """Mean doubt of the label frames of a prediction.

    Doubt of a frame, p being the activity of a track and class and t the threshold of the class:
    - entropy: sum over the classes of the largest H(p) of their tracks, in nats; that of the mean over Monte Carlo
      samples where there are any;
    - mutual-information: the same with the mutual information;
    - direction-spread: mean spread of the tracks and classes above threshold weighted by p, in degrees, 0 without any;
    - margin: how near the nearest p is to its threshold: max of 1 - |p - t| / max(t, 1 - t);
    - switching: classes that begin or end to be above threshold, in any track, at this frame; 0 at the first frame.

    ConfigError for mutual information or spread of a prediction without samples or shifts.
    """
    frames = _frame_doubts(prediction, measure)
    return float(frames.mean()) if len(frames) else 0.0


def _frame_doubts(prediction: Prediction, measure: Measure) -> Float64:
    activity = prediction.activity.astype(np.float64)
    thresholds = np.array(prediction.tracking.thresholds(prediction.classes))
    uncertainty = prediction.uncertainty
    if measure == "margin":
        nearness = 1.0 - np.abs(activity - thresholds) / np.maximum(thresholds, 1.0 - thresholds)
        nearest: Float64 = nearness.max(axis=(1, 2))
        return nearest
    if measure == "switching":
        heard: NDArray[np.bool_] = np.greater(activity.max(axis=1), thresholds)
        return np.concatenate([np.zeros(len(heard[:1])), (heard[1:] != heard[:-1]).sum(axis=1)])
    if measure == "entropy":
        entropy = binary_entropy(activity) if uncertainty is None else uncertainty.entropy.astype(np.float64)
        return _over_classes(entropy)
    if uncertainty is None:
        raise ConfigError(
            f"{measure} needs Monte Carlo samples or time shifts: draw some, or take entropy, margin or switching"
        )
    if measure == "mutual-information":
        return _over_classes(uncertainty.mutual_information.astype(np.float64))
    weight = np.where((activity > thresholds) & np.isfinite(uncertainty.direction_spread_deg), activity, 0.0)
    weighted = (weight * np.nan_to_num(uncertainty.direction_spread_deg)).sum(axis=(1, 2))
    total = weight.sum(axis=(1, 2))
    spread: Float64 = np.divide(weighted, total, out=np.zeros_like(total), where=total > 0.0)
    return spread


def binary_entropy(probability: Float64) -> Float64:
    """H(p) in nats, 0 at both ends."""
    p = np.clip(probability, 0.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        both = -p * np.log(p) - (1.0 - p) * np.log1p(-p)
    return np.where((p > 0.0) & (p < 1.0), both, 0.0)


def fit_threshold(doubts: Sequence[float], share: float) -> float:
    """The threshold above which at most `share` of these windows lie, as near to it as they allow.

    >>> fit_threshold([0.1, 0.4, 0.2, 0.3], 0.5)
    0.2
    """
    if not doubts or not 0.0 <= share <= 1.0:
        raise ConfigError(f"a threshold is fitted to windows for a share in [0, 1], got {len(doubts)} and {share:g}")
    # Rounded first: 0.07 x 100 is a little more than 7 in floating point, 0.29 x 100 a little less than 29.
    sent = int(round(share * len(doubts), 9))
    falling = sorted(doubts, reverse=True)
    return SEND_ALWAYS if sent == len(doubts) else falling[sent]


def share_of_bytes(bytes_per_hour: float, bytes_per_window: float, window_s: float) -> float:
    """The share of windows that a budget of bytes allows, at most all."""
    return min(1.0, bytes_per_hour * window_s / (3600.0 * bytes_per_window))


def _over_classes(values: Float64) -> Float64:
    """(frames, tracks, classes) to (frames,)."""
    summed: Float64 = values.max(axis=1).sum(axis=1)
    return summed
