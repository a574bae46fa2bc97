"""Rows that break the rules of a label file: an error in corrected mode, a warning where the official code goes on."""

import warnings

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import DataError
from edgeseld.metrics.labels import DROPPED, Labels
from edgeseld.metrics.rules import Role, Rules

Values = NDArray[np.float64] | NDArray[np.int64]


class ScoreWarning(UserWarning):
    """The official program accepts something that a user would want to know; `--corrected` makes it an error."""


def object_to(message: str, consequence: str, rules: Rules) -> None:
    """Raise DataError in corrected mode; warn, with what the official program does, otherwise."""
    if rules.corrected:
        raise DataError(message)
    warnings.warn(f"{message}; {consequence}", ScoreWarning, stacklevel=2)


def object_to_rows(
    broken: NDArray[np.bool_], values: Values, place: str, rule: str, labels: Labels, rules: Rules
) -> None:
    """Object to the rows of `labels` that are `broken`, naming the first of them and its value."""
    if not broken.any():
        return
    row = int(broken.argmax())
    where = f"row {row}" if labels.line is None else f"line {labels.line[row]}"
    more = f" (and {broken.sum() - 1} more rows)" if broken.sum() > 1 else ""
    object_to(f"{place}, {where}: {rule}, got {values[row]:g}{more}", "the official program takes it as it is", rules)


def inspect(labels: Labels, place: str, role: Role, rules: Rules, class_count: int) -> None:
    """Object to frames, classes, angles and distances out of their range."""
    frame, class_id, azimuth, elevation = labels.frame, labels.class_id, labels.azimuth_deg, labels.elevation_deg
    unknown = (class_id < 0) | (class_id >= class_count)
    if not rules.corrected:
        unknown &= class_id != DROPPED
    checks: list[tuple[NDArray[np.bool_], Values, str]] = [
        (frame < 0, frame, "a frame index must be 0 or more"),
        (unknown, class_id, f"a class must be in 0..{class_count - 1}"),
        (~(np.abs(azimuth) <= 180.0), azimuth, "azimuth must be in [-180, 180] degrees"),
        (~(np.abs(elevation) <= 90.0), elevation, "elevation must be in [-90, 90] degrees"),
    ]
    if rules.distance and labels.distance_m is not None:
        checks.append(_distance_check(labels.distance_m, role))
    for broken, values, rule in checks:
        object_to_rows(broken, values, place, rule, labels, rules)


def _distance_check(distance_m: Values, role: Role) -> tuple[NDArray[np.bool_], Values, str]:
    if role == "reference":
        return ~(distance_m > 0.0), distance_m, "a reference distance must be above 0 m, relative errors divide by it"
    return ~(distance_m >= 0.0), distance_m, "a distance must be 0 m or more"
