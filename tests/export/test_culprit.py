"""Bisection for the layer in which a drift begins, and the ranking of layers that int8 hurts."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from edgeseld.cli import main
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import read_toml
from edgeseld.export.culprit import Drift, bisect
from edgeseld.export.exporting import export_model
from edgeseld.export.graphs import export_graphs
from edgeseld.export.recipe import read_recipe, recipe_path
from edgeseld.export.representative import builtin_windows, graph_inputs
from edgeseld.export.sensitivity import sensitivities
from edgeseld.nn.weights import load_network
from tests.tiny import make_model

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


def culprit(bundle: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> dict:
    """What `edgeseld verify --culprit --json` says."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        main(["verify", str(bundle), "--model", str(model), "--culprit", "--json"])
    assert stopped.value.code == 0
    found: dict = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.export
@pytest.mark.slow
def test_a_damaged_weight_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One weight of the second stage is beyond float16; torch's float32 takes it, the export in half precision not."""
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    weights = make_model(damaged) / "weights.safetensors"
    tensors = load_file(weights)
    tensors["stages.1.blocks.0.pointwise.norm.weight"][0] = 1e6
    save_file(tensors, weights)
    recipe = read_recipe(recipe_path("onnx", "fp16"))
    bundle = export_model(damaged, recipe, tmp_path, allow_drift=True).path
    assert culprit(bundle, damaged, capsys)["layer"] == "stages.1"


@pytest.mark.export
@pytest.mark.slow
def test_a_sound_export_has_no_culprit_and_other_weights_are_not_searched(
    tiny_bundle: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = culprit(tiny_bundle, tiny_model, capsys)
    assert found["layer"] is None
    assert found["measured"][0]["difference"] < found["limit"]
    other = make_model(tmp_path)
    tensors = load_file(other / "weights.safetensors")
    tensors["head.branch.out.bias"] += 1.0
    save_file(tensors, other / "weights.safetensors")
    with pytest.raises(SystemExit) as stopped:
        main(["verify", str(tiny_bundle), "--model", str(other), "--culprit"])
    assert stopped.value.code == 1
    assert "holds others: name the right ones with --model" in capsys.readouterr().err
