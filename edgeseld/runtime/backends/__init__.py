"""Runtimes by export target. A backend is chosen by the manifest, never by trying."""

import importlib
from collections.abc import Sequence
from typing import Protocol

from edgeseld.core.errors import BackendMissingError, BundleError
from edgeseld.core.manifest import Role
from edgeseld.core.prediction import Float32
from edgeseld.runtime.bundle import Bundle


class Backend(Protocol):
    """Runs the graphs of one bundle."""

    def run(self, role: Role, inputs: Sequence[Float32]) -> list[Float32]:
        """Outputs of a graph in the manifest's order; inputs in the manifest's order and dtypes."""


# Target to module:class and the extra that holds its runtime.
BACKENDS = {
    "onnx": ("edgeseld.runtime.backends.onnx:OnnxBackend", "onnx"),
    "tflite": ("edgeseld.runtime.backends.tflite:TfliteBackend", "tflite"),
    "executorch": ("edgeseld.runtime.backends.executorch:ExecutorchBackend", "executorch"),
    "coreml": ("edgeseld.runtime.backends.coreml:CoremlBackend", "coreml"),
}


def open_backend(bundle: Bundle, *, threads: int = 1) -> Backend:
    """The runtime of the bundle's target; BackendMissingError names the extra to install."""
    target = bundle.manifest.target
    if target not in BACKENDS:
        raise BundleError(f"no backend runs {target} here, only {', '.join(BACKENDS)}: export to one of these")
    place, extra = BACKENDS[target]
    module, _, name = place.partition(":")
    try:
        backend: Backend = getattr(importlib.import_module(module), name)(bundle, threads=threads)
    except ModuleNotFoundError as error:
        raise BackendMissingError(f"running {target} bundles", extra) from error
    return backend
