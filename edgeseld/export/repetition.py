"""Work that converters repeat although nothing has changed since, done once; what they write stays the same."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch._export import utils as export_utils
from torch.fx.traceback import NodeSource


@contextmanager
def without_repetition() -> Iterator[None]:
    """All that all targets share, for as long as a converter runs."""
    with shared_provenance(), operators_found_once():
        yield


@contextmanager
def shared_provenance() -> Iterator[None]:
    """Let nodes share the history that torch.fx keeps of them, pass after pass, instead of copying it: it never
    changes, and copies of it, longer with each pass, take a fifth of ExecuTorch's conversion."""
    NodeSource.__deepcopy__ = _itself  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del NodeSource.__deepcopy__  # type: ignore[attr-defined]


def _itself(source: NodeSource, memo: dict[int, Any]) -> NodeSource:
    """What `copy.deepcopy` takes for a copy."""
    memo[id(source)] = source
    return source


@contextmanager
def operators_found_once() -> Iterator[None]:
    """Let torch look up its composite operators when there are new ones, not for every namespace of every
    decomposition: that takes a twentieth of a conversion."""
    look_up, known = export_utils._materialize_cpp_cia_ops, set[str]()

    @functools.wraps(look_up)
    def look_up_new() -> None:
        registered = set(torch._C._dispatch_get_registrations_for_dispatch_key("CompositeImplicitAutograd"))
        if not registered <= known:
            look_up()
            known.update(registered)

    export_utils._materialize_cpp_cia_ops = look_up_new
    try:
        yield
    finally:
        export_utils._materialize_cpp_cia_ops = look_up
