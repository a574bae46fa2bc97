"""What an exported graph is made of: its operators, and which of them a delegate runs."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgeseld.core.errors import BackendMissingError, ExportError
from edgeseld.core.manifest import GraphSpec, Role, Target
from edgeseld.runtime.bundle import Bundle


@dataclass(frozen=True, slots=True)
class Operators:
    """Counts by name: in the delegate (where the target has one) and outside it; and the number of delegate calls."""

    delegated: Mapping[str, int] = field(default_factory=dict)
    outside: Mapping[str, int] = field(default_factory=dict)
    delegate_calls: int = 0


def graph_operators(bundle: Bundle) -> dict[Role, Operators]:
    """Operators of every graph; BackendMissingError names the extra that reads the files of this target."""
    read = READERS[bundle.manifest.target]
    try:
        return {role: read(bundle.folder / graph.file, graph) for role, graph in bundle.manifest.graphs.items()}
    except ModuleNotFoundError as error:
        raise BackendMissingError(f"reading the operators of {bundle.manifest.target} files", "export") from error


def require_budget(operators: Mapping[Role, Operators], allowed: tuple[str, ...], name: str) -> None:
    """ExportError where operators other than the allowed ones fall off the delegate."""
    for role, found in operators.items():
        strangers = sorted(set(found.outside) - set(allowed))
        if strangers:
            raise ExportError(
                f"{name}: outside the delegate the recipe allows {', '.join(allowed) or 'nothing'}, the graph {role!r} "
                f"has {', '.join(strangers)}: change the layer, or allow them in the recipe (outside_delegate)"
            )


def _onnx(path: Path, graph: GraphSpec) -> Operators:
    """onnxruntime runs everything itself."""
    import onnx

    nodes = onnx.load(path, load_external_data=False).graph.node
    return Operators(outside=dict(Counter(node.op_type for node in nodes).most_common()))


def _tflite(path: Path, graph: GraphSpec) -> Operators:
    """What still has to run once XNNPACK has taken its part, found from the outputs backwards."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    nodes = interpreter._get_ops_details()
    # Delegates stand last in the list and give the tensors of the operators they replaced.
    makers = {tensor: node for node in nodes for tensor in node["outputs"]}
    needed = [detail["index"] for detail in interpreter.get_output_details()]
    running: dict[int, str] = {}
    while needed:
        node = makers.get(needed.pop())
        if node is not None and node["index"] not in running:
            running[node["index"]] = node["op_name"]
            needed += list(node["inputs"])
    outside = Counter(running.values())
    calls = outside.pop("DELEGATE", 0)
    every = Counter(node["op_name"] for node in nodes if node["op_name"] != "DELEGATE")
    return Operators(dict((every - outside).most_common()), dict(outside.most_common()), calls)


def _executorch(path: Path, graph: GraphSpec) -> Operators:
    """Calls of delegates, and kernels of the portable library."""
    from executorch.exir._serialize._program import deserialize_pte_binary
    from executorch.exir.schema import DelegateCall, KernelCall

    program: Any = deserialize_pte_binary(path.read_bytes())
    plans = getattr(program, "program", program).execution_plan
    plan = next(plan for plan in plans if plan.name == graph.entry)
    outside: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    for chain in plan.chains:
        for instruction in chain.instructions:
            arguments = instruction.instr_args
            if isinstance(arguments, DelegateCall):
                calls[plan.delegates[arguments.delegate_index].id] += 1
            elif isinstance(arguments, KernelCall):
                outside[plan.operators[arguments.op_index].name] += 1
    return Operators(dict(calls), dict(outside.most_common()), calls.total())


def _coreml(path: Path, graph: GraphSpec) -> Operators:
    """Core ML decides on the device what runs where."""
    from edgeseld.runtime.backends.mil.program import read_program

    kinds = Counter(operation.kind for operation in read_program(path).operations if operation.kind != "const")
    return Operators(outside=dict(kinds.most_common()))


READERS: Mapping[Target, Callable[[Path, GraphSpec], Operators]] = {
    "onnx": _onnx,
    "tflite": _tflite,
    "executorch": _executorch,
    "coreml": _coreml,
}
