"""ExecuTorch: one `.pte` whose methods are the graphs and share their weights, delegated to XNNPACK."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import XNNPACKQuantizer, get_symmetric_quantization_config
from executorch.exir import to_edge_transform_and_lower
from torch import Tensor, nn
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

from edgeseld.core.manifest import Role
from edgeseld.export.behind_frontend import BehindFrontend, half, split
from edgeseld.export.graphs import Graph
from edgeseld.export.quiet import quiet
from edgeseld.export.recipe import ExportRecipe
from edgeseld.export.representative import Inputs, Runs

FILE = "model.pte"


def export_executorch(
    graphs: Mapping[Role, Graph], recipe: ExportRecipe, folder: Path, runs: Runs
) -> dict[Role, tuple[str, str | None]]:
    """Write the graphs into `folder`; file name and method by role."""
    with quiet():
        programs = {
            str(role): torch.export.export(_at_precision(role, graph, recipe, runs.get(role, [])), graph.examples)
            for role, graph in graphs.items()
        }
        partitioners: Any = {role: [XnnpackPartitioner()] for role in programs}
        edge = to_edge_transform_and_lower(programs, partitioner=partitioners)
        (folder / FILE).write_bytes(edge.to_executorch().buffer)
    return {role: (FILE, role) for role in graphs}


def _at_precision(role: Role, graph: Graph, recipe: ExportRecipe, runs: Sequence[Inputs]) -> nn.Module:
    if recipe.precision == "fp32" or role == "frontend":
        return graph.module
    if recipe.precision == "fp16":
        return half(graph)
    frontend, rest = split(graph)
    samples = [(frontend(torch.from_numpy(run[0])), *map(torch.from_numpy, run[1:])) for run in runs]
    return BehindFrontend(frontend, _quantise(rest, samples, recipe))


def _quantise(rest: nn.Module, samples: Sequence[tuple[Tensor, ...]], recipe: ExportRecipe) -> nn.Module:
    """int8 by torch's PT2E: everything that XNNPACK knows, or (dynamic) the matrix products."""
    quantiser = XNNPACKQuantizer()
    dynamic = recipe.precision == "int8-dynamic"
    quantiser.set_global(get_symmetric_quantization_config(is_per_channel=True, is_dynamic=dynamic))
    if recipe.float_layers:
        quantiser.set_filter_function(lambda node: not _lies_in(node, recipe.float_layers))
    prepared = prepare_pt2e(torch.export.export(rest, samples[0]).module(), quantiser)
    for sample in samples[: 1 if dynamic else None]:
        prepared(*sample)
    converted: nn.Module = convert_pt2e(prepared)
    return converted


def _lies_in(node: Any, layers: tuple[str, ...]) -> bool:
    """Whether a node came from one of the named modules of the network."""
    modules = [place for place, _ in node.meta.get("nn_module_stack", {}).values()]
    return any(f"{place}.".find(f"network.{layer}.") >= 0 for place in modules for layer in layers)
