"""Many passes to one prediction and how sure it is; docs/uncertainty.md holds the formulae."""

from dataclasses import dataclass

import numpy as np

from edgeseld.core.prediction import Float32, Prediction, Uncertainty
from edgeseld.runtime.decode import SHORTEST
from edgeseld.runtime.samples import Samples

# Smallest positive argument of a logarithm; x log x is 0 there in float32.
TINY = np.float32(1e-30)


@dataclass(frozen=True, slots=True)
class Counts:
    """What an uncertainty rests on."""

    mc_samples: int
    time_shifts: int


def aggregate(samples: Samples, classes: tuple[str, ...], counts: Counts, weights: Float32 | None = None) -> Prediction:
    """Prediction with uncertainty of aligned samples, before unification.

    Activity p: mean, standard deviation, entropy H(mean p) and mutual information H(mean p) - mean H(p) in nats.
    Direction: that of the mean of p u, u unit vectors; spread: arccos(|sum p u| / sum p) in degrees, NaN where no
    sample is active. Distance: mean weighted by p. `weights` (samples, frames), 1 or 0, says which samples count in
    which frame; None means all.
    """
    activity = samples.activity
    mean = _mean(activity, weights)
    deviation = np.sqrt(_mean(np.square(activity - mean[:, np.newaxis]), weights))
    entropy = binary_entropy(mean)
    mutual_information = np.maximum(entropy - _mean(binary_entropy(activity), weights), np.float32(0.0))
    direction, spread_deg = _direction(samples, weights)
    return Prediction(
        activity=_by_frame(mean),
        direction=direction,
        classes=classes,
        distance_m=_by_frame(_distance(samples, mean, weights)) if len(samples.weighted) == 4 else None,
        uncertainty=Uncertainty(
            activity_std=_by_frame(deviation),
            entropy=_by_frame(entropy),
            mutual_information=_by_frame(mutual_information),
            direction_spread_deg=_by_frame(spread_deg),
            mc_samples=counts.mc_samples,
            time_shifts=counts.time_shifts,
        ),
    )


def binary_entropy(probability: Float32) -> Float32:
    """H(p) = -p ln p - (1 - p) ln(1 - p) in nats; 0 for 0 and 1."""
    rest = np.float32(1.0) - probability
    entropy, other = np.maximum(probability, TINY), np.maximum(rest, TINY)
    for value, share in ((entropy, probability), (other, rest)):
        np.log(value, out=value)
        value *= share
    entropy += other
    # Not the negative, which would make -0 of 0.
    return np.subtract(np.float32(0.0), entropy, out=entropy)


def _mean(values: Float32, weights: Float32 | None) -> Float32:
    """Mean over the samples of values (..., samples, frames, classes)."""
    if weights is None:
        mean: Float32 = values.mean(axis=-3)
        return mean
    share = weights / weights.sum(axis=0)
    total: Float32 = (values * share[:, :, np.newaxis]).sum(axis=-3)
    return total


def _direction(samples: Samples, weights: Float32 | None) -> tuple[Float32, Float32]:
    """Unit vectors (frames, tracks, classes, 3), and the spread in degrees (tracks, frames, classes)."""
    tracks, _, frames, classes = samples.activity.shape
    if len(samples.weighted) < 3:
        nowhere = np.zeros((frames, tracks, classes, 3), np.float32)
        return nowhere, np.full((tracks, frames, classes), np.nan, np.float32)
    vectors = samples.weighted[:3]
    directed = samples.activity * (vectors != 0.0).any(axis=0)
    mean, weight = _mean(vectors, weights), _mean(directed, weights)
    length = np.sqrt((mean * mean).sum(axis=0))
    resultant = np.minimum(length / np.maximum(weight, SHORTEST), np.float32(1.0))
    spread: Float32 = np.degrees(np.arccos(resultant))
    spread[weight <= SHORTEST] = np.nan
    unit: Float32 = np.where(length > SHORTEST, mean / np.maximum(length, SHORTEST), np.float32(0.0))
    direction = np.ascontiguousarray(unit.transpose(2, 1, 3, 0))
    return direction, spread


def _distance(samples: Samples, mean: Float32, weights: Float32 | None) -> Float32:
    """Distance in metres, weighted by activity."""
    distance_m: Float32 = np.divide(_mean(samples.weighted[3], weights), np.maximum(mean, SHORTEST))
    return distance_m


def _by_frame(values: Float32) -> Float32:
    """(tracks, frames, classes) to (frames, tracks, classes)."""
    return np.ascontiguousarray(values.transpose(1, 0, 2), dtype=np.float32)
