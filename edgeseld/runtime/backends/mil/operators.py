"""The operations of MIL that our networks use, on float32 arrays; names and parameters are Core ML's own."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Parameters = Mapping[str, Any]
Operator = Callable[[Parameters], Any]


def convolution(p: Parameters) -> Any:
    """One or two dimensions, groups, strides, dilations; the products of one kernel position at a time."""
    x, weight = p["x"], p["weight"]
    rank = weight.ndim - 2
    strides, dilations = _ints(p.get("strides"), rank), _ints(p.get("dilations"), rank)
    x = _padded(x, p, weight.shape[2:], strides, dilations)
    sizes = [
        (x.shape[2 + axis] - dilations[axis] * (weight.shape[2 + axis] - 1) - 1) // strides[axis] + 1
        for axis in range(rank)
    ]
    groups = int(p.get("groups", 1))
    batch, outputs = x.shape[0], weight.shape[0]
    result = np.zeros((batch, groups, outputs // groups, int(np.prod(sizes))), np.float32)
    for place in np.ndindex(*weight.shape[2:]):
        window = tuple(
            slice(place[a] * dilations[a], place[a] * dilations[a] + strides[a] * (sizes[a] - 1) + 1, strides[a])
            for a in range(rank)
        )
        columns = x[(slice(None), slice(None), *window)].reshape(batch, groups, x.shape[1] // groups, -1)
        kernel = weight[(slice(None), slice(None), *place)].reshape(groups, outputs // groups, -1)
        result += kernel * columns if kernel.shape[1:] == (1, 1) else kernel @ columns
    result = result.reshape(batch, outputs, *sizes)
    bias = p.get("bias")
    return result if bias is None else result + bias.reshape(-1, *[1] * rank)


def _padded(x: Array, p: Parameters, kernel: tuple[int, ...], strides: list[int], dilations: list[int]) -> Array:
    """Zeros around the last axes, by `pad_type`."""
    rank, kind = len(kernel), p.get("pad_type", "valid")
    if kind == "valid":
        return x
    if kind == "custom":
        pad = [(int(before), int(after)) for before, after in np.asarray(p["pad"]).reshape(rank, 2)]
    else:
        totals = [
            max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
            for n, k, s, d in zip(x.shape[2:], kernel, strides, dilations, strict=True)
        ]
        pad = [(total // 2, total - total // 2) for total in totals]
    return np.pad(x, [(0, 0), (0, 0), *pad])


def pooling(p: Parameters, reduce: Callable[..., Any]) -> Any:
    """Windows side by side or overlapping, without padding."""
    x, kernel = p["x"], _ints(p["kernel_sizes"], 1)
    strides = _ints(p.get("strides"), len(kernel))
    if np.any(p.get("pad", 0)) or p.get("pad_type") not in ("valid", "custom") or p.get("ceil_mode", False):
        raise NotImplementedError("pooling with padding")
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=tuple(range(2, 2 + len(kernel))))
    steps = tuple(slice(None, None, stride) for stride in strides)
    return reduce(windows[(slice(None), slice(None), *steps)], axis=tuple(range(-len(kernel), 0)))


def matrix_product(p: Parameters) -> Any:
    """`matmul` with its transpositions."""
    x, y = p["x"], p["y"]
    x = np.swapaxes(x, -1, -2) if p.get("transpose_x", False) else x
    return x @ (np.swapaxes(y, -1, -2) if p.get("transpose_y", False) else y)


def linear(p: Parameters) -> Any:
    """x W' + b."""
    product = p["x"] @ p["weight"].T
    return product if p.get("bias") is None else product + p["bias"]


def slice_by_index(p: Parameters) -> Any:
    """Slices with masks for open ends and squeezed axes."""
    x = p["x"]
    begin, end = np.asarray(p["begin"]), np.asarray(p["end"])
    stride = np.asarray(p.get("stride", np.ones(x.ndim, int)))
    open_begin, open_end, squeezed = (
        np.asarray(p.get(name, np.zeros(x.ndim, bool))) for name in ("begin_mask", "end_mask", "squeeze_mask")
    )
    index: list[int | slice] = []
    for axis in range(x.ndim):
        if squeezed[axis]:
            index.append(int(begin[axis]))
            continue
        first = None if open_begin[axis] else int(begin[axis])
        index.append(slice(first, None if open_end[axis] else int(end[axis]), int(stride[axis])))
    return x[tuple(index)]


def pad(p: Parameters) -> Any:
    """Constant padding of the last axes."""
    if p.get("mode", "constant") != "constant":
        raise NotImplementedError(f"padding {p['mode']}")
    pairs = np.asarray(p["pad"]).reshape(-1, 2).tolist()
    before = [(0, 0)] * (p["x"].ndim - len(pairs))
    return np.pad(p["x"], [*before, *map(tuple, pairs)], constant_values=float(p.get("constant_val", 0.0)))


def layer_norm(p: Parameters) -> Any:
    """Over `axes`, with gamma and beta."""
    x, axes = p["x"], tuple(_ints(p["axes"], 1))
    centred = x - x.mean(axis=axes, keepdims=True)
    scaled = centred / np.sqrt((centred * centred).mean(axis=axes, keepdims=True) + np.float32(p.get("epsilon", 1e-5)))
    scaled = scaled * p["gamma"] if p.get("gamma") is not None else scaled
    return scaled + p["beta"] if p.get("beta") is not None else scaled


