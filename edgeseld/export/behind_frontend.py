"""Graphs whose frontend stays float32 while the rest is at another precision."""

import copy
from typing import Any

from torch import Tensor, nn

from edgeseld.export.graphs import Graph


class BehindFrontend(nn.Module):
    """A float32 frontend, and the rest of a graph."""

    def __init__(self, frontend: nn.Module, rest: nn.Module) -> None:
        super().__init__()
        self.frontend, self.rest = frontend, rest

    def forward(self, first: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        """The graph's inputs to its outputs."""
        return tuple(self.rest(self.frontend(first), *others))


class Half(nn.Module):
    """A network in float16 between float32 edges."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.half()

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """float32 to float32."""
        return tuple(output.float() for output in self.network(*(tensor.half() for tensor in inputs)))


def split(graph: Graph) -> tuple[nn.Module, nn.Module]:
    """The frontend, or nothing where a graph does not begin with it, and a copy of the graph without it."""
    rest = copy.deepcopy(graph.module)
    if graph.inputs[0].name != "pcm":
        return nn.Identity(), rest
    network: Any = rest.network
    frontend = network.frontend
    network.frontend = nn.Identity()
    return frontend, rest


def half(graph: Graph) -> nn.Module:
    """The graph in float16 behind its frontend, where powers of a full-scale tone do not fit into float16."""
    frontend, rest = split(graph)
    return BehindFrontend(frontend, Half(rest)).eval()
