"""ONNX Runtime's sessions."""

from pathlib import Path

import numpy as np
import pytest

from edgeseld.runtime.backends.onnx import OnnxBackend
from edgeseld.runtime.bundle import open_bundle
from tests.small_bundle import write_small_bundle


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> OnnxBackend:
    return OnnxBackend(open_bundle(write_small_bundle(tmp_path_factory.mktemp("bundles"))), threads=2)


def run(backend: OnnxBackend, role: str) -> None:
    inputs = backend.bundle.graph(role).inputs
    backend.run(role, [np.zeros(tensor.shape, np.float32) for tensor in inputs])


@pytest.mark.parametrize("role", ["frontend", "encoder", "head"])
def test_threads_rest_between_runs_and_leave_the_cores_to_the_next_graph(backend: OnnxBackend, role: str) -> None:
    run(backend, role)
    options = backend._sessions[role].get_session_options()
    assert options.intra_op_num_threads == 2
    assert options.get_session_config_entry("session.force_spinning_stop") == "1"


def test_a_graph_is_opened_once_and_only_when_it_is_run(tmp_path: Path) -> None:
    backend = OnnxBackend(open_bundle(write_small_bundle(tmp_path)))
    assert not backend._sessions
    run(backend, "full")
    session = backend._sessions["full"]
    run(backend, "full")
    assert backend._sessions == {"full": session}
