"""Least-cost matching of many small cost matrices of one shape at once.

The official evaluators match tracks with `scipy.optimize.linear_sum_assignment`, the shortest augmenting path algorithm
of Crouse, "On implementing 2D rectangular assignment algorithms", IEEE Trans. Aerospace and Electronic Systems 52
(2016). Directions on one circle tie all the time, and which of the equal matchings is taken decides what counts as a
hit; so this is the same algorithm with the same order of search and the same order of additions, run in lockstep over
the matrices. It needs no scipy, whose import alone takes longer than scoring a data set.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

FREE = -1


def assign(cost: Float64) -> Int64:
    """Column matched to each row, (matrices, rows) from costs (matrices, rows, columns); -1 where a row stays alone.

    Costs must be finite. Ties are resolved as scipy resolves them.

    >>> assign(np.array([[[20.0, 30.0], [10.0, 20.0]]])).tolist()
    [[0, 1]]
    """
    _, rows, columns = cost.shape
    if rows > columns:
        return _inverse(assign(cost.swapaxes(1, 2)), rows)
    if rows == 1:
        nearest: Int64 = cost.argmin(axis=2)
        return nearest
    search = _Search.start(cost)
    for row in range(rows):
        _augment(search, row)
    return search.column_of_row


def _inverse(row_of_column: Int64, rows: int) -> Int64:
    matrices, columns = row_of_column.shape
    result = np.full((matrices, rows), FREE)
    result[np.arange(matrices)[:, None], row_of_column] = np.arange(columns)
    return result


@dataclass(frozen=True, slots=True)
class _Search:
    """Partial matchings and dual prices; arrays have the matrices in front and are updated in place."""

    cost: Float64
    row_price: Float64
    column_price: Float64
    column_of_row: Int64
    row_of_column: Int64

    @classmethod
    def start(cls, cost: Float64) -> "_Search":
        matrices, rows, columns = cost.shape
        free_rows, free_columns = np.full((matrices, rows), FREE), np.full((matrices, columns), FREE)
        return cls(cost, np.zeros((matrices, rows)), np.zeros((matrices, columns)), free_rows, free_columns)


@dataclass(frozen=True, slots=True)
class _Tree:
    """Shortest paths from one new row to all columns; `open_columns` is in scipy's order of search."""

    path_cost: Float64
    parent_row: Int64
    open_columns: Int64
    seen_rows: NDArray[np.bool_]
    seen_columns: NDArray[np.bool_]
    sink: Int64
    sink_cost: Float64

    @classmethod
    def start(cls, search: _Search) -> "_Tree":
        matrices, rows, columns = search.cost.shape
        return cls(
            path_cost=np.full((matrices, columns), np.inf),
            parent_row=np.full((matrices, columns), FREE),
            open_columns=np.tile(np.arange(columns)[::-1], (matrices, 1)),
            seen_rows=np.zeros((matrices, rows), dtype=np.bool_),
            seen_columns=np.zeros((matrices, columns), dtype=np.bool_),
            sink=np.full(matrices, FREE),
            sink_cost=np.zeros(matrices),
        )


def _augment(search: _Search, new_row: int) -> None:
    """Match one more row in every matrix."""
    tree = _Tree.start(search)
    active = np.arange(len(search.cost))
    row = np.full(len(active), new_row)
    for width in range(search.cost.shape[2], 0, -1):
        column = _grow(search, tree, active, row, width)
        row = search.row_of_column[active, column]
        reached = row == FREE
        tree.sink[active[reached]] = column[reached]
        active, row = active[~reached], row[~reached]
        if not len(active):
            break
    _update_prices(search, tree, new_row)
    _flip_path(search, tree, new_row)


def _grow(search: _Search, tree: _Tree, active: Int64, row: Int64, width: int) -> Int64:
    """Extend the paths by the edges of `row` and close the nearest of `width` open columns, which is returned."""
    tree.seen_rows[active, row] = True
    lowest = np.full(len(active), np.inf)
    place = np.zeros(len(active), dtype=np.int64)
    base = tree.sink_cost[active]
    for index in range(width):
        column = tree.open_columns[active, index]
        through = base + search.cost[active, row, column] - search.row_price[active, row]
        through -= search.column_price[active, column]
        shorter = through < tree.path_cost[active, column]
        tree.path_cost[active[shorter], column[shorter]] = through[shorter]
        tree.parent_row[active[shorter], column[shorter]] = row[shorter]
        cost = tree.path_cost[active, column]
        nearer = (cost < lowest) | ((cost == lowest) & (search.row_of_column[active, column] == FREE))
        lowest, place = np.where(nearer, cost, lowest), np.where(nearer, index, place)
    tree.sink_cost[active] = lowest
    column = tree.open_columns[active, place]
    tree.seen_columns[active, column] = True
    tree.open_columns[active, place] = tree.open_columns[active, width - 1]
    return column


def _update_prices(search: _Search, tree: _Tree, new_row: int) -> None:
    search.row_price[:, new_row] += tree.sink_cost
    others = tree.seen_rows.copy()
    others[:, new_row] = False
    sink_cost = tree.sink_cost[:, None]
    matched_cost = np.take_along_axis(tree.path_cost, search.column_of_row, axis=1)
    np.add(search.row_price, sink_cost - matched_cost, out=search.row_price, where=others)
    np.subtract(search.column_price, sink_cost - tree.path_cost, out=search.column_price, where=tree.seen_columns)


def _flip_path(search: _Search, tree: _Tree, new_row: int) -> None:
    """Walk back from the sink; every column on the way goes to the row it was reached from."""
    active, column = np.arange(len(tree.sink)), tree.sink
    while len(active):
        row = tree.parent_row[active, column]
        search.row_of_column[active, column] = row
        following = search.column_of_row[active, row]
        search.column_of_row[active, row] = column
        go_on = row != new_row
        active, column = active[go_on], following[go_on]
