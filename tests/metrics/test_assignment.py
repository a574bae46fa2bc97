"""Matching in lockstep equals scipy, matrix by matrix, ties included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from edgeseld.metrics.assignment import assign

SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 5), st.integers(1, 5))
AZIMUTH_PAIRS = st.tuples(st.integers(1, 8), st.just(2), st.integers(1, 5))


def scipy_columns(matrix: NDArray[np.float64]) -> list[int]:
    columns = [-1] * matrix.shape[0]
    for row, column in zip(*linear_sum_assignment(matrix), strict=True):
        columns[int(row)] = int(column)
    return columns


@given(npst.arrays(np.float64, SHAPES, elements=st.integers(0, 4).map(float)))
def test_equals_scipy_on_ties(cost: NDArray[np.float64]) -> None:
    assert assign(cost).tolist() == [scipy_columns(matrix) for matrix in cost]


@given(npst.arrays(np.float64, SHAPES, elements=st.floats(0, 180, allow_subnormal=False)))
def test_equals_scipy_on_any_angles(cost: NDArray[np.float64]) -> None:
    assert assign(cost).tolist() == [scipy_columns(matrix) for matrix in cost]


@given(
    npst.arrays(np.float64, st.tuples(st.integers(1, 8), st.just(2), st.integers(1, 5)), elements=st.floats(-180, 180))
)
def test_equals_scipy_where_rounding_breaks_ties(azimuth_deg: NDArray[np.float64]) -> None:
    reference, prediction = azimuth_deg[:, 0, :, None], azimuth_deg[:, 1, None, :]
    cost = np.abs(reference - prediction)
    assert assign(cost).tolist() == [scipy_columns(matrix) for matrix in cost]


@pytest.mark.parametrize(
    ("cost", "columns"),
    [
        ([[5.0, 5.0], [5.0, 5.0]], [0, 1]),
        ([[1.0, 2.0], [1.0, 9.0]], [1, 0]),
        ([[7.0, 3.0, 3.0]], [1]),
        ([[7.0], [3.0], [3.0]], [-1, 0, -1]),
    ],
)
def test_small_matrices_by_hand(cost: list[list[float]], columns: list[int]) -> None:
    assert assign(np.array([cost])).tolist() == [columns]
