"""Dynamic batching: windows of different requests that come at the same time run as one batch."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np

from edgeseld.cloud.admission import check_deadline
from edgeseld.core.manifest import Role
from edgeseld.core.prediction import Float32
from edgeseld.runtime.backends import Backend

# Graphs whose every input has the batch as its first axis; masks of the head have samples there.
JOINED: frozenset[Role] = frozenset({"full", "frontend", "encoder"})


class PatientBackend:
    """A backend that stops at the deadline of the request it works for."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def run(self, role: Role, inputs: Sequence[Float32]) -> list[Float32]:
        """Outputs of a graph; Late after the deadline."""
        check_deadline()
        return self.backend.run(role, inputs)


@dataclass(frozen=True, slots=True)
class _Call:
    role: Role
    inputs: Sequence[Float32]
    answer: "Future[list[Float32]]" = field(default_factory=Future)

    @property
    def kind(self) -> tuple[object, ...]:
        """What calls of one batch share."""
        return self.role, *(array.shape[1:] for array in self.inputs)


class JoiningBackend:
    """A backend whose graphs take any batch; calls of several threads are joined along the first axis."""

    def __init__(
        self, backend: Backend, most_windows: int, wait_s: float, observe: Callable[[int], object] = lambda size: None
    ) -> None:
        """`observe` is told the size of every batch."""
        self.backend, self.most_windows, self.wait_s, self.observe = backend, most_windows, wait_s, observe
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="join", daemon=True)
        self._thread.start()

    def run(self, role: Role, inputs: Sequence[Float32]) -> list[Float32]:
        """Outputs of a graph for these inputs alone."""
        check_deadline()
        if role not in JOINED:
            return self.backend.run(role, inputs)
        call = _Call(role, inputs)
        self._calls.put(call)
        return call.answer.result()

    def close(self) -> None:
        """Finish what was asked, then stop."""
        self._calls.put(None)
        self._thread.join()

    def _serve(self) -> None:
        held: _Call | None = None
        while True:
            first = held or self._calls.get()
            if first is None:
                return
            calls, held = self._gather(first)
            self._answer(calls)

    def _gather(self, first: _Call) -> tuple[list[_Call], _Call | None]:
        """Calls like the first that come while it waits, and another one that came between them."""
        calls, windows, end = [first], len(first.inputs[0]), time.monotonic() + self.wait_s
        while windows < self.most_windows:
            try:
                following = self._calls.get(timeout=max(end - time.monotonic(), 0.0))
            except queue.Empty:
                break
            if following is None:
                self._calls.put(None)
                break
            if following.kind != first.kind:
                return calls, following
            calls.append(following)
            windows += len(following.inputs[0])
        return calls, None

    def _answer(self, calls: Sequence[_Call]) -> None:
        sizes = [len(call.inputs[0]) for call in calls]
        self.observe(sum(sizes))
        try:
            joined = [np.concatenate(arrays) for arrays in zip(*(call.inputs for call in calls), strict=True)]
            outputs = self.backend.run(calls[0].role, joined)
        except Exception as error:
            for call in calls:
                call.answer.set_exception(error)
            return
        ends = np.cumsum(sizes)
        for call, end, size in zip(calls, ends.tolist(), sizes, strict=True):
            call.answer.set_result([output[end - size : end] for output in outputs])
