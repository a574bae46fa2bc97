"""What `edgeseld inspect` says of a bundle."""

from typing import Any

from edgeseld.bench.facts import bundle_facts
from edgeseld.cli.terminal import print_table
from edgeseld.core.errors import BackendMissingError
from edgeseld.core.manifest import GraphSpec, Manifest, Role
from edgeseld.core.structs import Frozen
from edgeseld.runtime.bundle import Bundle, graph_bytes

BYTES = {"float32": 4, "int8": 1, "uint8": 1}


class GraphFacts(Frozen, frozen=True, kw_only=True):
    """One graph: its file's size, what its inputs and outputs take, and its operators where they were asked for."""

    file_bytes: int
    tensor_bytes: int
    delegate_calls: int | None = None
    delegated: dict[str, int] | None = None
    outside: dict[str, int] | None = None


class Description(Frozen, frozen=True, kw_only=True):
    """A bundle. MACs are those of one window, frontend included, where the model is known here."""

    manifest: Manifest
    macs_per_window: float | None
    graphs: dict[Role, GraphFacts]


def describe(bundle: Bundle, *, operators: bool) -> Description:
    """BackendMissingError where operators are asked for and the exporters are not installed."""
    found = _operators(bundle) if operators else {}
    graphs = {
        role: GraphFacts(
            file_bytes=graph_bytes(bundle, role),
            tensor_bytes=tensor_bytes(graph),
            **({} if role not in found else _counts(found[role])),
        )
        for role, graph in bundle.manifest.graphs.items()
    }
    return Description(manifest=bundle.manifest, macs_per_window=bundle_facts(bundle).macs_per_window, graphs=graphs)


def tensor_bytes(graph: GraphSpec) -> int:
    """What the inputs and outputs of a graph take."""
    total = 0
    for tensor in (*graph.inputs, *graph.outputs):
        count = BYTES[tensor.dtype]
        for size in tensor.shape:
            count *= size
        total += count
    return total


def _operators(bundle: Bundle) -> dict[Role, Any]:
    try:
        from edgeseld.export.operators import graph_operators
    except ModuleNotFoundError as error:
        raise BackendMissingError("reading operators", "export") from error
    return graph_operators(bundle)


def _counts(found: Any) -> dict[str, Any]:
    return {
        "delegate_calls": found.delegate_calls,
        "delegated": dict(found.delegated),
        "outside": dict(found.outside),
    }


def print_description(description: Description) -> None:
    """Facts, tensors and operators as tables."""
    manifest, signal = description.manifest, description.manifest.signal
    macs = "unknown here" if description.macs_per_window is None else f"{description.macs_per_window / 1e6:.0f} million"
    facts = [
        ["model", f"{manifest.id} {manifest.version}, {manifest.description}"],
        ["target", f"{manifest.target}, {manifest.precision}, {'verified' if manifest.verified else 'NOT VERIFIED'}"],
        ["hears", f"{signal.channel_format}, {signal.sample_rate_hz} Hz, windows of {signal.window_pcm_samples} "
         f"samples after {manifest.context_samples} of context"],
        ["answers", f"{manifest.output_format}, {len(manifest.classes)} classes: {', '.join(manifest.classes)}"],
        ["costs", f"{macs} multiply-accumulates per window"],
        ["licence", manifest.licence],
        ["made with", ", ".join(f"{name} {version}" for name, version in manifest.provenance.tools.items())],
    ]  # fmt: skip
    print_table(manifest.name, ["what", ""], facts)
    tensors = [
        [role, graph.file, kind, tensor.name, "x".join(map(str, tensor.shape)), tensor.dtype]
        for role, graph in manifest.graphs.items()
        for kind, listed in (("in", graph.inputs), ("out", graph.outputs))
        for tensor in listed
    ]
    print_table("graphs", ["graph", "file", "", "tensor", "shape", "type"], tensors)
    sizes = [[role, _megabytes(g.file_bytes), _megabytes(g.tensor_bytes)] for role, g in description.graphs.items()]
    print_table("memory", ["graph", "file MB", "inputs and outputs MB"], sizes)
    operators = [
        [role, place, _listed(counts), str(sum(counts.values()))]
        for role, graph in description.graphs.items()
        for place, counts in (("delegate", graph.delegated), ("outside", graph.outside))
        if counts
    ]
    if operators:
        print_table("operators", ["graph", "runs in", "which", "count"], operators)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.2f}"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
