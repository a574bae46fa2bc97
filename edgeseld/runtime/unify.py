"""Same-class tracks that point the same way are one source (multi-ACCDOA, Shimada et al. 2022)."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.prediction import Float32, Prediction
from edgeseld.runtime.decode import unit

# Each track is paired with the next one.
NEXT = [1, 2, 0]


def unify(prediction: Prediction, thresholds: list[float], unify_deg: float) -> Prediction:
    """Merge active tracks of one class that lie within `unify_deg` of each other, frame by frame.

    The merged source takes the lowest of its tracks, with activity and direction of the mean of the activity-weighted
    vectors, and the mean of distances and uncertainties; the others fall silent. Inactive tracks stay as they are.
    """
    if prediction.activity.shape[1] != 3:
        return prediction
    active = prediction.activity > np.asarray(thresholds, np.float32)
    frames = np.flatnonzero((active.sum(axis=1) > 1).any(axis=1))
    if frames.size == 0:
        return prediction
    members = near_tracks(prediction.direction[frames], active[frames], unify_deg)
    if not members.any():
        return prediction
    return _merge(prediction, frames, members)


def _merge(prediction: Prediction, frames: NDArray[np.int64], members: NDArray[np.bool_]) -> Prediction:
    """Members (frames, 3, classes) become one track in the given frames."""
    lowest = members & (np.cumsum(members, axis=1) == 1)
    activity, direction = prediction.activity[frames], prediction.direction[frames]
    mean = track_mean(direction * activity[..., np.newaxis], members)
    length = np.sqrt((mean * mean).sum(axis=-1))

    def put(array: Float32, values: Float32) -> Float32:
        result = array.copy()
        result[frames] = values
        return result

    def averaged(arrays: Sequence[Float32]) -> list[Float32]:
        own = np.stack([array[frames] for array in arrays], axis=-1)
        merged = np.where(lowest[..., np.newaxis], track_mean(own, members), own)
        return [put(array, merged[..., index]) for index, array in enumerate(arrays)]

    distance_m, uncertainty = prediction.distance_m, prediction.uncertainty
    return replace(
        prediction,
        activity=put(prediction.activity, np.where(lowest, length, np.where(members, np.float32(0.0), activity))),
        direction=put(prediction.direction, np.where(lowest[..., np.newaxis], unit(mean), direction)),
        distance_m=None if distance_m is None else averaged([distance_m])[0],
        uncertainty=None if uncertainty is None else uncertainty.with_arrays(averaged(uncertainty.arrays())),
    )


def near_tracks(vectors: Float32, active: NDArray[np.bool_], unify_deg: float) -> NDArray[np.bool_]:
    """Tracks that take part in the one merge of each frame and class, (frames, 3, classes).

    As the DCASE baselines decide: one near pair merges, with two or more near pairs all three merge.
    vectors (frames, 3, classes, 3), active (frames, 3, classes).
    """
    directions = unit(vectors)
    cosine = np.clip((directions * directions[:, NEXT]).sum(axis=-1), -1.0, 1.0)
    near = (np.degrees(np.arccos(cosine)) < unify_deg) & active & active[:, NEXT]
    members: NDArray[np.bool_] = near | near[:, [2, 0, 1]] | (near.sum(axis=1, keepdims=True) >= 2)
    return members


def track_mean(values: Float32, members: NDArray[np.bool_]) -> Float32:
    """Mean of values (frames, 3, classes, n) over the member tracks, (frames, 1, classes, n); 0 without members."""
    count = np.maximum(members.sum(axis=1, keepdims=True), 1)[..., np.newaxis].astype(np.float32)
    mean: Float32 = np.where(members[..., np.newaxis], values, np.float32(0.0)).sum(axis=1, keepdims=True) / count
    return mean
