"""Angles between reference and predicted directions, each formula as its official program computes it.

The formulas agree within 0.001 degrees; their last bits decide cases that lie on a threshold, so none replaces another.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.geometry import angle_between_deg, unit_vector
from edgeseld.metrics.labels import Labels
from edgeseld.metrics.rules import Rules

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Directions:
    """Whatever a formula needs of each row, computed once: (rows, terms)."""

    terms: Float64
    rules: Rules

    @classmethod
    def of(cls, labels: Labels, rules: Rules) -> "Directions":
        """Directions of all rows."""
        azimuth, elevation = labels.azimuth_deg, labels.elevation_deg
        if rules.geometry == "folded-azimuth":
            return cls(fold_azimuth_deg(azimuth)[:, None], rules)
        if rules.corrected:
            return cls(unit_vector(azimuth, elevation), rules)
        azimuth_rad, elevation_rad = azimuth * np.pi / 180.0, elevation * np.pi / 180.0
        with np.errstate(invalid="ignore"):  # an infinite angle gives NaN, which matching names by file and frame
            if rules.geometry == "cartesian":
                return cls(_almost_unit_vectors(azimuth_rad, elevation_rad), rules)
            return cls(np.stack([azimuth_rad, np.sin(elevation_rad), np.cos(elevation_rad)], axis=-1), rules)


def angles_deg(reference: Directions, rows: Int64, prediction: Directions, columns: Int64) -> Float64:
    """Angle between reference row `rows` and predicted row `columns`, which broadcast against each other."""
    first, second = reference.terms[rows], prediction.terms[columns]
    rules = reference.rules
    if rules.geometry == "folded-azimuth":
        difference: Float64 = np.abs(first[..., 0] - second[..., 0])
        return difference
    if rules.corrected:
        return angle_between_deg(first, second)
    with np.errstate(invalid="ignore"):
        return _arccos_deg(_dot(first, second) if rules.geometry == "cartesian" else _spherical_cosine(first, second))


def fold_azimuth_deg(azimuth_deg: Float64) -> Float64:
    """Azimuth with front and back folded together, in [-90, 90]: a stereo pair cannot tell them apart.

    >>> fold_azimuth_deg(np.array([100.0, -170.0, 45.0])).tolist()
    [80.0, -10.0, 45.0]
    """
    azimuth = (azimuth_deg + 180) % 360 - 180
    folded: Float64 = np.where(azimuth < -90, -180 - azimuth, np.where(azimuth > 90, 180 - azimuth, azimuth))
    return folded


def _almost_unit_vectors(azimuth_rad: Float64, elevation_rad: Float64) -> Float64:
    """x, y, z shortened by the 1e-10 under the root, which makes equal directions 0.0008 degrees apart."""
    horizontal = np.cos(elevation_rad)
    x, y, z = np.cos(azimuth_rad) * horizontal, np.sin(azimuth_rad) * horizontal, np.sin(elevation_rad)
    length = np.sqrt(x**2 + y**2 + z**2 + 1e-10)
    return np.stack([x / length, y / length, z / length], axis=-1)


def _dot(first: Float64, second: Float64) -> Float64:
    """Added from left to right, which `sum` does not promise."""
    product = first * second
    total: Float64 = product[..., 0] + product[..., 1] + product[..., 2]
    return total


def _spherical_cosine(first: Float64, second: Float64) -> Float64:
    """Spherical law of cosines on terms azimuth, sine and cosine of elevation."""
    same = np.cos(np.abs(first[..., 0] - second[..., 0]))
    cosine: Float64 = first[..., 1] * second[..., 1] + first[..., 2] * second[..., 2] * same
    return cosine


def _arccos_deg(cosine: Float64) -> Float64:
    angle: Float64 = np.arccos(np.clip(cosine, -1, 1)) * 180 / np.pi
    return angle
