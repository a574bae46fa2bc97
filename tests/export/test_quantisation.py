"""What is in int8 and what is not, read from the graphs themselves."""

import json
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from edgeseld.core.manifest import Role, TensorSpec
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import read_toml
from edgeseld.export.exporting import export_model
from edgeseld.export.graphs import Graph, export_graphs
from edgeseld.export.recipe import ExportRecipe, read_recipe, recipe_path
from edgeseld.export.representative import Runs, builtin_windows, graph_inputs
from edgeseld.nn.weights import load_network

pytestmark = pytest.mark.export


@pytest.fixture(scope="module")
def graphs(tiny_model: Path) -> dict[Role, Graph]:
    network = load_network(read_toml(tiny_model / "model.toml", ModelFile), tiny_model / "weights.safetensors")
    return export_graphs(network, input_kind="waveform", mc_chunk=2, time_shifts=False)


@pytest.fixture(scope="module")
def runs(graphs: dict[Role, Graph]) -> Runs:
    return graph_inputs(graphs, builtin_windows(graphs["full"].module.network.spec.signal, 8))


def recipe(target: str, **changes: object) -> ExportRecipe:
    return msgspec.structs.replace(read_recipe(recipe_path(target, "int8")), **changes)


def int8_graph(graphs: dict[Role, Graph], runs: Runs, folder: Path, **changes: object) -> onnx.GraphProto:
    """The graph `full` in static int8."""
    from edgeseld.export.onnx_target import export_onnx

    export_onnx(graphs, recipe("onnx", **changes), folder, runs)
    return onnx.load(folder / "full.onnx").graph


def scales_into_convolutions(graph: onnx.GraphProto) -> list[np.ndarray | None]:
    """Zero point of what goes into every convolution in order, or nothing where floats go in."""
    makers = {name: node for node in graph.node for name in node.output}
    constants = {tensor.name: tensor for tensor in graph.initializer}
    found: list[np.ndarray | None] = []
    for node in graph.node:
        if node.op_type == "Conv":
            maker = makers.get(node.input[0])
            restored = maker is not None and maker.op_type == "DequantizeLinear"
            found.append(numpy_helper.to_array(constants[maker.input[2]]) if maker and restored else None)
    return found


def test_onnx_stages_take_unsigned_int8_and_the_sequence_model_floats(
    graphs: dict[Role, Graph], runs: Runs, tmp_path: Path
) -> None:
    """Stem, two residual blocks and a separable one are seven convolutions; the conformers' two are depthwise."""
    graph = int8_graph(graphs, runs, tmp_path)
    zero_points = scales_into_convolutions(graph)
    stages = [point for point in zero_points if point is not None]
    assert len(stages) == len(zero_points) - 2
    assert {point.dtype for point in stages} == {np.dtype(np.uint8)}


def test_the_onnx_frontend_is_left_as_it_was(graphs: dict[Role, Graph], runs: Runs, tmp_path: Path) -> None:
    graph = int8_graph(graphs, runs, tmp_path)
    order = [node.op_type for node in graph.node]
    logarithm = order.index("Log")
    assert not {"QuantizeLinear", "DynamicQuantizeLinear", "MatMulInteger"} & set(order[:logarithm])
    assert "MatMulInteger" in order[logarithm:]


def test_named_layers_stay_in_float(graphs: dict[Role, Graph], runs: Runs, tmp_path: Path) -> None:
    whole = scales_into_convolutions(int8_graph(graphs, runs, tmp_path))
    (tmp_path / "kept").mkdir()
    kept = scales_into_convolutions(int8_graph(graphs, runs, tmp_path / "kept", float_layers=("stages.0",)))
    assert sum(point is None for point in kept) > sum(point is None for point in whole)


@pytest.mark.slow
def test_named_layers_of_tflite_stay_in_float(graphs: dict[Role, Graph], runs: Runs, tmp_path: Path) -> None:
    from edgeseld.export.tflite_target import export_tflite

    export_tflite({"full": graphs["full"]}, recipe("tflite", float_layers=("stages.0",)), tmp_path, runs)
    weights = weights_of_convolutions(tmp_path / "full.tflite")
    kept = {name for name in weights if "Stage_0/" in name}
    assert {weights[name] for name in kept} == {"FLOAT32"}
    assert {weights[name] for name in weights if "Stem_stem" in name or "Stage_1/" in name} == {"INT8"}


def weights_of_convolutions(path: Path) -> dict[str, str]:
    """Type of the weights of every 2-D convolution behind the frontend of a TFLite file, by the name of its output."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    types = {code: name for name, code in vars(schema.TensorType).items()}
    graph = model.subgraphs[0]
    kinds = (schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.DEPTHWISE_CONV_2D)
    found = [node for node in graph.operators if model.operatorCodes[node.opcodeIndex].builtinCode in kinds]
    names = [graph.tensors[node.outputs[0]].name.decode() for node in found]
    weights = [types[graph.tensors[node.inputs[1]].type] for node in found]
    return {name: kind for name, kind in zip(names, weights, strict=True) if "nn.convolution." in name}


@pytest.mark.slow
def test_layers_that_hurt_are_left_in_float_until_the_proof_passes(tiny_model: Path, tmp_path: Path) -> None:
    strays = export_model(tiny_model, recipe("onnx", calibration_windows=8), tmp_path / "whole", allow_drift=True)
    limit = msgspec.structs.replace(strays.report.tolerance, raw_mean=0.9 * strays.report.raw_mean)
    found = export_model(tiny_model, recipe("onnx", calibration_windows=8, tolerance=limit), tmp_path / "searched")
    assert found.report.passed
    assert found.report.raw_mean <= limit.raw_mean
    layers = json.loads((found.path / "verification.json").read_bytes())["float_layers"]
    assert len(layers) in (1, 2, 4, 8)
    assert f"int8 hurts them most: {', '.join(layers)}." in (found.path / "README.md").read_text()
    assert json.loads((strays.path / "verification.json").read_bytes())["float_layers"] == []


class Padded(nn.Module):
    """Convolutions whose inputs are padded on one side, as causal networks do."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.ModuleDict({"stages": nn.ModuleList([nn.Conv2d(1, 2, 3), nn.Conv2d(2, 1, 3)])})

    def forward(self, x: Tensor) -> tuple[Tensor]:
        for convolution in self.network["stages"]:
            x = convolution(nn.functional.pad(x, (1, 0, 2, 0)))
        return (x,)


def test_executorch_loads_and_runs_padded_int8_values(tmp_path: Path) -> None:
    """XNNPACK refuses a padding between two scales, or between floats and int8, when the program is loaded."""
    from executorch.runtime import Runtime

    from edgeseld.export.executorch_target import export_executorch

    torch.manual_seed(0)
    network = Padded().eval()
    samples = [torch.randn(1, 1, 9, 9) + 1.0 for _ in range(4)]
    expected = network(samples[0])[0].detach()
    inputs = TensorSpec(name="features", shape=(1, 1, 9, 9), meaning="made up")
    outputs = TensorSpec(name="maps", shape=tuple(expected.shape), meaning="made up")
    graphs: dict[Role, Graph] = {"full": Graph(network, (inputs,), (outputs,), (samples[0],))}
    export_executorch(graphs, recipe("executorch"), tmp_path, {"full": [(sample.numpy(),) for sample in samples]})
    method = Runtime.get().load_program(tmp_path / "model.pte").load_method("full")
    difference = float((method.execute([samples[0]])[0] - expected).abs().max())
    assert 1e-6 < difference < 0.05
