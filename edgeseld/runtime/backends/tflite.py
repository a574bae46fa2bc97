"""LiteRT, the runtime of TFLite files."""

import threading
from collections.abc import Sequence
from typing import Any

from ai_edge_litert.interpreter import Interpreter

from edgeseld.core.manifest import Role
from edgeseld.core.prediction import Float32
from edgeseld.runtime.bundle import Bundle


class TfliteBackend:
    """One interpreter per graph, for one thread at a time; graphs of one file are its signatures."""

    def __init__(self, bundle: Bundle, *, threads: int = 1) -> None:
        self.bundle, self.threads = bundle, threads
        self._runners: dict[Role, Any] = {}
        self._lock = threading.Lock()

    def run(self, role: Role, inputs: Sequence[Float32]) -> list[Float32]:
        """Outputs of a graph in the manifest's order."""
        graph = self.bundle.graph(role)
        with self._lock:
            runner = self._runners.get(role) or self._open(role)
            outputs = runner(**{tensor.name: array for tensor, array in zip(graph.inputs, inputs, strict=True)})
        return [outputs[tensor.name] for tensor in graph.outputs]

    def _open(self, role: Role) -> Any:
        graph = self.bundle.graph(role)
        interpreter = Interpreter(model_path=str(self.bundle.folder / graph.file), num_threads=self.threads)
        self._runners[role] = interpreter.get_signature_runner(graph.entry)
        return self._runners[role]
