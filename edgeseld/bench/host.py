"""`edgeseld bench --device host`: every bundle in a process of its own, all of them in turn, round after round.

A noisy neighbour then hits all alike: ratios within one run mean something even where milliseconds do not.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseld.bench.rounds import WARM_UP_ROUNDS, Progress, Ratio, Stage, ratio, stage
from edgeseld.core.errors import EdgeseldError
from edgeseld.core.structs import Frozen


class BenchError(EdgeseldError):
    """A measurement could not be made."""


class Timing(Frozen, frozen=True, kw_only=True):
    """One bundle with one number of threads: PCM of one window to events."""

    name: str
    threads: int
    rounds: int
    window_s: float
    load_ms: float
    first_ms: float
    total: Stage
    graph: Stage
    frontend: Stage | None
    real_time_factor: float
    memory_bytes: int
    ratio: Ratio


class Machine(Frozen, frozen=True, kw_only=True):
    """What the figures were measured on."""

    processor: str
    cores: int
    system: str
    python: str


class BenchReport(Frozen, frozen=True, kw_only=True):
    """All timings of one run; ratios are to the first one."""

    machine: Machine
    timings: tuple[Timing, ...]


def bench_host(bundles: Sequence[Path], threads: Sequence[int], rounds: int, progress: Progress) -> BenchReport:
    """Time bundles side by side; BenchError where a process dies, with its last words."""
    with ExitStack() as stack:
        workers = [stack.enter_context(_worker(path, count)) for count in threads for path in bundles]
        ready = [worker.read() for worker in workers]
        samples: list[list[dict[str, float]]] = [[] for _ in workers]
        for number in progress(range(WARM_UP_ROUNDS + rounds), WARM_UP_ROUNDS + rounds, "rounds"):
            for index, worker in enumerate(workers):
                answer = worker.ask("run")
                if number >= WARM_UP_ROUNDS:
                    samples[index].append(answer)
        memory = [int(worker.ask("quit")["memory_bytes"]) for worker in workers]
        timings = [
            _timing(worker, start, sample, samples[0], held)
            for worker, start, sample, held in zip(workers, ready, samples, memory, strict=True)
        ]
    return BenchReport(machine=this_machine(), timings=tuple(timings))


class _Worker:
    """A child process and its pipes."""

    def __init__(self, path: Path, threads: int, process: "subprocess.Popen[str]") -> None:
        self.path, self.threads, self.process = path, threads, process

    def ask(self, request: str) -> dict[str, Any]:
        """Send one request and wait for its answer."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(request + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self._dead() from None
        return self.read()

    def read(self) -> dict[str, Any]:
        """The next answer."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise self._dead()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _dead(self) -> BenchError:
        assert self.process.stderr is not None
        words = self.process.stderr.read().strip().splitlines()
        return BenchError(f"the process that ran {self.path.name} ended: {words[-1] if words else 'no message'}")


@contextmanager
def _worker(path: Path, threads: int) -> Iterator[_Worker]:
    """A process with single-threaded libraries apart from the runtime's own threads."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "edgeseld.bench.worker", str(path), str(threads)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield _Worker(path, threads, process)
        finally:
            process.kill()


def _timing(
    worker: _Worker,
    ready: dict[str, Any],
    samples: list[dict[str, float]],
    baseline: list[dict[str, float]],
    memory: int,
) -> Timing:
    total = stage(_column(samples, "total_s"))
    return Timing(
        name=worker.path.name.removesuffix(".zip").removesuffix(".seld"),
        threads=worker.threads,
        rounds=len(samples),
        window_s=ready["window_s"],
        load_ms=1e3 * ready["load_s"],
        first_ms=1e3 * ready["first_s"],
        total=total,
        graph=stage(_column(samples, "graph_s" if "graph_s" in samples[0] else "total_s")),
        frontend=stage(_column(samples, "frontend_s")) if "frontend_s" in samples[0] else None,
        real_time_factor=total.median_ms / 1e3 / ready["window_s"],
        memory_bytes=memory,
        ratio=ratio(_column(samples, "total_s"), _column(baseline, "total_s")),
    )


def _column(samples: list[dict[str, float]], name: str) -> NDArray[np.float64]:
    return np.array([sample[name] for sample in samples])


def this_machine() -> Machine:
    """Processor, cores, system and Python of this machine."""
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
