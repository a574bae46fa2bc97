"""Rotations of a sound field about any axis: FOA audio, label angles and vectors alike."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgeseld.core.errors import AudioFormatError, ConfigError
from edgeseld.core.geometry import Float64, azimuth_elevation_deg, unit_vector

Float32 = NDArray[np.float32]

# Position of x, y, z among the channels W, Y, Z, X.
AXIS_CHANNELS = [3, 1, 2]


def rotation_matrix(yaw_deg: float, pitch_deg: float, roll_deg: float) -> Float64:
    """Matrix (3, 3) that turns directions x, y, z: first roll, then pitch, then yaw.

    Positive yaw turns the front to the left, positive pitch raises it, positive roll raises the left side.

    >>> (rotation_matrix(90, 0, 0) @ [1, 0, 0]).round(6).tolist()
    [0.0, 1.0, 0.0]
    """
    (cy, sy), (cp, sp), (cr, sr) = (_cosine_sine(angle) for angle in (yaw_deg, pitch_deg, roll_deg))
    yaw = np.array([[cy, -sy, 0.0], [sy, cy, 0.0], [0.0, 0.0, 1.0]])
    pitch = np.array([[cp, 0.0, -sp], [0.0, 1.0, 0.0], [sp, 0.0, cp]])
    roll = np.array([[1.0, 0.0, 0.0], [0.0, cr, -sr], [0.0, sr, cr]])
    return np.asarray(yaw @ pitch @ roll)


def _cosine_sine(angle_deg: float) -> tuple[float, float]:
    return float(np.cos(np.radians(angle_deg))), float(np.sin(np.radians(angle_deg)))


def transform_foa(audio: Float32, matrix: ArrayLike) -> Float32:
    """FOA audio (4, samples) of a field whose every direction v becomes matrix @ v (rotation or mirror image).

    W stays; Y, Z, X turn as a vector. AudioFormatError for other audio, ConfigError unless the matrix is orthogonal.
    """
    if audio.ndim != 2 or audio.shape[0] != 4:
        raise AudioFormatError(f"rotation needs FOA audio (4, samples), got {audio.shape}; convert the format first")
    turn = _orthogonal(matrix).astype(np.float32)
    turned = np.empty_like(audio)
    turned[0] = audio[0]
    turned[AXIS_CHANNELS] = turn @ audio[AXIS_CHANNELS]
    return turned


def transform_angles_deg(
    azimuth_deg: ArrayLike, elevation_deg: ArrayLike, matrix: ArrayLike
) -> tuple[Float64, Float64]:
    """Azimuth in (-180, 180] and elevation of labels in the field that `transform_foa` makes."""
    return azimuth_elevation_deg(unit_vector(azimuth_deg, elevation_deg) @ _orthogonal(matrix).T)


def _orthogonal(matrix: ArrayLike) -> Float64:
    square = np.asarray(matrix, np.float64)
    if square.shape != (3, 3) or not np.allclose(square @ square.T, np.eye(3), atol=1e-6):
        raise ConfigError(f"a rotation matrix must be orthogonal (3, 3), got {square.tolist()}; see rotation_matrix")
    return square
