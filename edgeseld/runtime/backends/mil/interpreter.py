"""Running a MIL program in numpy: float32 arithmetic, every value rounded to the type that the program declares.

Where a program stores float16, a value beyond 65504 becomes infinite here as it does on a phone.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import BundleError
from edgeseld.core.prediction import Float32
from edgeseld.runtime.backends.mil.operators import OPERATORS
from edgeseld.runtime.backends.mil.program import Name, Operation, Output, Program, Value

Array = NDArray[Any]


class Interpreter:
    """A program with its constants computed; values are forgotten after their last use."""

    def __init__(self, program: Program) -> None:
        """BundleError names operations that are not known here."""
        unknown = sorted({operation.kind for operation in program.operations} - {"const", *OPERATORS})
        if unknown:
            raise BundleError(
                f"Core ML operations {', '.join(unknown)} cannot be checked off a Mac: add them to "
                "edgeseld/runtime/backends/mil/operators.py, or check the bundle on macOS"
            )
        self.program = program
        self.constants: dict[str, Any] = {}
        self.steps: list[Operation] = []
        for operation in program.operations:
            if operation.kind == "const" or operation.kind.startswith("constexpr_"):
                self._keep_constant(operation)
            else:
                self.steps.append(operation)
        self._last_use = {name: index for index, step in enumerate(self.steps) for name in step.names()}

    def run(self, inputs: Mapping[str, Float32]) -> list[Float32]:
        """Outputs in the program's order."""
        values: dict[str, Any] = dict(inputs)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for index, step in enumerate(self.steps):
                self._step(step, values)
                for name in step.names():
                    if self._last_use[name] == index and name not in self.program.outputs:
                        values.pop(name, None)
        return [np.ascontiguousarray(values[name], np.float32) for name in self.program.outputs]

    def _step(self, step: Operation, values: dict[str, Any]) -> None:
        parameters = {name: self._resolve(value, values) for name, value in step.inputs.items()}
        results = OPERATORS[step.kind](parameters)
        for output, result in zip(step.outputs, results if isinstance(results, list) else [results], strict=True):
            if output.shape and result.shape != output.shape:
                raise BundleError(f"{step.kind} declares {output.shape} and gives {result.shape}: export again")
            values[output.name] = _stored(result, output)

    def _keep_constant(self, operation: Operation) -> None:
        if operation.kind == "const":
            value = operation.inputs["val"]
            self.constants[operation.outputs[0].name] = _widened(value) if isinstance(value, np.ndarray) else value
        else:
            self._step(operation, self.constants)

    def _resolve(self, value: Value, values: Mapping[str, Any]) -> Any:
        if isinstance(value, tuple):
            return [self._resolve(item, values) for item in value]
        if isinstance(value, Name):
            return values[value.text] if value.text in values else self.constants[value.text]
        return _widened(value) if isinstance(value, np.ndarray) else value


def _stored(result: Array, output: Output) -> Array:
    """What is left of a value once it has been stored."""
    if output.dtype is np.float16:
        return result.astype(np.float16).astype(np.float32)
    return result.astype(np.float32, copy=False) if output.dtype is np.float32 else result


def _widened(value: Array) -> Array:
    return value.astype(np.float32) if value.dtype == np.float16 else value
