"""`edgeseld bench --device host`: every bundle in a process of its own, all of them in turn, round after round.

A noisy neighbour then hits all alike: ratios within one run mean something even where milliseconds do not.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from edgeseld.bench.facts import Facts, bundle_facts
from edgeseld.bench.machine import installed_versions, this_machine
from edgeseld.bench.report import BenchError, BenchReport, Timing
from edgeseld.bench.rounds import WARM_UP_ROUNDS, Progress, Stage, stage, undisturbed_ratio
from edgeseld.runtime.bundle import open_bundle

Answer = dict[str, float]
# Several threads of a runtime spin for a while after their work, in the way of the next bundle.
REST_S = 0.05


def bench_host(bundles: Sequence[Path], threads: Sequence[int], rounds: int, progress: Progress) -> BenchReport:
    """Time bundles side by side; BundleError for one that is broken, BenchError where a process dies."""
    # Zips are unpacked here once: a process that is killed could not remove a folder of its own.
    opened = [open_bundle(path) for path in bundles]
    subjects = [
        _Subject(bundle.manifest.name, bundle.manifest.id, bundle.folder, count, bundle_facts(bundle))
        for count in threads
        for bundle in opened
    ]
    with ExitStack() as stack:
        workers = [stack.enter_context(_worker(subject)) for subject in subjects]
        ready = [worker.read() for worker in workers]
        samples: list[list[Answer]] = [[] for _ in workers]
        for number in progress(range(WARM_UP_ROUNDS + rounds), WARM_UP_ROUNDS + rounds, "rounds"):
            for worker, kept in zip(workers, samples, strict=True):
                answer = worker.ask()
                if worker.subject.threads > 1:
                    time.sleep(REST_S)
                if number >= WARM_UP_ROUNDS:
                    kept.append(answer)
    timings = tuple(_timing(*one, samples[0]) for one in zip(subjects, ready, samples, strict=True))
    return BenchReport(machine=this_machine(), versions=installed_versions(), timings=timings)


@dataclass(frozen=True, slots=True)
class _Subject:
    """One bundle with one number of threads."""

    name: str
    model: str
    folder: Path
    threads: int
    facts: Facts


@dataclass(frozen=True, slots=True)
class _Worker:
    """A child process; what it says on stderr goes to a file, so that it never waits for a reader."""

    subject: _Subject
    process: "subprocess.Popen[str]"
    words: IO[str]

    def ask(self) -> Answer:
        """Have it run once."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write("run\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            # What could not be sent would be sent again when the pipe is closed.
            with suppress(BrokenPipeError):
                self.process.stdin.close()
            raise self._dead() from None
        return self.read()

    def read(self) -> Answer:
        """The next answer."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise self._dead()
        answer: Answer = json.loads(line)
        return answer

    def _dead(self) -> BenchError:
        code = self.process.wait()
        self.words.seek(0)
        lines = self.words.read().strip().splitlines()
        said = lines[-1] if lines else "no message"
        return BenchError(
            f"the process that ran {self.subject.name} with {self.subject.threads} threads ended with code {code}: "
            f"{said}; leave the bundle out, or run `edgeseld verify` on it"
        )


@contextmanager
def _worker(subject: _Subject) -> Iterator[_Worker]:
    """A process with single-threaded libraries apart from the runtime's own threads."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "edgeseld.bench.worker", str(subject.folder), str(subject.threads)]
    with (
        tempfile.TemporaryFile("w+") as words,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=words, text=True, env=environment
        ) as process,
    ):
        try:
            yield _Worker(subject, process, words)
        finally:
            process.kill()


def _timing(subject: _Subject, ready: Answer, samples: list[Answer], baseline: list[Answer]) -> Timing:
    total, graph = _stage(samples, "total_s"), _stage(samples, "graph_s")
    assert total is not None
    assert graph is not None
    macs = subject.facts.macs_per_window
    return Timing(
        name=subject.name,
        model=subject.model,
        threads=subject.threads,
        rounds=len(samples),
        window_s=ready["window_s"],
        load_ms=1e3 * ready["load_s"],
        first_ms=1e3 * ready["first_s"],
        total=total,
        graph=graph,
        decoding=_stage(samples, "decoding_s"),
        frontend=_stage(samples, "frontend_s"),
        network=_stage(samples, "network_s"),
        real_time_factor=total.median_ms / 1e3 / ready["window_s"],
        macs_per_s=None if macs is None else macs / (graph.median_ms / 1e3),
        memory_bytes=int(ready["memory_bytes"]),
        model_bytes=subject.facts.model_bytes,
        F20=subject.facts.F20,
        ratio=undisturbed_ratio(_column(samples, "total_s"), _column(baseline, "total_s")),
    )


def _stage(samples: list[Answer], name: str) -> Stage | None:
    """None for a stage that the bundle cannot run apart."""
    return stage(_column(samples, name)) if name in samples[0] else None


def _column(samples: list[Answer], name: str) -> NDArray[np.float64]:
    return np.array([sample[name] for sample in samples])
