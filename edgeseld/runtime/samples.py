"""Outputs of several passes over the same label frames, laid out so that arithmetic runs over long rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgeseld.core.prediction import Float32
from edgeseld.core.spec import OutputFormat
from edgeseld.runtime.decode import SHORTEST


@dataclass(frozen=True, slots=True)
class Samples:
    """Decoded passes: Monte Carlo samples, time shifts, or one deterministic pass.

    activity (tracks, samples, frames, classes) in [0, 1]; weighted (axes, tracks, samples, frames, classes), the
    activity times the unit vector x, y, z and, as a fourth axis where the model gives it, times the distance in metres.
    A model without directions has no axes.
    """

    activity: Float32
    weighted: Float32

    def frames(self, first: int, last: int) -> "Samples":
        """Label frames first .. last - 1, as views."""
        return Samples(self.activity[:, :, first:last], self.weighted[:, :, :, first:last])


def decode_samples(output: Mapping[str, Float32], head: OutputFormat) -> Samples:
    """Raw outputs with a leading axis of samples to Samples; formats as in runtime/decode.py."""
    if head in ("accdoa", "multi-accdoa"):
        return _from_accdoa(output["accdoa"])
    activity = np.ascontiguousarray(output["activity"][np.newaxis])
    if head == "sed":
        return Samples(activity, np.zeros((0, *activity.shape), np.float32))
    vectors = np.ascontiguousarray(output["vectors"].transpose(2, 0, 1, 3))
    length = np.sqrt((vectors * vectors).sum(axis=0))
    axes = list(vectors * np.where(length > SHORTEST, activity[0] / np.maximum(length, SHORTEST), np.float32(0.0)))
    if "distance" in output:
        axes.append(np.maximum(output["distance"], np.float32(0.0)) * activity[0])
    return Samples(activity, np.stack(axes)[:, np.newaxis])


def _from_accdoa(accdoa: Float32) -> Samples:
    """(samples, frames, tracks, axes, classes) to Samples; vectors are no longer than 1."""
    weighted = np.array(accdoa.transpose(3, 2, 0, 1, 4), order="C")
    vectors = weighted[:3]
    x, y, z = vectors * vectors
    x += y
    x += z
    length = np.sqrt(x, out=x)
    vectors /= np.maximum(length, np.float32(1.0))
    activity = np.minimum(length, np.float32(1.0))
    if len(weighted) == 4:
        np.maximum(weighted[3], 0.0, out=weighted[3])
        weighted[3] *= activity
    return Samples(activity, weighted)


def join_frames(parts: Sequence[Samples]) -> Samples:
    """The same passes over label frames one after the other."""
    if len(parts) == 1:
        return parts[0]
    return Samples(
        np.concatenate([part.activity for part in parts], axis=2),
        np.concatenate([part.weighted for part in parts], axis=3),
    )
