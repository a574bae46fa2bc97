"""Tensors of the Open Inference Protocol v2 (KServe): JSON, and the extension for binary tensors behind the JSON.

https://github.com/kserve/open-inference-protocol, and Triton's extension_binary_data.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from edgeseld.cloud.refusals import Refusal
from edgeseld.cloud.serving import Served
from edgeseld.core.manifest import TensorSpec
from edgeseld.core.prediction import Float32

LENGTH_HEADER = "Inference-Header-Content-Length"
DATATYPE = "FP32"


class Tensor(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An input or output; its values stand in `data`, or behind the JSON in as many bytes as a parameter says."""

    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    data: Any = None


class Wanted(msgspec.Struct, kw_only=True):
    """An output that is asked for."""

    name: str
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)


class InferRequest(msgspec.Struct, kw_only=True):
    """The JSON of `POST .../infer`."""

    inputs: list[Tensor]
    id: str = ""
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    outputs: list[Wanted] = msgspec.field(default_factory=list)


class InferResponse(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The JSON of the answer."""

    model_name: str
    model_version: str
    id: str = ""
    outputs: list[Tensor]


def read_request(body: bytes, header_length: str | None) -> tuple[InferRequest, bytes]:
    """The JSON, and the binary tensors behind it; Refusal 400 for a malformed one."""
    end = len(body)
    if header_length is not None:
        if not header_length.isdigit() or int(header_length) > len(body):
            raise Refusal(400, f"{LENGTH_HEADER} is the length of the JSON, at most {len(body)} here: correct it")
        end = int(header_length)
    try:
        return msgspec.json.decode(body[:end], type=InferRequest), body[end:]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, f"the request is no inference request of protocol v2 ({error}): correct it") from None


def read_inputs(request: InferRequest, binary: bytes, served: Served, most_windows: int) -> list[Float32]:
    """Arrays in the order of the model's inputs; Refusal 400 says which tensor is wrong, and how."""
    given: dict[str, Float32] = {}
    for tensor in request.inputs:
        values, binary = _values(tensor, binary)
        given[tensor.name] = values
    if binary:
        raise Refusal(400, f"{len(binary)} bytes behind the tensors belong to none: correct binary_data_size")
    specs = served.model.interface.graphs["full"].inputs
    if set(given) != {spec.name for spec in specs} or len(given) != len(request.inputs):
        raise Refusal(400, f"the inputs of {served.name} are {_names(specs)}, got {sorted(given)[:8]}: send each once")
    for spec in specs:
        _check_shape(given[spec.name], spec, most_windows)
    arrays = [given[spec.name] for spec in specs]
    if len({len(array) for array in arrays}) > 1:
        raise Refusal(400, "all inputs have the same first dimension, the windows: send as many of each")
    return arrays


def write_response(request: InferRequest, outputs: Sequence[Float32], served: Served) -> tuple[bytes, dict[str, str]]:
    """Body and headers: each output as binary where it, or the whole request, asks for that, else as JSON."""
    specs = served.model.interface.graphs["full"].outputs
    arrays = {spec.name: array for spec, array in zip(specs, outputs, strict=True)}
    wanted = request.outputs or [Wanted(name=name) for name in arrays]
    strangers = [output.name for output in wanted if output.name not in arrays]
    if strangers:
        raise Refusal(400, f"the outputs of {served.name} are {_names(specs)}, asked for {strangers[0][:80]!r}")
    always = request.parameters.get("binary_data_output") is True
    tensors, behind = [], []
    for output in wanted:
        binary = output.parameters.get("binary_data", always) is True
        tensors.append(_tensor(output.name, arrays[output.name], binary))
        if binary:
            behind.append(np.ascontiguousarray(arrays[output.name], "<f4").tobytes())
    answer = InferResponse(model_name=served.name, model_version=served.version, id=request.id, outputs=tensors)
    header = msgspec.json.encode(answer)
    if not behind:
        return header, {"Content-Type": "application/json"}
    return b"".join([header, *behind]), {
        "Content-Type": "application/octet-stream",
        LENGTH_HEADER: str(len(header)),
    }


def metadata(spec: TensorSpec) -> dict[str, Any]:
    """A tensor as model metadata describes it; any number of windows."""
    return {"name": spec.name, "datatype": DATATYPE, "shape": [-1, *spec.shape[1:]]}


def _values(tensor: Tensor, binary: bytes) -> tuple[Float32, bytes]:
    """Values of a tensor in its shape, and the bytes that are left for the next ones."""
    if tensor.datatype != DATATYPE:
        raise Refusal(400, f"{tensor.name[:80]} has the datatype {DATATYPE}, got {tensor.datatype[:20]!r}: convert it")
    if not all(0 < size < 2**31 for size in tensor.shape) or not tensor.shape:
        raise Refusal(400, f"the shape of {tensor.name[:80]} has sizes of at least 1, got {tensor.shape[:8]}")
    size = tensor.parameters.get("binary_data_size")
    if size is None:
        values = _flat(tensor)
    elif not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= len(binary) or size % 4:
        raise Refusal(400, f"binary_data_size of {tensor.name[:80]} must be a multiple of 4, and the bytes be there")
    else:
        values, binary = np.frombuffer(binary[:size], "<f4"), binary[size:]
    # Python's integers do not overflow, as numpy's product would.
    count = 1
    for length in tensor.shape:
        count *= length
    if count != values.size:
        raise Refusal(400, f"{tensor.name[:80]} of shape {tensor.shape[:8]} has {count} values, got {values.size}")
    if not np.isfinite(values).all():
        raise Refusal(400, f"{tensor.name[:80]} must be finite, got NaN or infinite values: repair the recording")
    return values.reshape(tensor.shape).astype(np.float32, copy=False), binary


def _flat(tensor: Tensor) -> Float32:
    """JSON numbers, nested or flat."""
    try:
        with np.errstate(over="ignore"):
            values = np.asarray(tensor.data, np.float32)
    except (ValueError, TypeError, OverflowError):
        values = None
    if values is None or tensor.data is None or values.ndim == 0:
        raise Refusal(400, f"data of {tensor.name[:80]} is an array of numbers: send one, or binary_data_size")
    return values.ravel()


def _check_shape(array: Float32, spec: TensorSpec, most_windows: int) -> None:
    if array.shape[1:] != spec.shape[1:] or not 1 <= len(array) <= most_windows:
        raise Refusal(
            400,
            f"{spec.name} has the shape (1 to {most_windows}, {', '.join(map(str, spec.shape[1:]))}), "
            f"got {array.shape}: cut windows with their context",
        )


def _tensor(name: str, array: Float32, binary: bool) -> Tensor:
    shape = list(array.shape)
    if binary:
        return Tensor(name=name, shape=shape, datatype=DATATYPE, parameters={"binary_data_size": array.nbytes})
    return Tensor(name=name, shape=shape, datatype=DATATYPE, data=array.ravel().tolist())


def _names(specs: Sequence[TensorSpec]) -> str:
    return ", ".join(spec.name for spec in specs)
