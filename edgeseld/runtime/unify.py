"""Same-class tracks that point the same way are one source (multi-ACCDOA, Shimada et al. 2022)."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.prediction import Float32, Prediction
from edgeseld.runtime.decode import unit

PAIRS = ((0, 1), (1, 2), (2, 0))


def unify(prediction: Prediction, thresholds: list[float], unify_deg: float) -> Prediction:
    """Merge active tracks of one class that lie within `unify_deg` of each other, frame by frame.

    The merged source takes the lowest of its tracks, with activity and direction of the mean of the activity-weighted
    vectors; the others fall silent. Inactive tracks stay as they are.
    """
    if prediction.activity.shape[1] != 3:
        return prediction
    vectors = prediction.direction * prediction.activity[..., np.newaxis]
    members = near_tracks(vectors, prediction.activity > np.asarray(thresholds, np.float32), unify_deg)
    lowest = members & (np.cumsum(members, axis=1) == 1)
    mean = track_mean(vectors, members)
    activity = np.where(lowest, np.linalg.norm(mean, axis=-1), np.where(members, 0.0, prediction.activity))
    direction = np.where(lowest[..., np.newaxis], unit(mean), prediction.direction)
    distance_m = prediction.distance_m
    if distance_m is not None:
        distance_m = np.where(lowest, track_mean(distance_m[..., np.newaxis], members)[..., 0], distance_m)
    return replace(prediction, activity=activity.astype(np.float32), direction=direction, distance_m=distance_m)


def near_tracks(vectors: Float32, active: NDArray[np.bool_], unify_deg: float) -> NDArray[np.bool_]:
    """Tracks that take part in the one merge of each frame and class, (frames, 3, classes).

    As the DCASE baselines decide: one near pair merges, with two or more near pairs all three merge.
    vectors (frames, 3, classes, 3), active (frames, 3, classes).
    """
    directions = unit(vectors)
    near = np.stack([_near(directions, active, pair, unify_deg) for pair in PAIRS], axis=1)
    members = np.broadcast_to((near.sum(axis=1) >= 2)[:, np.newaxis], active.shape).copy()
    for index, pair in enumerate(PAIRS):
        for track in pair:
            members[:, track] |= near[:, index]
    return members


def track_mean(values: Float32, members: NDArray[np.bool_]) -> Float32:
    """Mean of values (frames, 3, classes, n) over the member tracks, (frames, 1, classes, n); 0 without members."""
    count = np.maximum(members.sum(axis=1, keepdims=True), 1)[..., np.newaxis].astype(np.float32)
    mean: Float32 = (values * members[..., np.newaxis]).sum(axis=1, keepdims=True) / count
    return mean


def _near(directions: Float32, active: NDArray[np.bool_], pair: tuple[int, int], unify_deg: float) -> NDArray[np.bool_]:
    first, second = pair
    cosine = np.clip((directions[:, first] * directions[:, second]).sum(axis=-1), -1.0, 1.0)
    near: NDArray[np.bool_] = np.degrees(np.arccos(cosine)) < unify_deg
    return near & active[:, first] & active[:, second]
