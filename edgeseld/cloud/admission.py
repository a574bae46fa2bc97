"""A bounded queue before a few workers: who finds it full is sent away at once and told when to come back."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar, copy_context
from typing import TypeVar

from edgeseld.cloud.limits import Limits
from edgeseld.cloud.refusals import Refusal

T = TypeVar("T")
# When the request that this thread works on is too late (time.monotonic), looked at between windows.
DEADLINE: ContextVar[float] = ContextVar("deadline", default=math.inf)
# Weight of the newest request in the mean that Retry-After rests on.
NEWEST = 0.2


class Late(Exception):
    """The deadline has passed; nobody waits for the answer."""


def check_deadline() -> None:
    """Late where the request of this thread has run out of time."""
    if time.monotonic() > DEADLINE.get():
        raise Late


class Admission:
    """Counts who is inside, runs work in threads, and ends what takes too long."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.inside = self.at_work = 0
        self.mean_s = 0.0
        self._threads = ThreadPoolExecutor(limits.running, thread_name_prefix="hear")
        self._free = asyncio.Semaphore(limits.running)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place inside, from before the body is read; Refusal 429 where all are taken."""
        if self.inside >= self.limits.running + self.limits.waiting:
            raise Refusal(429, "the queue is full: send it again after Retry-After seconds", self.retry_after_s)
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    @property
    def retry_after_s(self) -> int:
        """Time in which the queue empties, from the mean of past requests."""
        return max(1, math.ceil(self.mean_s * self.inside / self.limits.running))

    async def work(self, job: Callable[[], T]) -> T:
        """The job's result from a thread; Refusal 503 after `timeout_s`, waiting included."""
        deadline = time.monotonic() + self.limits.timeout_s
        try:
            async with asyncio.timeout(self.limits.timeout_s):
                await self._free.acquire()
        except TimeoutError:
            raise self._late() from None
        started = time.monotonic()
        self.at_work += 1
        task = asyncio.get_running_loop().run_in_executor(self._threads, _within(deadline, job))
        task.add_done_callback(lambda done: self._done(done, started))
        try:
            # A thread cannot be stopped from outside: it sees the deadline at its next window, and keeps its place.
            return await asyncio.wait_for(asyncio.shield(task), max(deadline - time.monotonic(), 0.0))
        except (TimeoutError, Late):
            raise self._late() from None

    async def close(self) -> None:
        """Wait for the work that has begun."""
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.to_thread(self._threads.shutdown), self.limits.timeout_s)

    def _done(self, task: "asyncio.Future[T]", started: float) -> None:
        # Nobody may be left to look at it, and asyncio complains of errors that nobody saw.
        task.exception()
        self.at_work -= 1
        self._free.release()
        spent_s = time.monotonic() - started
        self.mean_s = spent_s if self.mean_s == 0.0 else self.mean_s + NEWEST * (spent_s - self.mean_s)

    def _late(self) -> Refusal:
        message = f"no answer within {self.limits.timeout_s:g} s: send less audio, fewer samples or shifts, or later"
        return Refusal(503, message, self.retry_after_s)


def _within(deadline: float, job: Callable[[], T]) -> Callable[[], T]:
    """The job in a context that knows its deadline."""

    def run() -> T:
        DEADLINE.set(deadline)
        check_deadline()
        return job()

    return lambda: copy_context().run(run)
