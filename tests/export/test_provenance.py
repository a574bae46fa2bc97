"""Histories of nodes are shared while a converter runs, and copied as ever afterwards."""

import copy

import pytest
import torch
from torch import nn
from torch.fx.traceback import NodeSource

from edgeseld.export.provenance import shared_provenance


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
    with shared_provenance():
        assert program.run_decompositions({}).graph_module.code == plain
