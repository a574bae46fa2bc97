"""Converters do once what they repeated, with the same outcome, and as ever afterwards."""

import copy

import pytest
import torch
from torch import nn
from torch._export import utils as export_utils
from torch.fx.traceback import NodeSource

from edgeseld.export.repetition import operators_found_once, shared_provenance, without_repetition


def a_source() -> NodeSource:
    graph = torch.fx.symbolic_trace(nn.ReLU()).graph
    return NodeSource(next(iter(graph.nodes)), "a pass")


def test_a_history_is_shared_and_says_the_same() -> None:
    source = a_source()
    with shared_provenance():
        copied = copy.deepcopy([source, source])
    assert copied[0] is source
    assert copied[1] is source


def test_afterwards_a_history_is_copied_again() -> None:
    source = a_source()
    with pytest.raises(RuntimeError, match="a converter failed"), shared_provenance():
        raise RuntimeError("a converter failed")
    assert copy.deepcopy(source) is not source


def test_a_decomposition_gives_the_same_graph() -> None:
    program = torch.export.export(nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.LayerNorm(4)), (torch.zeros(2, 3),))
    plain = program.run_decompositions({}).graph_module.code
    with without_repetition():
        assert program.run_decompositions({}).graph_module.code == plain


def test_operators_that_are_new_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    monkeypatch.setattr(export_utils, "_materialize_cpp_cia_ops", lambda: found.append(1))
    with operators_found_once():
        export_utils._materialize_cpp_cia_ops()
        export_utils._materialize_cpp_cia_ops()
        assert len(found) == 1
        library = torch.library.Library("edgeseld_test", "DEF")
        library.define("twice(Tensor x) -> Tensor")
        library.impl("twice", lambda x: 2 * x, "CompositeImplicitAutograd")
        export_utils._materialize_cpp_cia_ops()
        assert len(found) == 2
    export_utils._materialize_cpp_cia_ops()
    assert len(found) == 3
