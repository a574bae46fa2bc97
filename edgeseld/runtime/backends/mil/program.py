"""A saved `.mlpackage` as a list of operations, read from its protobuf and its weight file."""

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import BundleError

Array = NDArray[Any]
MODEL = Path("Data", "com.apple.CoreML", "model.mlmodel")
# Element types of MIL.proto that our programs hold; the rest of the enumeration is refused by name.
ELEMENTS: dict[int, type[np.generic]] = {
    1: np.bool_,
    10: np.float16,
    11: np.float32,
    21: np.int8,
    22: np.int16,
    23: np.int32,
    31: np.uint8,
    32: np.uint16,
    33: np.uint32,
}
# blob_metadata of MLModel weight storage: sentinel u32, type u32, size u64, offset u64, then reserved bytes.
BLOB_SENTINEL = 0xDEADBEEF


@dataclass(frozen=True, slots=True)
class Name:
    """A value that another operation, or the caller, gives."""

    text: str


Value = Name | Array | str | tuple["Value", ...]


@dataclass(frozen=True, slots=True)
class Output:
    """Name, element type and shape of what an operation gives."""

    name: str
    dtype: type[np.generic]
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; parameters that are constant are already there."""

    kind: str
    inputs: Mapping[str, Value]
    outputs: tuple[Output, ...]

    def names(self) -> Iterator[str]:
        """Values that it waits for."""
        for value in self.inputs.values():
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, Name):
                    yield item.text


@dataclass(frozen=True, slots=True)
class Program:
    """Operations in order, with the names of what goes in and what comes out."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    operations: tuple[Operation, ...]


@contextmanager
def without_tensorflow() -> Iterator[None]:
    """coremltools imports TensorFlow where it finds it, for a converter nobody here uses: half a minute saved."""
    if "tensorflow" in sys.modules:
        yield
        return
    sys.modules["tensorflow"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["tensorflow"]


def read_program(package: Path) -> Program:
    """Read the function `main`; BundleError where the package is damaged or not a program."""
    with without_tensorflow():
        messages = importlib.import_module("coremltools.proto.Model_pb2")
    model = messages.Model()
    try:
        model.ParseFromString((package / MODEL).read_bytes())
        function = model.mlProgram.functions["main"]
        block = function.block_specializations[function.opset]
    except Exception as error:
        raise BundleError(f"{package} is no Core ML program ({error}): export the bundle again") from error
    operations = tuple(_operation(message, package / MODEL.parent) for message in block.operations)
    return Program(tuple(item.name for item in function.inputs), tuple(block.outputs), operations)


def _operation(message: Any, folder: Path) -> Operation:
    attributes = {name: _constant(value, folder) for name, value in message.attributes.items() if name != "name"}
    inputs = {name: _argument(argument, folder) for name, argument in message.inputs.items()}
    return Operation(message.type, inputs | attributes, tuple(_output(output) for output in message.outputs))


def _output(message: Any) -> Output:
    tensor = message.type.tensorType
    return Output(message.name, ELEMENTS.get(tensor.dataType, np.object_), _shape(tensor))


def _shape(tensor: Any) -> tuple[int, ...]:
    return tuple(int(dimension.constant.size) for dimension in tensor.dimensions)


def _argument(argument: Any, folder: Path) -> Value:
    """One binding, or several for parameters that take lists of tensors."""
    values = tuple(Name(b.name) if b.name else _constant(b.value, folder) for b in argument.arguments)
    return values[0] if len(values) == 1 else values


def _constant(value: Any, folder: Path) -> Value:
    """A constant: a string, a tensor in the message, or one in the weight file."""
    if value.WhichOneof("value") == "immediateValue" and value.immediateValue.WhichOneof("value") != "tensor":
        items = value.immediateValue.tuple.values or value.immediateValue.list.values
        return tuple(_constant(item, folder) for item in items)
    tensor = value.type.tensorType
    if value.WhichOneof("value") == "blobFileValue":
        return _blob(value.blobFileValue, tensor, folder)
    content = value.immediateValue.tensor
    kind = content.WhichOneof("value")
    if kind == "strings":
        return str(content.strings.values[0])
    dtype = ELEMENTS[tensor.dataType]
    if kind == "bytes":
        return np.frombuffer(content.bytes.values, dtype).reshape(_shape(tensor))
    return np.array(getattr(content, kind).values, dtype).reshape(_shape(tensor))


def _blob(place: Any, tensor: Any, folder: Path) -> Array:
    """A tensor of the weight file, whose name in the message starts with @model_path/."""
    content = np.memmap(folder / place.fileName.removeprefix("@model_path/"), np.uint8, "r")
    header = content[place.offset : place.offset + 24].tobytes()
    sentinel = int(np.frombuffer(header, np.uint32, 1)[0])
    if sentinel != BLOB_SENTINEL:
        raise BundleError(f"{place.fileName} has no tensor at {place.offset}: export the bundle again")
    size, offset = np.frombuffer(header, np.uint64, 2, 8).tolist()
    return np.frombuffer(content[offset : offset + size].tobytes(), ELEMENTS[tensor.dataType]).reshape(_shape(tensor))