def softmax(p: Parameters) -> Any:
    """Along `axis`."""
    raised = np.exp(p["x"] - p["x"].max(axis=int(p.get("axis", -1)), keepdims=True))
    return raised / raised.sum(axis=int(p.get("axis", -1)), keepdims=True)


def split(p: Parameters) -> list[Array]:
    """Into equal parts or parts of given sizes."""
    axis = int(p["axis"])
    if p.get("split_sizes") is not None:
        return np.split(p["x"], np.cumsum(_ints(p["split_sizes"], 1))[:-1], axis)
    return np.split(p["x"], int(p["num_splits"]), axis)


def affine_dequantize(p: Parameters) -> Any:
    """(data - zero point) scale, per channel of `axis` or per tensor."""
    data = p["quantized_data"].astype(np.float32)
    shape = [1] * data.ndim
    if np.ndim(p["scale"]) or np.ndim(p["zero_point"]):
        shape[int(p["axis"])] = -1
    scale, zero = (np.asarray(p[name], np.float32) for name in ("scale", "zero_point"))
    return (data - (zero.reshape(shape) if zero.ndim else zero)) * (scale.reshape(shape) if scale.ndim else scale)


def lut_to_dense(p: Parameters) -> Any:
    """Packed indices into a table of values."""
    shape = _ints(p["shape"], 1)
    count, table = int(np.prod(shape)), np.asarray(p["lut"], np.float32)
    bits = int(np.log2(table.size))
    packed = np.unpackbits(p["indices"].view(np.uint8), bitorder="little")[: count * bits].reshape(count, bits)
    index = (packed.astype(np.int64) << np.arange(bits)).sum(axis=1)
    return table[index].reshape(shape)


def cast(p: Parameters) -> Any:
    """Numbers stay float32 in here; the rounding is that of the declared output."""
    return p["x"].astype(np.int32) if p["dtype"] == "int32" else p["x"].astype(np.float32)


def reduction(reduce: Callable[..., Any]) -> Operator:
    """Over `axes`, or over everything."""

    def operator(p: Parameters) -> Any:
        axes = None if p.get("axes") is None else tuple(_ints(p["axes"], 1))
        return reduce(p["x"], axis=axes, keepdims=bool(p.get("keep_dims", False)))

    return operator


def sigmoid(x: Array) -> Array:
    """Without overflow for large negative numbers."""
    return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


def _tensors(values: Any) -> list[Array]:
    """A list of tensors; a list of one is bound as the tensor itself."""
    return values if isinstance(values, list) else [values]


def _ints(values: Any, rank: int) -> list[int]:
    """A parameter with one number per axis, ones where it is left out."""
    return [1] * rank if values is None else [int(value) for value in np.atleast_1d(values)]


OPERATORS: dict[str, Operator] = {
    "add": lambda p: p["x"] + p["y"],
    "sub": lambda p: p["x"] - p["y"],
    "mul": lambda p: p["x"] * p["y"],
    "real_div": lambda p: p["x"] / p["y"],
    "maximum": lambda p: np.maximum(p["x"], p["y"]),
    "square": lambda p: p["x"] * p["x"],
    "sqrt": lambda p: np.sqrt(p["x"]),
    "rsqrt": lambda p: 1 / np.sqrt(p["x"] + np.float32(p.get("epsilon", 1e-12))),
    "exp": lambda p: np.exp(p["x"]),
    "log": lambda p: np.log(p["x"] + np.float32(p.get("epsilon", 1e-45))),
    "relu": lambda p: np.maximum(p["x"], 0),
    "leaky_relu": lambda p: np.where(p["x"] >= 0, p["x"], p["x"] * np.float32(p["alpha"])),
    "sigmoid": lambda p: sigmoid(p["x"]),
    "silu": lambda p: p["x"] * sigmoid(p["x"]),
    "tanh": lambda p: np.tanh(p["x"]),
    "softmax": softmax,
    "conv": convolution,
    "linear": linear,
    "matmul": matrix_product,
    "layer_norm": layer_norm,
    "avg_pool": lambda p: pooling(p, np.mean),
    "max_pool": lambda p: pooling(p, np.max),
    "pad": pad,
    "reshape": lambda p: p["x"].reshape(_ints(p["shape"], 1)),
    "transpose": lambda p: p["x"].transpose(_ints(p["perm"], 1)),
    "expand_dims": lambda p: np.expand_dims(p["x"], tuple(_ints(p["axes"], 1))),
    "squeeze": lambda p: np.squeeze(p["x"], tuple(_ints(p["axes"], 1))),
    "concat": lambda p: np.concatenate(_tensors(p["values"]), axis=int(p["axis"])),
    "stack": lambda p: np.stack(_tensors(p["values"]), axis=int(p["axis"])),
    "split": split,
    "slice_by_index": slice_by_index,
    "tile": lambda p: np.tile(p["x"], _ints(p["reps"], 1)),
    "fill": lambda p: np.full(_ints(p["shape"], 1), p["value"], np.float32),
    "fill_like": lambda p: np.full(p["ref_tensor"].shape, p["value"], np.float32),
    "reduce_mean": reduction(np.mean),
    "reduce_sum": reduction(np.sum),
    "reduce_max": reduction(np.max),
    "cast": cast,
    "identity": lambda p: p["x"],
    "constexpr_affine_dequantize": affine_dequantize,
    "constexpr_lut_to_dense": lut_to_dense,
}
