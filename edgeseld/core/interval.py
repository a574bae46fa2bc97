"""A figure that was estimated, on disk: scores, differences of scores, ratios of times."""

from edgeseld.core.structs import Frozen


class Interval(Frozen, frozen=True, kw_only=True):
    """A value with its 95 % bootstrap interval, all in the value's unit; who fills it in says what was resampled."""

    value: float
    low: float
    high: float
