"""Which layers int8 hurts most: each is quantised alone, in torch, and the change of the outputs measured."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from edgeseld.core.manifest import Role
from edgeseld.export.graphs import Graph
from edgeseld.export.representative import Runs
from edgeseld.nn.convolution import TimeConv

LEVELS = 255


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """A layer of the network and the mean absolute change of the raw outputs when it alone is in int8."""

    layer: str
    change: float


def sensitivities(graphs: Mapping[Role, Graph], runs: Runs) -> list[Sensitivity]:
    """Convolutions and matrix products behind the frontend, the most sensitive first."""
    network: Any = graphs["full"].module.network
    inputs = [tuple(map(torch.from_numpy, run)) for run in runs["full"]]
    with torch.no_grad():
        expected = [graphs["full"].module(*run)[0] for run in inputs]
        found = []
        for name, layer, weights in layers_with_weights(network):
            with _in_int8(layer, weights):
                heard = [graphs["full"].module(*run)[0] for run in inputs]
            changes = [float((ours - theirs).abs().mean()) for ours, theirs in zip(heard, expected, strict=True)]
            found.append(Sensitivity(name, sum(changes) / len(changes)))
    return sorted(found, key=lambda one: -one.change)


def layers_with_weights(network: nn.Module) -> Iterator[tuple[str, nn.Module, nn.Module]]:
    """Name, the module that is called, and the one that holds the weights; 2-D convolutions lie inside a TimeConv."""
    for name, module in network.named_modules():
        if name.startswith("frontend"):
            continue
        if isinstance(module, TimeConv):
            yield name, module, module.conv
        elif isinstance(module, nn.Conv1d | nn.Linear):
            yield name, module, module


@contextmanager
def _in_int8(layer: nn.Module, holder: Any) -> Iterator[None]:
    """Weights rounded per output channel; what goes in, per tensor, as static quantisation does with known ranges."""
    weight = holder.weight.data
    peaks = weight.abs().amax(dim=tuple(range(1, weight.dim())), keepdim=True).clamp(min=1e-12)
    holder.weight.data = torch.round(weight / peaks * 127) * peaks / 127
    hook = layer.register_forward_pre_hook(lambda module, inputs: (_rounded(inputs[0]), *inputs[1:]))
    try:
        yield
    finally:
        hook.remove()
        holder.weight.data = weight


def _rounded(x: Tensor) -> Tensor:
    """A tensor through 256 levels between its extremes and zero."""
    low, high = min(float(x.min()), 0.0), max(float(x.max()), 0.0)
    step = max(high - low, 1e-12) / LEVELS
    return torch.round(x / step) * step
