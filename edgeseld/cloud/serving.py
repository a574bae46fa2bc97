"""Models behind the server, by name."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from edgeseld.cloud.batching import JoiningBackend, PatientBackend
from edgeseld.cloud.limits import Limits
from edgeseld.cloud.refusals import Refusal
from edgeseld.core.errors import ConfigError
from edgeseld.core.manifest import Manifest
from edgeseld.core.prediction import Float32
from edgeseld.runtime.model import Model, load

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")


@dataclass(frozen=True, slots=True)
class Served:
    """A model under a name; `joins` where its graphs take any batch."""

    name: str
    version: str
    platform: str
    joins: bool
    model: Model

    def run_full(self, inputs: list[Float32]) -> list[Float32]:
        """Raw outputs of the graph `full` for any number of windows, one after the other where it takes one only."""
        backend = self.model.backend
        if self.joins:
            return backend.run("full", inputs)
        import numpy as np

        rows = [backend.run("full", [array[i : i + 1] for array in inputs]) for i in range(len(inputs[0]))]
        return [np.concatenate(column) for column in zip(*rows, strict=True)]


def serve_model(
    name: str, model: Model, limits: Limits, observe: Callable[[int], object] = lambda size: None
) -> Served:
    """A loaded model with deadlines, and with batching where it is no bundle: graphs of bundles take one window."""
    if not NAME.match(name):
        raise ConfigError(f"a model is served under letters, digits, '.', '_' and '-', got {name!r}: use NAME=MODEL")
    interface, backend = model.interface, model.backend
    if isinstance(interface, Manifest):
        return Served(name, interface.version, interface.target, False, Model(interface, PatientBackend(backend)))
    joining = JoiningBackend(backend, limits.join_windows, limits.join_wait_s, observe)
    return Served(name, "0.0.0", "torch", True, Model(interface, joining))


def load_models(
    wanted: Iterable[str], threads: int, limits: Limits, observe: Callable[[int], object]
) -> dict[str, Served]:
    """Models by name; each is wanted as MODEL, served under its own id, or as NAME=MODEL. The first is the default."""
    served: dict[str, Served] = {}
    for one in wanted:
        name, _, place = one.rpartition("=")
        model = load(place, threads=threads)
        name = name or model.interface.id
        if name in served:
            raise ConfigError(f"two models are named {name!r}: serve one of them as OTHERNAME={place}")
        served[name] = serve_model(name, model, limits, observe)
    if not served:
        raise ConfigError("there is nothing to serve: name a model id, a training run or a bundle")
    return served


def find_served(models: Mapping[str, Served], name: str | None, version: str | None = None) -> Served:
    """A model by name, the first without one; Refusal 404 lists what there is."""
    if name is None:
        return next(iter(models.values()))
    if name not in models:
        raise Refusal(404, f"there is no model {name[:80]!r} here, only {', '.join(models)}: name one of them")
    served = models[name]
    if version is not None and version != served.version:
        raise Refusal(404, f"{name} is here in version {served.version}, not {version[:40]!r}: leave the version out")
    return served
