"""What one year's official evaluator counts, as data; docs/metrics.md explains every rule and quirk."""

import math
from dataclasses import dataclass
from typing import Literal

from edgeseld.core.errors import ConfigError

Average = Literal["macro", "micro"]
Role = Literal["reference", "prediction"]
Geometry = Literal["great-circle", "cartesian", "folded-azimuth"]


@dataclass(frozen=True, slots=True)
class Rules:
    """Counting rules of one DCASE year.

    `block_frames` 10 scores segments of 1 s, 1 scores label frames. `geometry` is the formula of the official program,
    whose rounding decides cases that lie on a threshold. `spatial_weight` is what a wrongly placed track costs in F.
    `unmatched_error_deg` is the localization error of a class with no matched track. `corrected` mends the quirks.
    """

    name: str
    block_frames: int
    geometry: Geometry
    averages: tuple[Average, ...]
    unmatched_error_deg: float
    spatial_weight: float = 1.0
    cartesian_6_columns: bool = False
    distance: bool = False
    doa_threshold_deg: float = 20.0
    rde_threshold: float = math.inf
    onscreen: bool = False
    corrected: bool = False

    def __post_init__(self) -> None:
        if not 0.0 < self.doa_threshold_deg <= 180.0:
            raise ConfigError(f"doa_threshold_deg must be above 0 and at most 180, got {self.doa_threshold_deg}")
        if not self.rde_threshold > 0.0:
            raise ConfigError(f"rde_threshold must be above 0, got {self.rde_threshold}")
        if self.rde_threshold != math.inf and not self.distance:
            raise ConfigError(f"{self.name} rules do not score distance: leave rde_threshold out or take dcase2024")
        if self.distance and self.block_frames != 1:
            raise ConfigError(f"distance is scored frame by frame, got block_frames {self.block_frames}: take 1")
        if self.onscreen and not self.stereo:
            raise ConfigError(f"{self.name} rules know no on-screen flag: leave onscreen out or take dcase2025")

    @property
    def stereo(self) -> bool:
        """Azimuth only, and on-screen flags."""
        return self.geometry == "folded-azimuth"

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the results, the ranking ones first."""
        if self.stereo:
            return ("F", "DOAE", "RDE", "DE_m", "onscreen_accuracy")
        if self.distance:
            return ("F", "DOAE", "RDE", "SELD", "DE_m", "ER", "LR")
        return ("ER", "F", "LE", "LR", "SELD")


RULES = {
    "dcase2021": Rules(
        "dcase2021", 10, "great-circle", ("micro",), 180.0, spatial_weight=0.5, cartesian_6_columns=True
    ),
    "dcase2022": Rules("dcase2022", 10, "great-circle", ("macro", "micro"), 180.0, cartesian_6_columns=True),
    "dcase2023": Rules("dcase2023", 10, "great-circle", ("macro", "micro"), 180.0),
    "dcase2024": Rules("dcase2024", 1, "cartesian", ("macro", "micro"), math.nan, distance=True, rde_threshold=1.0),
    "dcase2025": Rules(
        "dcase2025", 1, "folded-azimuth", ("macro", "micro"), math.nan, distance=True, rde_threshold=1.0
    ),
}
