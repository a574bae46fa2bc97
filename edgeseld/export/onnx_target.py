"""ONNX: one file per graph, large weights shared between them in `weights.bin`."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, numpy_helper
from onnx.external_data_helper import set_external_data

from edgeseld.core.manifest import Role
from edgeseld.export.graphs import Graph
from edgeseld.export.recipe import ExportRecipe

WEIGHTS_FILE = "weights.bin"
# Smaller tensors stay inside the graph: shapes and scalars that optimisers want to see.
SHARED_FROM_BYTES = 1_024
ALIGNMENT = 64


def export_onnx(graphs: Mapping[Role, Graph], recipe: ExportRecipe, folder: Path) -> dict[Role, tuple[str, str | None]]:
    """Write the graphs into `folder`; file name and entry point by role."""
    models = {role: _convert(graph) for role, graph in graphs.items()}
    if recipe.precision == "int8-dynamic":
        models = {role: _quantise_dynamic(model, folder) for role, model in models.items()}
    for model in models.values():
        _strip(model)
    _share_weights(models, folder / WEIGHTS_FILE)
    for role, model in models.items():
        (folder / f"{role}.onnx").write_bytes(model.SerializeToString(deterministic=True))
    return {role: (f"{role}.onnx", None) for role in models}


def _convert(graph: Graph) -> onnx.ModelProto:
    """The graph through torch.export."""
    program = torch.onnx.export(
        graph.module,
        graph.examples,
        dynamo=True,
        verbose=False,
        input_names=[tensor.name for tensor in graph.inputs],
        output_names=[tensor.name for tensor in graph.outputs],
    )
    assert program is not None
    return program.model_proto


def _strip(model: onnx.ModelProto) -> None:
    """Remove paths and stack traces, so that the same sources give the same bytes."""
    graph = model.graph
    for item in [*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer, graph, model]:
        item.ClearField("doc_string")
        item.ClearField("metadata_props")


def _share_weights(models: Mapping[Role, onnx.ModelProto], path: Path) -> None:
    """Move large tensors into one file, each content once."""
    content = bytearray()
    places: dict[bytes, int] = {}
    for model in models.values():
        for tensor in model.graph.initializer:
            data = _raw_bytes(tensor)
            if len(data) < SHARED_FROM_BYTES:
                continue
            digest = hashlib.sha256(data).digest()
            if digest not in places:
                content.extend(bytes(-len(content) % ALIGNMENT))
                places[digest] = len(content)
                content.extend(data)
            tensor.raw_data = b""
            set_external_data(tensor, path.name, places[digest], len(data))
            tensor.ClearField("raw_data")
            tensor.data_location = TensorProto.EXTERNAL
    path.write_bytes(content)


def _raw_bytes(tensor: TensorProto) -> bytes:
    """Little-endian content of a tensor, however it is held."""
    array = np.ascontiguousarray(numpy_helper.to_array(tensor))
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    return tensor.raw_data


def _quantise_dynamic(model: onnx.ModelProto, folder: Path) -> onnx.ModelProto:
    """Weights of matrix products as int8, activations quantised as they come; convolutions and the frontend stay float.

    onnxruntime's ConvInteger is slower than float convolution.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    source, target = folder / "float.onnx", folder / "quantised.onnx"
    onnx.save(model, source)
    try:
        quantize_dynamic(
            source,
            target,
            op_types_to_quantize=["MatMul", "Gemm"],
            weight_type=QuantType.QInt8,
            per_channel=True,
            nodes_to_exclude=frontend_nodes(model),
        )
        return onnx.load(target)
    finally:
        source.unlink(missing_ok=True)
        target.unlink(missing_ok=True)


def frontend_nodes(model: onnx.ModelProto) -> list[str]:
    """Nodes that came from the module `frontend`; they stay float32 at every precision."""
    return [node.name for node in model.graph.node if ".frontend" in _scope(node)]


def _scope(node: onnx.NodeProto) -> str:
    scopes: dict[str, str] = {item.key: item.value for item in node.metadata_props}
    return "." + scopes.get("pkg.torch.onnx.name_scopes", "").replace("'", ".")
