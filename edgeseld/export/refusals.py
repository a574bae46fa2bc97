"""What a converter could not do, said in one line: the operator, the layer it stands in, and the way out."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch

from edgeseld.core.errors import BackendMissingError, EdgeseldError, ExportError
from edgeseld.core.manifest import Role
from edgeseld.export.graphs import Graph

# How converters name an operator that they do not know.
OPERATOR = (
    re.compile(r"function for op '([\w.]+)' not implemented"),
    re.compile(r"Unsupported fx node (\w+)"),
    re.compile(r"(?:aten|prims)[.:]+([a-z_0-9]+)"),
)


@contextmanager
def explained(target: str, graphs: Mapping[Role, Graph]) -> Iterator[None]:
    """Turn what a converter raises into ExportError, and a missing library into BackendMissingError.

    Errors of the system, such as a full disk, pass as they are.
    """
    try:
        yield
    except (EdgeseldError, OSError, MemoryError):
        raise
    except ModuleNotFoundError as error:
        raise BackendMissingError(f"exporting to {target}", "export") from error
    except Exception as error:
        raise ExportError(f"{target} cannot take this model: {_reason(str(error), graphs)}") from error


def _reason(message: str, graphs: Mapping[Role, Graph]) -> str:
    operator = next((match.group(1) for pattern in OPERATOR if (match := pattern.search(message))), None)
    if operator is None:
        lines = [line.strip() for line in message.splitlines() if line.strip()]
        return f"{lines[0][:200] if lines else 'its converter failed without a word'}; choose another target"
    layer = layer_of(operator, graphs)
    return (
        f"it does not know the operator {operator}{f' of {layer}' if layer else ''}: write that layer with other "
        "operators (docs/adding_a_target.md says which all targets take), or choose another target"
    )


def layer_of(operator: str, graphs: Mapping[Role, Graph]) -> str | None:
    """The module of the network in which an operator stands first."""
    name = operator.removesuffix(".default").rpartition(".")[2] or operator
    nodes = [
        node for graph in graphs.values() for node in torch.export.export(graph.module, graph.examples).graph.nodes
    ]
    # A converter may know special_zeta as zeta.
    for spelling in (rf"\.{name}\.", rf"_{name}\."):
        for node in nodes:
            if re.search(spelling, f".{node.target}."):
                places = [place for place, _ in node.meta.get("nn_module_stack", {}).values()]
                return places[-1] if places else None
    return None
