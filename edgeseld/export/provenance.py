"""torch.fx remembers which node every node came from, pass after pass."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch.fx.traceback import NodeSource


@contextmanager
def shared_provenance() -> Iterator[None]:
    """Let nodes share that history instead of copying it: it never changes, and copies of it, longer with each pass,
    take a fifth of ExecuTorch's conversion."""
    NodeSource.__deepcopy__ = _itself  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del NodeSource.__deepcopy__  # type: ignore[attr-defined]


def _itself(source: NodeSource, memo: dict[int, Any]) -> NodeSource:
    """What `copy.deepcopy` takes for a copy."""
    memo[id(source)] = source
    return source
