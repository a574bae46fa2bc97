"""ONNX Runtime."""

import threading
from collections.abc import Sequence

import onnxruntime

from edgeseld.core.manifest import Role
from edgeseld.core.prediction import Float32
from edgeseld.runtime.bundle import Bundle


class OnnxBackend:
    """One session per graph, opened when it is first run; several threads may run one."""

    def __init__(self, bundle: Bundle, *, threads: int = 1) -> None:
        self.bundle, self.threads = bundle, threads
        self._sessions: dict[Role, onnxruntime.InferenceSession] = {}
        self._lock = threading.Lock()

    def run(self, role: Role, inputs: Sequence[Float32]) -> list[Float32]:
        """Outputs of a graph in the manifest's order."""
        with self._lock:
            session = self._sessions.get(role) or self._open(role)
        names = [tensor.name for tensor in self.bundle.graph(role).inputs]
        outputs: list[Float32] = session.run(None, dict(zip(names, inputs, strict=True)))
        return outputs

    def _open(self, role: Role) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Threads that go on spinning take the cores from those of the next graph's session.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        path = self.bundle.folder / self.bundle.graph(role).file
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._sessions[role] = session
        return session
