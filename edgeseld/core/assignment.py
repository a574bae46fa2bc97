"""Which heard direction belongs to which source: small, exact, in plain float64, easy to repeat in any language."""

import math
from collections.abc import Sequence
from functools import cache
from itertools import permutations

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
    finite = [[math.inf if cost is None else cost for cost in row] for row in costs]
    best_total, best_pairs = math.inf, 0
    choice: tuple[int | None, ...] = (None,) * len(costs)
    for pairs, candidate in _choices(len(costs), len(costs[0]) if costs else 0):
        if pairs < best_pairs:
            break
        total = sum([row[column] for row, column in zip(finite, candidate, strict=True) if column is not None])
        if total < best_total:
            best_total, best_pairs, choice = total, pairs, candidate
    return list(choice)


@cache
def _choices(rows: int, columns: int) -> list[tuple[int, tuple[int | None, ...]]]:
    """All ways to give rows different columns, with the number of pairs: most pairs first, then lexicographic."""
    places = [*range(columns), *[None] * rows]
    found = set(permutations(places, rows))
    listed = [(sum(column is not None for column in choice), choice) for choice in found]
    return sorted(listed, key=lambda one: (-one[0], [columns if column is None else column for column in one[1]]))


def _dot(first: Vector, second: Vector) -> float:
    return first[0] * second[0] + first[1] * second[1] + first[2] * second[2]
