"""The interpreter of Core ML programs: its operations against torch, its storage against the rules of float16."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from edgeseld.core.errors import BundleError
from edgeseld.runtime.backends.mil.interpreter import Interpreter
from edgeseld.runtime.backends.mil.operators import OPERATORS
from edgeseld.runtime.backends.mil.program import Name, Operation, Output, Program

RANDOM = np.random.default_rng(0)


def array(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values)


X = array(2, 6, 9, 8)
ROWS = array(2, 5, 6)
Case = tuple[str, dict[str, object], Callable[[], torch.Tensor]]
W_GROUPS, W_PLAIN, W_DEPTH, W_LINE, BIAS = (
    array(4, 3, 3, 2),
    array(4, 6, 3, 3),
    array(6, 1, 3, 3),
    array(6, 1, 3),
    array(4),
)
CASES: list[Case] = [
    ("conv", {"x": X, "weight": W_PLAIN, "bias": BIAS}, lambda: F.conv2d(tensor(X), tensor(W_PLAIN), tensor(BIAS))),
    (
        "conv",
        {"x": X, "weight": W_PLAIN, "pad_type": "custom", "pad": np.array([2, 2, 1, 1])},
        lambda: F.conv2d(tensor(X), tensor(W_PLAIN), padding=(2, 1)),
    ),
    (
        "conv",
        {"x": X, "weight": W_PLAIN, "pad_type": "same"},
        lambda: F.conv2d(tensor(X), tensor(W_PLAIN), padding="same"),
    ),
    (
        "conv",
        {"x": X, "weight": W_GROUPS, "strides": np.array([2, 1]), "dilations": np.array([1, 2]), "groups": 2},
        lambda: F.conv2d(tensor(X), tensor(W_GROUPS), stride=(2, 1), dilation=(1, 2), groups=2),
    ),
    (
        "conv",
        {"x": X, "weight": W_DEPTH, "groups": 6},
        lambda: F.conv2d(tensor(X), tensor(W_DEPTH), groups=6),
    ),
    (
        "conv",
        {"x": X[:, :, :, 0], "weight": W_LINE, "groups": 6},
        lambda: F.conv1d(tensor(X[:, :, :, 0].copy()), tensor(W_LINE), groups=6),
    ),
    (
        "max_pool",
        {"x": X, "kernel_sizes": np.array([3, 2]), "strides": np.array([3, 2]), "pad_type": "valid"},
        lambda: F.max_pool2d(tensor(X), (3, 2)),
    ),
    (
        "avg_pool",
        {"x": X, "kernel_sizes": np.array([1, 8]), "strides": np.array([1, 8]), "pad_type": "valid"},
        lambda: F.avg_pool2d(tensor(X), (1, 8)),
    ),
    (
        "layer_norm",
        {"x": ROWS, "axes": np.array([-1]), "gamma": array(6) * 0 + 2, "beta": array(6) * 0 + 1, "epsilon": 1e-5},
        lambda: F.layer_norm(tensor(ROWS), (6,), torch.full((6,), 2.0), torch.ones(6)),
    ),
    ("softmax", {"x": ROWS, "axis": np.int32(1)}, lambda: torch.softmax(tensor(ROWS), 1)),
    ("silu", {"x": 50 * ROWS}, lambda: F.silu(tensor(50 * ROWS))),
    ("sigmoid", {"x": 50 * ROWS}, lambda: torch.sigmoid(tensor(50 * ROWS))),
    ("leaky_relu", {"x": ROWS, "alpha": 0.01}, lambda: F.leaky_relu(tensor(ROWS))),
    ("linear", {"x": ROWS, "weight": W_LINE[:, 0], "bias": None}, None),
    (
        "matmul",
        {"x": ROWS, "y": ROWS, "transpose_y": True},
        lambda: torch.matmul(tensor(ROWS), tensor(ROWS).transpose(1, 2)),
    ),
    (
        "slice_by_index",
        {
            "x": ROWS,
            "begin": np.array([1, 0, 1]),
            "end": np.array([0, 0, 5]),
            "stride": np.array([1, 1, 2]),
            "begin_mask": np.array([False, True, False]),
            "end_mask": np.array([False, True, False]),
            "squeeze_mask": np.array([True, False, False]),
        },
        lambda: tensor(ROWS)[1, :, 1:5:2],
    ),
    (
        "pad",
        {"x": ROWS, "pad": np.array([1, 2, 0, 3]), "mode": "constant", "constant_val": 7.0},
        lambda: F.pad(tensor(ROWS), (0, 3, 1, 2), value=7.0),
    ),
    ("reduce_sum", {"x": ROWS, "axes": np.array([1]), "keep_dims": True}, lambda: tensor(ROWS).sum(1, keepdim=True)),
    ("concat", {"values": [ROWS, ROWS], "axis": np.int32(2)}, lambda: torch.cat([tensor(ROWS)] * 2, 2)),
    ("concat", {"values": ROWS, "axis": np.int32(2)}, lambda: tensor(ROWS)),
    ("stack", {"values": ROWS, "axis": np.int32(0)}, lambda: tensor(ROWS).unsqueeze(0)),
    ("transpose", {"x": ROWS, "perm": np.array([2, 0, 1])}, lambda: tensor(ROWS).permute(2, 0, 1)),
    ("expand_dims", {"x": ROWS, "axes": np.array([1])}, lambda: tensor(ROWS).unsqueeze(1)),
]
CASES[13] = (
    "linear",
    {"x": ROWS, "weight": array(3, 6) * 0 + 1, "bias": np.ones(3, np.float32)},
    lambda: F.linear(tensor(ROWS), torch.ones(3, 6), torch.ones(3)),
)


@pytest.mark.parametrize("index", range(len(CASES)), ids=[f"{number}-{case[0]}" for number, case in enumerate(CASES)])
def test_an_operation_is_that_of_torch(index: int) -> None:
    kind, parameters, reference = CASES[index]
    np.testing.assert_allclose(OPERATORS[kind](parameters), reference().numpy(), rtol=2e-5, atol=2e-5)


def test_split_by_sizes_and_by_number() -> None:
    by_size = OPERATORS["split"]({"x": ROWS, "axis": 2, "split_sizes": np.array([1, 5])})
    by_number = OPERATORS["split"]({"x": ROWS, "axis": 2, "num_splits": 2})
    assert [part.shape for part in by_size] == [(2, 5, 1), (2, 5, 5)]
    assert [part.shape for part in by_number] == [(2, 5, 3), (2, 5, 3)]


def test_affine_weights_by_hand() -> None:
    data = np.array([[1, 2], [-3, 4]], np.int8)
    per_channel = {"quantized_data": data, "scale": np.array([0.5, 2.0]), "zero_point": np.array([0, 1]), "axis": 0}
    np.testing.assert_array_equal(OPERATORS["constexpr_affine_dequantize"](per_channel), [[0.5, 1.0], [-8.0, 6.0]])
    whole = {"quantized_data": data, "scale": np.float32(2), "zero_point": np.int8(1), "axis": 0}
    np.testing.assert_array_equal(OPERATORS["constexpr_affine_dequantize"](whole), [[0.0, 2.0], [-8.0, 6.0]])


def test_palettes_are_packed_from_the_lowest_bit() -> None:
    """Indices 1, 2, 3, 0 of two bits each make the byte 0b00_11_10_01."""
    parameters = {"indices": np.array([0b00111001], np.uint8), "lut": np.array([10, 11, 12, 13]), "shape": [2, 2]}
    np.testing.assert_array_equal(OPERATORS["constexpr_lut_to_dense"](parameters), [[11, 12], [13, 10]])


def program(dtype: type[np.generic], kind: str = "mul") -> Program:
    operation = Operation(kind, {"x": Name("x"), "y": Name("x")}, (Output("y", dtype, (3,)),))
    return Program(("x",), ("y",), (operation,))


def test_float16_storage_rounds_and_overflows() -> None:
    values = np.array([300.0, 1.0009765625, 2.0**-14], np.float32)
    (half,) = Interpreter(program(np.float16)).run({"x": values})
    (full,) = Interpreter(program(np.float32)).run({"x": values})
    # 300^2 is above 65504; (1 + 2^-10)^2 needs 20 bits of fraction; 2^-28 is below the least subnormal, 2^-24.
    np.testing.assert_array_equal(half, np.array([np.inf, 1.001953125, 0.0], np.float32))
    np.testing.assert_array_equal(full, values * values)


def test_unknown_operations_are_named_before_anything_runs() -> None:
    with pytest.raises(BundleError, match="Core ML operations frobnicate cannot be checked off a Mac"):
        Interpreter(program(np.float32, kind="frobnicate"))
