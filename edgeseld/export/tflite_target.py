"""TFLite through litert-torch: one file per graph, static shapes, built-in operators only."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from edgeseld.core.manifest import Role
from edgeseld.export.graphs import Graph
from edgeseld.export.quiet import quiet
from edgeseld.export.recipe import ExportRecipe
from edgeseld.export.representative import Inputs, Runs

# Tensors are named after the torch modules they came from; everything but the frontend is quantised.
NETWORK_TENSORS = r"^(?!.*[Ff]rontend).*(convolution|conformer|attention|Projection|heads|recurrent|Linear).*"
# Of these the convolutional stages, which static int8 takes whole.
STAGE_TENSORS = r"^(?!.*[Ff]rontend).*nn\.convolution\..*"
SIGNATURE = "serving_default"
# Between operations of these kinds values stay int8.
STATIC_KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "MAX_POOL_2D", "AVERAGE_POOL_2D")


def export_tflite(
    graphs: Mapping[Role, Graph], recipe: ExportRecipe, folder: Path, runs: Runs
) -> dict[Role, tuple[str, str | None]]:
    """Write the graphs into `folder`; file name and signature by role.

    Several signatures in one file would share their weights, but LiteRT runs such files a third slower.
    """
    network: Any = graphs["full"].module.network
    kept = [layer_tensors(network, layer) for layer in recipe.float_layers]
    for role, graph in graphs.items():
        precision = "fp32" if role == "frontend" else recipe.precision
        _export(folder / f"{role}.tflite", graph, precision, kept, runs.get(role))
    return {role: (f"{role}.tflite", SIGNATURE) for role in graphs}


def _export(path: Path, graph: Graph, precision: str, kept: Sequence[str], runs: Sequence[Inputs] | None) -> None:
    with quiet():
        import litert_torch

        litert_torch.convert(graph.module, graph.examples).export(str(path))
        if precision != "fp32":
            _lower(path, precision, kept, runs)
    _name_tensors(path, graph)


def _lower(path: Path, precision: str, kept: Sequence[str], runs: Sequence[Inputs] | None) -> None:
    """Rewrite the file at a lower precision: everything but the frontend and the tensors that `kept` describes."""
    from ai_edge_quantizer import quantizer

    quantiser = quantizer.Quantizer(str(path))
    if precision == "fp16":
        _cast_weights(quantiser)
    elif precision == "int8-dynamic":
        _quantise_dynamic(quantiser, "ALL_SUPPORTED")
        # XNNPACK has no depthwise convolution with dynamic int8: TFLite's own is slower than float, and rounds from one
        # version to the next as it likes. Its weights are few.
        _leave_float(quantiser, NETWORK_TENSORS, "DEPTHWISE_CONV_2D")
    else:
        _quantise_static(quantiser)
    # Of what matches, the last word counts.
    for tensors in kept:
        _leave_float(quantiser, tensors, "ALL_SUPPORTED")
    ranges = None
    if precision == "int8":
        samples = [{f"args_{index}": array for index, array in enumerate(run)} for run in runs or ()]
        ranges = quantiser.calibrate({SIGNATURE: samples})
        if not ranges:
            # All layers of this graph stay float.
            return
    result = quantiser.quantize(ranges)
    path.unlink()
    result.export_model(str(path))


def _cast_weights(quantiser: Any) -> None:
    """Weights as float16, arithmetic in float32."""
    from ai_edge_quantizer import qtyping
    from ai_edge_quantizer.algorithm_manager import AlgorithmName

    half = qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT)
    quantiser.update_quantization_recipe(
        regex=NETWORK_TENSORS,
        operation_name=qtyping.TFLOperationName.ALL_SUPPORTED,
        op_config=qtyping.OpQuantizationConfig(
            weight_tensor_config=half, compute_precision=qtyping.ComputePrecision.FLOAT, explicit_dequantize=True
        ),
        algorithm_key=AlgorithmName.FLOAT_CASTING,
    )


def _quantise_dynamic(quantiser: Any, operation: str) -> None:
    """Weights as int8 per channel, activations quantised as they come."""
    from ai_edge_quantizer import qtyping

    kind = qtyping.TFLOperationName[operation]
    quantiser.add_dynamic_config(regex=NETWORK_TENSORS, operation_name=kind, num_bits=8)


def _leave_float(quantiser: Any, tensors: str, operation: str) -> None:
    from ai_edge_quantizer import qtyping
    from ai_edge_quantizer.algorithm_manager import AlgorithmName

    kind = qtyping.TFLOperationName[operation]
    quantiser.update_quantization_recipe(tensors, kind, algorithm_key=AlgorithmName.NO_QUANTIZE)


def layer_tensors(network: nn.Module, layer: str) -> str:
    """Pattern of the names that tensors of a layer (such as `stages.0`) have: class and name of every module around
    them, lists left out."""
    module: Any = network
    scopes = []
    for name in layer.split("."):
        module = getattr(module, name)
        if not isinstance(module, nn.ModuleList):
            scopes.append(f"{type(module).__module__}.{type(module).__qualname__}_{name}")
    return re.escape("/".join(scopes)) + r"\b"


def _quantise_static(quantiser: Any) -> None:
    """Stages wholly in int8 with ranges learnt beforehand; the matrix products of the context as they come."""
    from ai_edge_quantizer import qtyping

    for operation in STATIC_KINDS:
        quantiser.add_static_config(
            regex=STAGE_TENSORS,
            operation_name=qtyping.TFLOperationName[operation],
            activation_num_bits=8,
            weight_num_bits=8,
        )
    _quantise_dynamic(quantiser, "FULLY_CONNECTED")


def _name_tensors(path: Path, graph: Graph) -> None:
    """Give the signature the names of the manifest instead of args_0 and output_0."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    content = path.read_bytes()
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for buffer in model.buffers:
        # The quantiser puts large tensors behind the flatbuffer, at offsets that a rewritten file no longer has.
        if buffer.offset:
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    signature = model.signatureDefs[0]
    _rename(signature.inputs, "args_", [tensor.name for tensor in graph.inputs])
    _rename(signature.outputs, "output_", [tensor.name for tensor in graph.outputs])
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))


def _rename(tensors: list[Any], prefix: str, names: list[str]) -> None:
    for tensor in tensors:
        tensor.name = names[int(tensor.name.decode().removeprefix(prefix))].encode()
