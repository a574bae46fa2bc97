"""ExecuTorch: one `.pte` whose methods are the graphs and share their weights, delegated to XNNPACK."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import XNNPACKQuantizer, get_symmetric_quantization_config
from executorch.exir import EdgeCompileConfig, to_edge_transform_and_lower
from torch import Tensor, fx, nn
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
from torchao.quantization.pt2e.quantizer import ComposableQuantizer

from edgeseld.core.manifest import Role
from edgeseld.export.behind_frontend import BehindFrontend, half, split
from edgeseld.export.graphs import Graph
from edgeseld.export.quiet import quiet
from edgeseld.export.recipe import ExportRecipe
from edgeseld.export.representative import Inputs, Runs

FILE = "model.pte"
# Its checks of every graph in between cost a twentieth of the conversion; what comes out is run and compared anyway.
UNCHECKED = EdgeCompileConfig(_check_ir_validity=False)
# Parts whose values stay int8 between operations in static int8.
STATIC_PARTS = ("network.stem.", "network.stages.")
PADS = (torch.ops.aten.pad.default, torch.ops.aten.constant_pad_nd.default)
QUANTISE = torch.ops.quantized_decomposed.quantize_per_tensor.default
DEQUANTISE = torch.ops.quantized_decomposed.dequantize_per_tensor.default


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
        edge = to_edge_transform_and_lower(programs, partitioner=partitioners, compile_config=UNCHECKED)
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
    """int8 by torch's PT2E: weights, and what goes in as it comes; static int8 keeps the stages in integers."""
    kept = tuple(f"network.{layer}." for layer in recipe.float_layers)
    static = STATIC_PARTS if recipe.precision == "int8" else ()
    quantisers = [_quantiser(lambda module: not module.startswith((*static, *kept)), dynamic=True)]
    if static:
        within = _quantiser(lambda module: module.startswith(static) and not module.startswith(kept), dynamic=False)
        quantisers.insert(0, within)
    prepared = prepare_pt2e(torch.export.export(rest, samples[0]).module(), ComposableQuantizer(quantisers))
    for sample in samples:
        prepared(*sample)
    converted: Any = convert_pt2e(prepared)
    _pad_at_one_scale(converted.graph)
    converted.recompile()
    return cast("nn.Module", converted)


def _quantiser(wanted: Callable[[str], bool], *, dynamic: bool) -> XNNPACKQuantizer:
    """int8 for operations of wanted modules; XNNPACK's own choice by module leaves out those that have weights."""
    quantiser = XNNPACKQuantizer().set_global(
        get_symmetric_quantization_config(is_per_channel=True, is_dynamic=dynamic)
    )
    # Its pattern of joined values asks no filter, and would take the keys and values of every attention.
    quantiser.SUPPORTED_PATTERNS = [pattern for pattern in quantiser.SUPPORTED_PATTERNS if pattern.name != "cat"]
    return quantiser.set_filter_function(lambda node: not _module(node) or wanted(_module(node)))


def _module(node: Any) -> str:
    """The module that a node came from, such as `network.stages.0.`; weights and constants have none."""
    places = [place for place, _ in node.meta.get("nn_module_stack", {}).values()]
    return f"{places[-1]}." if places else ""


def _pad_at_one_scale(graph: fx.Graph) -> None:
    """Pad int8 values at one scale: XNNPACK refuses a padding from floats or another scale (load fails with 0x1).

    Where int8 values go in, theirs is taken: both ranges hold zero, which is what is padded, so nothing is cut off.
    """
    for pad in [node for node in graph.nodes if node.target in PADS]:
        quantised = [user for user in pad.users if user.target == QUANTISE]
        if quantised and pad.args[0].target != DEQUANTISE:
            _quantise_before(graph, pad, quantised[0].args[1:])
        for node in quantised:
            for restored in [node, *node.users]:
                restored.args = (restored.args[0], *pad.args[0].args[1:])


def _quantise_before(graph: fx.Graph, node: fx.Node, scale: tuple[Any, ...]) -> None:
    """What goes into a node through int8 of a scale."""
    source = node.args[0]
    with graph.inserting_before(node):
        quantised = graph.call_function(QUANTISE, (source, *scale))
        node.update_arg(0, graph.call_function(DEQUANTISE, (quantised, *scale)))
