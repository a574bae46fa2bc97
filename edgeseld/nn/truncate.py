"""An early exit as a network of its own: what lies behind it is cut away."""

import copy

from torch import nn

from edgeseld.core.errors import ExportError
from edgeseld.nn.network import SeldNetwork


def truncated(network: SeldNetwork, exit_name: str) -> SeldNetwork:
    """A copy that ends in the given exit; ExportError names the exits there are."""
    if exit_name not in network.exits:
        there = ", ".join(network.exits) or "none"
        raise ExportError(f"{network.spec.id} has the exits {there}, got {exit_name!r}: choose one of them")
    result = copy.deepcopy(network)
    result.active_exit = exit_name
    kind, number = exit_name.split("-")
    if kind == "stage":
        result.stages = result.stages[: int(number)]
        result.projection = nn.Identity()  # type: ignore[assignment]
        result.context = nn.ModuleList()
    else:
        result.context = result.context[: result.lead_blocks + int(number)]
    result.head = nn.Identity()
    result.teaching_heads = nn.ModuleList()
    result.exits = nn.ModuleDict({exit_name: result.exits[exit_name]})
    return result
