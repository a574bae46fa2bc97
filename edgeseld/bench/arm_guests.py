"""How bundles run on the emulated processor: ONNX and TFLite in an aarch64 Python, ExecuTorch in a program of ours."""

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
from safetensors.numpy import load_file

from edgeseld.bench.arm_root import ArmRoot
from edgeseld.bench.arm_worker import Heard, hear
from edgeseld.bench.executorch_runner import open_runner
from edgeseld.bench.report import BenchError
from edgeseld.bench.runner_backend import Call, RunnerBackend
from edgeseld.runtime.bundle import Bundle
from edgeseld.runtime.golden import golden_inputs, read_golden
from edgeseld.runtime.verification import VerificationReport

REPEATABLE = {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
COUNT_FILE = "EDGESELD_COUNT_FILE"


class Guest(Protocol):
    """One bundle on the emulated processor."""

    def hear(self) -> Heard:
        """What it says there to its golden cases."""

    def count(self, windows: int, counted: Path) -> None:
        """Write the instructions of a whole process that hears the golden scene so often."""


def open_guest(root: ArmRoot, bundle: Bundle) -> Guest:
    """The way that the bundle's target runs; BenchError says what is missing for it."""
    if bundle.manifest.target == "executorch":
        return RunnerGuest(root, bundle, open_runner())
    return PythonGuest(root, bundle)


@dataclass(frozen=True, slots=True)
class PythonGuest:
    """A runtime that has a wheel for aarch64."""

    root: ArmRoot
    bundle: Bundle

    def hear(self) -> Heard:
        """See Guest."""
        return _hear(self.root.command([self.root.python]), self.bundle, {"PYTHONPATH": self.root.python_path})

    def count(self, windows: int, counted: Path) -> None:
        """See Guest."""
        python = self.root.command([self.root.python], counting=True)
        environment = {"PYTHONPATH": self.root.python_path, COUNT_FILE: str(counted)}
        _run([*python, *_work("repeat", self.bundle, str(windows))], self.bundle, environment)


@dataclass(frozen=True, slots=True)
class RunnerGuest:
    """ExecuTorch, whose Python would bring torch: graphs run there, all else here."""

    root: ArmRoot
    bundle: Bundle
    runner: Path

    def hear(self) -> Heard:
        """See Guest."""
        return hear(self.bundle, RunnerBackend(self.bundle, EmulatedRunner(self)))

    def count(self, windows: int, counted: Path) -> None:
        """See Guest."""
        scene = golden_inputs(self.bundle.manifest, read_golden(self.bundle.folder))["scene"]
        RunnerBackend(self.bundle, EmulatedRunner(self, counted)).repeat("full", [scene], windows)


@dataclass(frozen=True, slots=True)
class EmulatedRunner:
    """A Place; `counted` is the file for the instructions of a call."""

    guest: RunnerGuest
    counted: Path | None = None

    def execute(self, call: Call, folder: Path) -> str:
        """See Place."""
        program = call.command(str(self.guest.runner), str(self.guest.bundle.folder), str(folder))
        environment = {} if self.counted is None else {COUNT_FILE: str(self.counted)}
        return _run(self.guest.root.command(program, counting=bool(environment)), self.guest.bundle, environment)


def hear_here(bundle: Bundle) -> Heard:
    """What it says on this machine, in a process of its own."""
    return _hear([sys.executable], bundle, {})


def _hear(python: Sequence[str], bundle: Bundle, environment: Mapping[str, str]) -> Heard:
    with tempfile.NamedTemporaryFile(prefix="edgeseld-") as raw:
        words = _run([*python, *_work("hear", bundle, raw.name)], bundle, environment)
        return Heard(msgspec.json.decode(words, type=VerificationReport), load_file(raw.name))


def _work(verb: str, bundle: Bundle, last: str) -> list[str]:
    return ["-m", "edgeseld.bench.arm_worker", verb, str(bundle.folder), last]


def _run(command: Sequence[str], bundle: Bundle, environment: Mapping[str, str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **REPEATABLE, **environment})
    if done.returncode:
        said = done.stderr.strip().rpartition("\n")[2] or "no message"
        raise BenchError(
            f"{bundle.manifest.name} stopped with code {done.returncode} ({said}): leave it out, or run it by hand: "
            f"{shlex.join(command)}"
        )
    return done.stdout
