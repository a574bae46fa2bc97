"""`edgeseld bench --device host`: every bundle in a process of its own, all of them in turn, round after round.

A noisy neighbour then hits all alike: ratios within one run mean something even where milliseconds do not.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from edgeseld.core.errors import EdgeseldError
from edgeseld.core.structs import Frozen

Progress = Callable[[Iterable[int], int, str], Iterable[int]]
WARM_UP_ROUNDS = 3
RESAMPLES = 1000


class BenchError(EdgeseldError):
    """A measurement could not be made."""


class Stage(Frozen, frozen=True, kw_only=True):
    """Milliseconds over the rounds."""

    median_ms: float
    p90_ms: float
    min_ms: float
    max_ms: float


class Ratio(Frozen, frozen=True, kw_only=True):
    """Time over that of the baseline, the median of the rounds' own ratios, with a 95 % bootstrap interval."""

    value: float
    low: float
    high: float


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
    total = _stage(samples, "total_s")
    return Timing(
        name=worker.path.name.removesuffix(".zip").removesuffix(".seld"),
        threads=worker.threads,
        rounds=len(samples),
        window_s=ready["window_s"],
        load_ms=1e3 * ready["load_s"],
        first_ms=1e3 * ready["first_s"],
        total=total,
        graph=_stage(samples, "graph_s" if "graph_s" in samples[0] else "total_s"),
        frontend=_stage(samples, "frontend_s") if "frontend_s" in samples[0] else None,
        real_time_factor=total.median_ms / 1e3 / ready["window_s"],
        memory_bytes=memory,
        ratio=_ratio(samples, baseline),
    )


def _stage(samples: list[dict[str, float]], name: str) -> Stage:
    values = 1e3 * np.array([sample[name] for sample in samples])
    median, p90 = np.quantile(values, [0.5, 0.9])
    return Stage(median_ms=float(median), p90_ms=float(p90), min_ms=float(values.min()), max_ms=float(values.max()))


def _ratio(samples: list[dict[str, float]], baseline: list[dict[str, float]]) -> Ratio:
    ratios = np.array([a["total_s"] / b["total_s"] for a, b in zip(samples, baseline, strict=True)])
    drawn = np.random.default_rng(0).choice(ratios, (RESAMPLES, len(ratios)))
    low, high = np.quantile(np.median(drawn, axis=1), [0.025, 0.975])
    return Ratio(value=float(np.median(ratios)), low=float(low), high=float(high))


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
