"""ONNX graphs in int8; the frontend stays float32."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import onnx

from edgeseld.core.disk import temporary_folder
from edgeseld.export.quiet import quiet
from edgeseld.export.recipe import ExportRecipe
from edgeseld.export.representative import Inputs

# Parts whose values stay int8 between operations of these kinds; the sequence model behind them has outliers that one
# scale per tensor does not hold.
STATIC_PARTS = ("stem", "stages")
STATIC_KINDS = ["Conv", "Relu", "Add", "AveragePool", "MaxPool"]


def quantised(model: onnx.ModelProto, recipe: ExportRecipe, runs: Sequence[Inputs]) -> onnx.ModelProto:
    """The model with the recipe's kind of int8; `runs` are inputs from which static quantisation learns its ranges.

    Matrix products take int8 weights and quantise what goes in as it comes. Static int8 also runs the stages in
    integers; otherwise convolutions stay float: onnxruntime's ConvInteger is slower, and weights that are only stored
    as int8 cost it the layout in which its float convolutions are fast.
    """
    kept = [*_nodes_in(model, ["frontend"]), *_nodes_in(model, recipe.float_layers)]
    stages = _static_nodes(model, kept) if recipe.precision == "int8" else []
    with temporary_folder() as folder, quiet():
        current = folder / "float.onnx"
        onnx.save(model, current)
        if stages:
            names = [tensor.name for tensor in model.graph.input]
            current = _quantise_static(current, folder / "static.onnx", stages, names, runs)
        return onnx.load(_quantise_dynamic(current, folder / "dynamic.onnx", kept))


def _static_nodes(model: onnx.ModelProto, kept: Sequence[str]) -> list[str]:
    """Nodes that work on int8."""
    inside = set(_nodes_in(model, STATIC_PARTS)) - set(kept)
    return [node.name for node in model.graph.node if node.name in inside and node.op_type in STATIC_KINDS]


def _quantise_static(source: Path, target: Path, nodes: list[str], names: list[str], runs: Sequence[Inputs]) -> Path:
    """int8 weights per channel and unsigned activations: with signed ones x86 and ARM disagree."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left: Iterator[Inputs] = iter(runs)

        def get_next(self) -> dict[str, Any] | None:
            inputs = next(self.left, None)
            return None if inputs is None else dict(zip(names, inputs, strict=True))

    quantize_static(
        source,
        target,
        Reader(),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        nodes_to_quantize=nodes,
    )
    return target


def _quantise_dynamic(source: Path, target: Path, kept: list[str]) -> Path:
    """Weights of matrix products as int8, activations quantised as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        source,
        target,
        op_types_to_quantize=["MatMul", "Gemm"],
        weight_type=QuantType.QInt8,
        per_channel=True,
        nodes_to_exclude=kept,
    )
    return target


def _nodes_in(model: onnx.ModelProto, layers: Sequence[str]) -> list[str]:
    """Nodes that came from the named modules of the network."""
    return [node.name for node in model.graph.node if any(f".network.{layer}." in _scope(node) for layer in layers)]


def _scope(node: onnx.NodeProto) -> str:
    """Modules that a node lies in, such as `.network.stages.0.blocks.0.`, outermost first."""
    scopes: dict[str, str] = {item.key: item.value for item in node.metadata_props}
    return "." + scopes.get("pkg.torch.onnx.name_scopes", "").replace("'", ".")
