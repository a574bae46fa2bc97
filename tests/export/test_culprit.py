"""Bisection for the layer in which a drift begins, and the ranking of layers that int8 hurts."""

from pathlib import Path

import pytest
import torch

from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import read_toml
from edgeseld.export.culprit import Drift, bisect
from edgeseld.export.graphs import export_graphs
from edgeseld.export.representative import builtin_windows, graph_inputs
from edgeseld.export.sensitivity import sensitivities
from edgeseld.nn.weights import load_network

LAYERS = ["frontend", "stem", "stages.0", "stages.1", "projection", "context.0", "context.1", "head"]


@pytest.mark.parametrize("guilty", LAYERS)
def test_the_first_layer_that_drifts_is_found_with_few_measurements(guilty: str) -> None:
    asked: list[str] = []

    def measure(layer: str) -> Drift:
        asked.append(layer)
        return Drift(layer, 1.0 if LAYERS.index(layer) >= LAYERS.index(guilty) else 0.0, "scene")

    found = bisect(LAYERS, measure, 0.1)
    assert found.layer == guilty
    assert len(asked) == len(set(asked)) <= 4 + (guilty == "head")
    assert [drift.layer for drift in found.measured] == sorted(asked, key=LAYERS.index)


def test_without_drift_there_is_no_culprit_and_nan_is_drift() -> None:
    assert bisect(LAYERS, lambda layer: Drift(layer, 0.01, "scene"), 0.1).layer is None
    assert bisect(LAYERS, lambda layer: Drift(layer, float("inf"), "sine"), 0.1).layer == "frontend"


def test_only_layers_that_reach_the_output_are_sensitive(tiny_model: Path) -> None:
    """Nothing passes a layer of zeros, so that int8 before it changes nothing."""
    network = load_network(read_toml(tiny_model / "model.toml", ModelFile), tiny_model / "weights.safetensors")
    graphs = export_graphs(network, input_kind="waveform", mc_chunk=2, time_shifts=False)
    runs = graph_inputs(graphs, builtin_windows(network.spec.signal, 6)[-1:])
    before = {one.layer: one.change for one in sensitivities(graphs, runs)}
    assert min(before.values()) > 0
    assert "stages.0.blocks.0.first.conv" in before
    assert not any(layer.startswith("frontend") for layer in before)
    with torch.no_grad():
        graphs["full"].module.network.head.branch.hidden.weight.zero_()
    after = {one.layer: one.change for one in sensitivities(graphs, runs)}
    assert {layer for layer, change in after.items() if change > 0} == {"head.branch.out"}
