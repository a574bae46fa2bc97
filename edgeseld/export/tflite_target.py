"""TFLite through litert-torch: one file per graph, static shapes, built-in operators only."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgeseld.core.manifest import Role
from edgeseld.export.graphs import Graph
from edgeseld.export.recipe import ExportRecipe

# Tensors are named after the torch modules they came from; everything but the frontend is quantised.
NETWORK_TENSORS = r"^(?!.*[Ff]rontend).*(convolution|conformer|attention|Projection|heads|recurrent|Linear).*"
SIGNATURE = "serving_default"


def export_tflite(
    graphs: Mapping[Role, Graph], recipe: ExportRecipe, folder: Path
) -> dict[Role, tuple[str, str | None]]:
    """Write the graphs into `folder`; file name and signature by role.

    Several signatures in one file would share their weights, but LiteRT runs such files a third slower.
    """
    return {role: (_export(role, graph, recipe, folder), SIGNATURE) for role, graph in graphs.items()}


def _export(role: Role, graph: Graph, recipe: ExportRecipe, folder: Path) -> str:
    import litert_torch

    path = folder / f"{role}.tflite"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        litert_torch.convert(graph.module, graph.examples).export(str(path))
    if recipe.precision == "int8-dynamic" and role != "frontend":
        _quantise_dynamic(path)
    _name_tensors(path, graph)
    return path.name


def _quantise_dynamic(path: Path) -> None:
    """Weights of convolutions and matrix products as int8 per channel, activations quantised as they come."""
    from ai_edge_quantizer import qtyping, quantizer

    quantiser = quantizer.Quantizer(str(path))
    everything = qtyping.TFLOperationName.ALL_SUPPORTED
    quantiser.add_dynamic_config(regex=NETWORK_TENSORS, operation_name=everything, num_bits=8)
    result = quantiser.quantize()
    path.unlink()
    result.export_model(str(path))


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
