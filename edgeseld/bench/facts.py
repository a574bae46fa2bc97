"""What is known of a bundle without running it: its size, what its model costs, how well its model hears."""

import importlib
from dataclasses import dataclass

from edgeseld.core.catalogue import RESULTS_FILE, Cost, ModelResults
from edgeseld.core.locate import MODEL_FILE, models_folder
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import read_json, read_toml
from edgeseld.runtime.bundle import Bundle, graph_bytes

# Costs in results.json are those of 5 s of audio.
COST_S = 5.0
HELDOUT = "simulated"


@dataclass(frozen=True, slots=True)
class Facts:
    """`macs_per_window` counts frontend and network; F20 is the float model's on the simulated held-out rooms."""

    model_bytes: int
    macs_per_window: float | None
    F20: float | None


def bundle_facts(bundle: Bundle) -> Facts:
    """Size from the bundle, cost and score from the model of the same id under models/, where there is one."""
    results, cost = _results(bundle.manifest.id), _cost(bundle.manifest.id)
    signal = bundle.manifest.signal
    window_s = signal.window_pcm_samples / signal.sample_rate_hz
    scores = None if results is None else results.heldout.get(HELDOUT)
    return Facts(
        model_bytes=graph_bytes(bundle),
        macs_per_window=None if cost is None else (cost.macs + cost.frontend_macs) * window_s / COST_S,
        F20=None if scores is None else scores.F20,
    )


def _results(model_id: str) -> ModelResults | None:
    path = models_folder() / model_id / RESULTS_FILE
    return read_json(path, ModelResults) if path.exists() else None


def _cost(model_id: str) -> Cost | None:
    """From results.json, or counted from model.toml where torch is there."""
    results, path = _results(model_id), models_folder() / model_id / MODEL_FILE
    if results is not None or not path.exists():
        return None if results is None else results.cost
    try:
        network = importlib.import_module("edgeseld.nn.network").SeldNetwork(read_toml(path, ModelFile))
        cost: Cost = importlib.import_module("edgeseld.nn.cost").network_cost(network.eval())
    except ModuleNotFoundError:
        return None
    return cost
