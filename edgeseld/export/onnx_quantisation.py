"""ONNX graphs in int8; the frontend stays float32."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import onnx

from edgeseld.export.quiet import quiet
from edgeseld.export.recipe import ExportRecipe
from edgeseld.export.representative import Inputs

# Between operations of these kinds values stay int8; the rest works on floats.
# Sums stay float: their constants are quantised per channel, and onnxruntime adds by one scale only.
STATIC_KINDS = ["Conv", "MatMul", "Gemm", "Relu", "AveragePool", "MaxPool"]


def quantised(model: onnx.ModelProto, recipe: ExportRecipe, runs: Sequence[Inputs]) -> onnx.ModelProto:
    """The model with the recipe's kind of int8; `runs` are inputs from which static quantisation learns its ranges."""
    with tempfile.TemporaryDirectory(prefix="edgeseld-") as folder, quiet():
        source, target = Path(folder, "float.onnx"), Path(folder, "quantised.onnx")
        onnx.save(model, source)
        if recipe.precision == "int8-dynamic":
            _quantise_dynamic(source, target, frontend_nodes(model))
        else:
            kept = [*frontend_nodes(model), *_left_in_float(model), *_nodes_in(model, recipe.float_layers)]
            _quantise_static(source, target, kept, [tensor.name for tensor in model.graph.input], runs)
        return onnx.load(target)


def _quantise_dynamic(source: Path, target: Path, kept: list[str]) -> None:
    """Weights of matrix products as int8, activations quantised as they come; convolutions stay float.

    onnxruntime's ConvInteger is slower than float convolution.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        source,
        target,
        op_types_to_quantize=["MatMul", "Gemm"],
        weight_type=QuantType.QInt8,
        per_channel=True,
        nodes_to_exclude=kept,
    )


def _quantise_static(source: Path, target: Path, kept: list[str], names: list[str], runs: Sequence[Inputs]) -> None:
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
        op_types_to_quantize=STATIC_KINDS,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        nodes_to_exclude=kept,
    )


def frontend_nodes(model: onnx.ModelProto) -> list[str]:
    """Nodes that came from the module `frontend`; they stay float32 at every precision."""
    return [node.name for node in model.graph.node if ".frontend" in _scope(node)]


def _left_in_float(model: onnx.ModelProto) -> list[str]:
    """Products of two activations, which attention is made of: small, and sensitive to rounding."""
    constants = {tensor.name for tensor in model.graph.initializer}
    products = [node for node in model.graph.node if node.op_type == "MatMul"]
    return [node.name for node in products if not set(node.input) & constants]


def _nodes_in(model: onnx.ModelProto, layers: Sequence[str]) -> list[str]:
    """Nodes that came from the named modules."""
    return [node.name for node in model.graph.node if any(f".network.{layer}." in _scope(node) for layer in layers)]


def _scope(node: onnx.NodeProto) -> str:
    """Modules that a node lies in, such as `.network.stages.0.blocks.0.`, outermost first."""
    scopes: dict[str, str] = {item.key: item.value for item in node.metadata_props}
    return "." + scopes.get("pkg.torch.onnx.name_scopes", "").replace("'", ".")
