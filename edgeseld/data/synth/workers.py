"""Processes that share the work: the order of the results, and every bit of them, is that of one process."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

from edgeseld.data.synth.clips import Mapper

# Wraps an iterable of known length: a progress bar, or nothing.
Track = Callable[[Iterable[Any], int, str], Iterator[Any]]
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def untracked(items: Iterable[Any], total: int, description: str) -> Iterator[Any]:
    """No progress bar."""
    return iter(items)


@contextmanager
def worker_pool(workers: int, track: Track) -> Iterator[Mapper]:
    """A mapper over `workers` processes of one thread each; one worker is this process itself."""
    if workers == 1:
        yield lambda function, items, description: track(map(function, items), len(items), description)
        return
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    executor = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        yield lambda function, items, description: track(executor.map(function, items), len(items), description)
    finally:
        executor.shutdown(cancel_futures=True)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
