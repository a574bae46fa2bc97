"""Which heard direction belongs to which source: small, exact, in plain float64, easy to repeat in any language."""

import math
from collections.abc import Sequence
from itertools import product

Vector = tuple[float, float, float]


def angle_deg(first: Vector, second: Vector) -> float:
    """Great-circle angle between two vectors of any length, 0 if one of them is zero."""
    cross = (
        first[1] * second[2] - first[2] * second[1],
        first[2] * second[0] - first[0] * second[2],
        first[0] * second[1] - first[1] * second[0],
    )
    return math.degrees(math.atan2(math.hypot(*cross), _dot(first, second)))


def extrapolate(first: Vector, last: Vector, share: float) -> Vector:
    """The unit vector `share` of the way from `first` to `last` beyond `last`, on the straight line between them."""
    x, y, z = (end + share * (end - start) for start, end in zip(first, last, strict=True))
    length = math.hypot(x, y, z)
    return (x / length, y / length, z / length) if length > 0.0 else last


def assign(costs: Sequence[Sequence[float | None]]) -> list[int | None]:
    """A column for each row, no column twice: the most pairs, then the least sum of costs.

    `costs` holds a row for each direction that was heard and a column for each source, None where they cannot belong
    together. Ties go to the choice that is lexicographically first, "no column" coming last.

    >>> assign([[5.0, 1.0], [None, 2.0]])
    [0, 1]
    """
    options = [[*(column for column, cost in enumerate(row) if cost is not None), None] for row in costs]
    best: tuple[int, float] | None = None
    choice: tuple[int | None, ...] = ()
    for candidate in product(*options):
        chosen = [column for column in candidate if column is not None]
        if len(set(chosen)) < len(chosen):
            continue
        total = sum(costs[row][column] or 0.0 for row, column in enumerate(candidate) if column is not None)
        if best is None or (-len(chosen), total) < best:
            best, choice = (-len(chosen), total), candidate
    return list(choice)


def _dot(first: Vector, second: Vector) -> float:
    return first[0] * second[0] + first[1] * second[1] + first[2] * second[2]
