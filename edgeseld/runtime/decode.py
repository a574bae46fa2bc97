"""Raw network outputs to a Prediction: the one place where output formats differ."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import BundleError
from edgeseld.core.prediction import Float32, Prediction
from edgeseld.core.spec import OutputFormat

# Vectors shorter than this have no direction.
SHORTEST = np.float32(1e-6)


def decode(output: Mapping[str, NDArray[np.float32]], head: OutputFormat, classes: tuple[str, ...]) -> Prediction:
    """Outputs of one window or file, without a batch dimension, to a Prediction.

    "accdoa" and "multi-accdoa": `accdoa` (frames, tracks, axes, classes), activity = min(|xyz|, 1), the distance of
    the track as it is but not negative. "sed-doa": `activity` (frames, classes), `vectors` (frames, 3, classes),
    optionally `distance` (frames, classes). "sed": `activity` alone, directions zero.
    """
    if head in ("accdoa", "multi-accdoa"):
        return decode_accdoa(output["accdoa"], classes)
    if head == "sed-doa":
        return _decode_sed_doa(output, classes)
    if head == "sed":
        activity = output["activity"][:, np.newaxis]
        return Prediction(activity, np.zeros((*activity.shape, 3), np.float32), classes)
    raise BundleError(f"output format must be one of multi-accdoa, accdoa, sed-doa, sed, got {head!r}")


def decode_accdoa(accdoa: Float32, classes: tuple[str, ...]) -> Prediction:
    """`accdoa` (frames, tracks, axes, classes) to a Prediction."""
    vectors = np.ascontiguousarray(np.moveaxis(accdoa[:, :, :3], 2, -1))
    distance_m = np.maximum(accdoa[:, :, 3], 0.0) if accdoa.shape[2] == 4 else None
    length = _length(vectors)
    return Prediction(np.minimum(length, np.float32(1.0)), _scaled(vectors, length), classes, distance_m)


def _decode_sed_doa(output: Mapping[str, NDArray[np.float32]], classes: tuple[str, ...]) -> Prediction:
    direction = unit(np.moveaxis(output["vectors"], 1, -1))[:, np.newaxis]
    distance = output.get("distance")
    return Prediction(
        activity=output["activity"][:, np.newaxis],
        direction=direction,
        classes=classes,
        distance_m=None if distance is None else np.maximum(distance, 0.0)[:, np.newaxis],
    )


def unit(vectors: Float32) -> Float32:
    """Vectors (..., 3) scaled to length one; those without a direction become zero."""
    return _scaled(vectors, _length(vectors))


def _length(vectors: Float32) -> Float32:
    """(..., 3) to (...)."""
    length: Float32 = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))
    return length


def _scaled(vectors: Float32, length: Float32) -> Float32:
    """Vectors divided by their lengths; zero where they are too short."""
    inverse = np.where(length > SHORTEST, np.float32(1.0) / np.maximum(length, SHORTEST), np.float32(0.0))
    scaled: Float32 = vectors * inverse[..., np.newaxis]
    return scaled
