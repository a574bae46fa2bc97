"""How far off directions are, match by match, and whether the predicted spread covers the true direction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import DataError
from edgeseld.metrics.labels import Labels
from edgeseld.metrics.rules import Rules
from edgeseld.metrics.score import CLASS_COUNT, match_files

Float64 = NDArray[np.float64]

COVERAGE_LEVELS = tuple(round(0.05 * step, 2) for step in range(1, 20))


@dataclass(frozen=True, slots=True, eq=False)
class DirectionErrors:
    """Angle between each matched prediction and its reference, a row per match and frame, shape (matches,).

    `spread_deg` is what the system said of its own error, NaN where it said nothing.
    """

    error_deg: Float64
    spread_deg: Float64
    class_id: NDArray[np.int64]

    def share_within(self, angle_deg: float) -> float:
        """Share of the matches that are at most so far off."""
        return float((self.error_deg <= angle_deg).mean()) if len(self.error_deg) else float("nan")


def direction_errors(
    reference: Mapping[str, Labels], prediction: Mapping[str, Labels], rules: Rules, class_count: int = CLASS_COUNT
) -> DirectionErrors:
    """Errors of all matches in all scored frames, by the matching of `rules`; thresholds play no part."""
    _, tables, matches = match_files(reference, prediction, rules, class_count)
    given = tables[1].rows.spread_deg
    spread = np.full(len(matches.group), np.nan) if given is None else given[matches.prediction]
    return DirectionErrors(matches.angle_deg, spread, tables[0].class_id[matches.group])


@dataclass(frozen=True, slots=True, eq=False)
class AngularCoverage:
    """Share of true directions inside the cap that should hold the share `level` of them, shape (levels,)."""

    level: Float64
    covered: Float64

    @property
    def expected_error(self) -> float:
        """Mean distance from perfect coverage."""
        return float(np.abs(self.covered - self.level).mean())


def angular_coverage(
    error_deg: Float64, spread_deg: Float64, levels: Sequence[float] = COVERAGE_LEVELS
) -> AngularCoverage:
    """Compare errors with predicted spreads, arrays (matches,); matches without a spread are left out.

    A spread is arccos R of a mean resultant length R. It stands for the von Mises-Fisher distribution of that R, whose
    caps around the mean hold known shares (Mardia and Jupp, Directional Statistics, 2000, section 9.3.2).
    """
    said = ~np.isnan(spread_deg)
    if not said.any():
        raise DataError("angular coverage needs predicted spreads: run with Monte Carlo samples or time shifts")
    level = np.asarray(levels, dtype=np.float64)
    radius_deg = cap_radius_deg(spread_deg[said][:, None], level)
    return AngularCoverage(level, (error_deg[said][:, None] <= radius_deg).mean(axis=0))


def cap_radius_deg(spread_deg: Float64, share: Float64) -> Float64:
    """Radius of the cap that holds `share` of a von Mises-Fisher distribution of the given spread; arguments broadcast.

    >>> cap_radius_deg(np.array([90.0]), np.array([0.5])).round(3).tolist()
    [90.0]
    """
    concentration = _concentration(np.cos(np.radians(spread_deg)))
    cosine = 1 + np.log1p(share * np.expm1(-2 * concentration)) / concentration
    radius: Float64 = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return radius


def _concentration(resultant_length: Float64) -> Float64:
    """The concentration k at which coth k - 1 / k equals the mean resultant length, by Newton's method."""
    length = np.clip(resultant_length, 1e-6, 1 - 1e-12)
    concentration: Float64 = length * (3 - length**2) / (1 - length**2)
    for _ in range(8):
        bounded = np.minimum(concentration, 300.0)  # beyond, 1 / sinh is 0 to the last bit
        slope = 1 / concentration**2 - 1 / np.sinh(bounded) ** 2
        excess = 1 / np.tanh(bounded) - 1 / concentration - length
        concentration = np.maximum(concentration - excess / slope, 1e-6)
    return concentration
