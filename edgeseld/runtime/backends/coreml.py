"""Core ML on a Mac; anywhere else the same program, interpreted in numpy with float16 storage emulated."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from edgeseld.core.manifest import Role
from edgeseld.core.prediction import Float32
from edgeseld.runtime.backends.mil.interpreter import Interpreter
from edgeseld.runtime.backends.mil.program import read_program, without_tensorflow
from edgeseld.runtime.bundle import Bundle

with without_tensorflow():
    import coremltools


class Runner(Protocol):
    """One loaded package."""

    def run(self, inputs: Mapping[str, Float32]) -> list[Float32]:
        """Outputs in the package's order."""


class CoremlBackend:
    """One package per graph. Core ML chooses its own number of threads."""

    def __init__(self, bundle: Bundle, *, threads: int = 1) -> None:
        self.bundle = bundle
        self._runners: dict[Role, Any] = {}

    def run(self, role: Role, inputs: Sequence[Float32]) -> list[Float32]:
        """Outputs of a graph in the manifest's order."""
        runner = self._runners.get(role) or self._open(role)
        graph = self.bundle.graph(role)
        return runner.run({tensor.name: array for tensor, array in zip(graph.inputs, inputs, strict=True)})

    def _open(self, role: Role) -> Runner:
        graph = self.bundle.graph(role)
        package = self.bundle.folder / graph.file
        names = [tensor.name for tensor in graph.outputs]
        runner: Runner = MacRunner(package, names) if sys.platform == "darwin" else Interpreter(read_program(package))
        self._runners[role] = runner
        return runner


class MacRunner:
    """Apple's own runtime, on the processor, so that answers do not depend on the chip."""

    def __init__(self, package: Any, names: list[str]) -> None:
        self.names = names
        self.model = coremltools.models.MLModel(str(package), compute_units=coremltools.ComputeUnit.CPU_ONLY)

    def run(self, inputs: Mapping[str, Float32]) -> list[Float32]:
        """Outputs in the manifest's order."""
        outputs = self.model.predict(dict(inputs))
        return [np.asarray(outputs[name], np.float32) for name in self.names]
