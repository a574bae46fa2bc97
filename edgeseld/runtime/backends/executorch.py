"""ExecuTorch with XNNPACK. Its Python runtime brings torch."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from executorch.extension.pybindings._C import _unsafe_reset_threadpool
from executorch.runtime import Runtime

from edgeseld.core.manifest import Role
from edgeseld.core.prediction import Float32
from edgeseld.runtime.bundle import Bundle


class ExecutorchBackend:
    """One method per graph. A method runs for one thread at a time; the number of threads holds for the process."""

    def __init__(self, bundle: Bundle, *, threads: int = 1) -> None:
        self.bundle, self.threads = bundle, threads
        self._programs: dict[Path, Any] = {}
        self._methods: dict[Role, Any] = {}
        self._lock = threading.Lock()

    def run(self, role: Role, inputs: Sequence[Float32]) -> list[Float32]:
        """Outputs of a graph in the manifest's order."""
        with self._lock:
            method = self._methods.get(role) or self._open(role)
            outputs = method.execute([torch.from_numpy(np.ascontiguousarray(array)) for array in inputs])
            # The tensors lie in the method's own memory, which its next run overwrites.
            return [np.array(tensor.numpy()) for tensor in outputs]

    def _open(self, role: Role) -> Any:
        graph = self.bundle.graph(role)
        path = self.bundle.folder / graph.file
        if path not in self._programs:
            _unsafe_reset_threadpool(self.threads)
            self._programs[path] = Runtime.get().load_program(path)
        self._methods[role] = self._programs[path].load_method(graph.entry)
        return self._methods[role]
