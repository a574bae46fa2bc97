"""Directions on the sphere: azimuth counter-clockwise (90 = left), elevation up, in degrees; x front, y left, z up."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64 = NDArray[np.float64]


def unit_vector(azimuth_deg: ArrayLike, elevation_deg: ArrayLike) -> Float64:
    """Unit vectors (..., 3) in the order x, y, z.

    >>> unit_vector(90, 0).round(6).tolist()
    [0.0, 1.0, 0.0]
    """
    azimuth, elevation = np.broadcast_arrays(np.radians(azimuth_deg), np.radians(elevation_deg))
    horizontal = np.cos(elevation)
    return np.stack([horizontal * np.cos(azimuth), horizontal * np.sin(azimuth), np.sin(elevation)], axis=-1)


def azimuth_elevation_deg(vectors: ArrayLike) -> tuple[Float64, Float64]:
    """Azimuth in (-180, 180] and elevation in [-90, 90] of vectors (..., 3) of any length.

    >>> [float(angle.round(6)) for angle in azimuth_elevation_deg([0.0, -2.0, 0.0])]
    [-90.0, 0.0]
    """
    x, y, z = np.moveaxis(np.asarray(vectors, dtype=np.float64), -1, 0)
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y)))


def wrap_azimuth_deg(azimuth_deg: ArrayLike) -> Float64:
    """Azimuth wrapped to [-180, 180).

    >>> float(wrap_azimuth_deg(190))
    -170.0
    """
    return (np.asarray(azimuth_deg, dtype=np.float64) + 180.0) % 360.0 - 180.0


def angle_between_deg(first: ArrayLike, second: ArrayLike) -> Float64:
    """Great-circle angle between vectors (..., 3) of any length; exact near 0 and 180, 0 for a zero vector."""
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    angle: Float64 = np.arctan2(np.linalg.norm(np.cross(first, second), axis=-1), (first * second).sum(axis=-1))
    return np.degrees(angle)
