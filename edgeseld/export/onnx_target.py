"""ONNX: one file per graph, large weights shared between them in `weights.bin`."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from onnx import TensorProto, numpy_helper
from onnx.external_data_helper import set_external_data

from edgeseld.core.manifest import Role
from edgeseld.export.behind_frontend import half
from edgeseld.export.graphs import Graph
from edgeseld.export.onnx_quantisation import quantised
from edgeseld.export.quiet import quiet
from edgeseld.export.recipe import ExportRecipe
from edgeseld.export.representative import Runs
from edgeseld.runtime.bundle import SHARED_WEIGHTS_FILE

# Smaller tensors stay inside the graph: shapes and scalars that optimisers want to see.
SHARED_FROM_BYTES = 1_024
ALIGNMENT = 64


def export_onnx(
    graphs: Mapping[Role, Graph], recipe: ExportRecipe, folder: Path, runs: Runs
) -> dict[Role, tuple[str, str | None]]:
    """Write the graphs into `folder`; file name and entry point by role."""
    models = {role: _convert(graph, half_inside=_is_half(role, recipe)) for role, graph in graphs.items()}
    for role in models:
        if role != "frontend" and recipe.precision.startswith("int8"):
            models[role] = quantised(models[role], recipe, runs.get(role, []))
    for model in models.values():
        _strip(model)
    _share_weights(models, folder / SHARED_WEIGHTS_FILE)
    for role, model in models.items():
        (folder / f"{role}.onnx").write_bytes(model.SerializeToString(deterministic=True))
    return {role: (f"{role}.onnx", None) for role in models}


def _is_half(role: Role, recipe: ExportRecipe) -> bool:
    return recipe.precision == "fp16" and role != "frontend"


def _convert(graph: Graph, *, half_inside: bool) -> onnx.ModelProto:
    """The graph through torch.export."""
    with quiet():
        program = torch.onnx.export(
            half(graph) if half_inside else graph.module,
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
    # numpy's ascontiguousarray would make vectors of scalars, which onnxruntime refuses as scales.
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor), tensor.name))
    return tensor.raw_data
