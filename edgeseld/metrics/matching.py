"""Which predicted row stands for which reference row, at the least total angle, all groups of one size together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import DataError
from edgeseld.metrics.angles import Directions, angles_deg
from edgeseld.metrics.assignment import FREE, assign
from edgeseld.metrics.grouping import Groups
from edgeseld.metrics.rules import Rules

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


# Of matchings with one total, which are common where azimuths lie on a line, the corrected mode takes the one with the
# most even angles. The weight per squared degree is far above rounding and far below any angle that matters.
EVENNESS = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Matched rows, sorted by file, frame, class and track; every column has the shape (matches,).

    `group` counts in the reference groups, `track` is the place of the reference row in its group, `reference` and
    `prediction` are rows of the two tables.
    """

    group: Int64
    track: Int64
    reference: Int64
    prediction: Int64
    angle_deg: Float64


def match_groups(reference: Groups, prediction: Groups, rules: Rules, names: Sequence[str]) -> Matches:
    """Match every group that both tables hold; DataError, with the file's name, for an angle that is not a number."""
    first, second = _common(reference, prediction)
    directions = Directions.of(reference.rows, rules), Directions.of(prediction.rows, rules)
    columns_base = 1 + int(prediction.size.max(initial=0))
    sizes = reference.size[first] * columns_base + prediction.size[second]
    parts = []
    for size in np.unique(sizes):
        same = sizes == size
        rows = reference.start[first[same], None] + np.arange(size // columns_base)
        columns = prediction.start[second[same], None] + np.arange(size % columns_base)
        cost = angles_deg(directions[0], rows[:, :, None], directions[1], columns[:, None, :])
        _require_numbers(cost, reference, first[same], names)
        parts.append(_match_rows(first[same], rows, columns, cost, rules))
    return _sorted(parts)


def _common(reference: Groups, prediction: Groups) -> tuple[Int64, Int64]:
    """Positions of the groups that occur in both tables."""
    frames = 1 + max(int(table.frame.max(initial=0)) for table in (reference, prediction))
    classes = 1 + max(int(table.class_id.max(initial=0)) for table in (reference, prediction))
    wanted, held = ((table.file * frames + table.frame) * classes + table.class_id for table in (reference, prediction))
    place = np.searchsorted(held, wanted)
    found = np.flatnonzero(np.append(held, -1)[place] == wanted)
    return found, place[found]


def _match_rows(group: Int64, rows: Int64, columns: Int64, cost: Float64, rules: Rules) -> Matches:
    """Rows (groups, n) and columns (groups, m) at costs (groups, n, m)."""
    chosen = assign(cost + EVENNESS * cost**2 if rules.corrected else cost)
    place, track = np.nonzero(chosen != FREE)
    column = chosen[place, track]
    return Matches(group[place], track, rows[place, track], columns[place, column], cost[place, track, column])


def _require_numbers(cost: Float64, reference: Groups, groups: Int64, names: Sequence[str]) -> None:
    broken = ~np.isfinite(cost).all(axis=(1, 2))
    if broken.any():
        group = groups[broken.argmax()]
        raise DataError(
            f"{names[reference.file[group]]}: a direction that is not a number in frame {reference.frame[group]}, "
            f"class {reference.class_id[group]}, cannot be matched; write finite angles"
        )


def _sorted(parts: list[Matches]) -> Matches:
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return Matches(none, none, none, none, np.zeros(0))
    group = np.concatenate([part.group for part in parts])
    track = np.concatenate([part.track for part in parts])
    order = np.lexsort((track, group))
    return Matches(
        group=group[order],
        track=track[order],
        reference=np.concatenate([part.reference for part in parts])[order],
        prediction=np.concatenate([part.prediction for part in parts])[order],
        angle_deg=np.concatenate([part.angle_deg for part in parts])[order],
    )
