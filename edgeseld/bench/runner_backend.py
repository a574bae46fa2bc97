"""ExecuTorch bundles through our runner, a process for each call, on a processor that is not this one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np

from edgeseld.bench.executorch_runner import runner_command
from edgeseld.bench.report import BenchError
from edgeseld.core.disk import temporary_folder
from edgeseld.core.manifest import Role, TensorSpec
from edgeseld.core.prediction import Float32
from edgeseld.core.structs import Frozen
from edgeseld.runtime.bundle import Bundle

OUTPUT = "outputs.raw"


class Times(Frozen, frozen=True, kw_only=True):
    """What the runner prints: loading the method, and every run of it."""

    load_ms: float
    runs_ms: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """Some runs of one method; `inputs` and OUTPUT are names of files in one folder."""

    program: str
    method: str
    threads: int
    runs: int
    inputs: tuple[str, ...]

    def command(self, runner: str, bundle: str, folder: str) -> list[str]:
        """The command line where these three folders lie there."""
        files = [f"{folder}/{name}" for name in (OUTPUT, *self.inputs)]
        numbers = [str(self.threads), str(self.runs)]
        return [*runner_command(runner), f"{bundle}/{self.program}", self.method, *numbers, *files]


class Place(Protocol):
    """Where the runner and one bundle are."""

    def execute(self, call: Call, folder: Path) -> str:
        """Run the call on the inputs in `folder`, put OUTPUT beside them; what the runner printed.

        BenchError where the runner fails.
        """


@dataclass(frozen=True, slots=True)
class RunnerBackend:
    """A backend whose graphs run elsewhere; every run loads its method anew."""

    bundle: Bundle
    place: Place
    threads: int = 1

    def run(self, role: Role, inputs: Sequence[Float32]) -> list[Float32]:
        """Outputs of a graph in the manifest's order."""
        return self.repeat(role, inputs, 1)[0]

    def repeat(self, role: Role, inputs: Sequence[Float32], runs: int) -> tuple[list[Float32], Times]:
        """Outputs of the last run, and how long each took by the clock over there."""
        graph = self.bundle.graph(role)
        assert graph.entry is not None
        names = tuple(f"input{number}.raw" for number in range(len(inputs)))
        call = Call(graph.file, graph.entry, self.threads, runs, names)
        with temporary_folder() as place:
            for name, array in zip(names, inputs, strict=True):
                (place / name).write_bytes(np.ascontiguousarray(array).tobytes())
            words = self.place.execute(call, place)
            raw = (place / OUTPUT).read_bytes()
        return _outputs(raw, graph.outputs, self.bundle.manifest.name), _times(words, self.bundle.manifest.name)


def _outputs(raw: bytes, tensors: Sequence[TensorSpec], name: str) -> list[Float32]:
    """Tensors that lie one after the other."""
    sizes = [int(np.prod(tensor.shape)) * np.dtype(tensor.dtype).itemsize for tensor in tensors]
    if len(raw) != sum(sizes):
        raise BenchError(
            f"the outputs of {name} must hold {sum(sizes)} bytes by its manifest, the runner wrote {len(raw)}: "
            "export the bundle again"
        )
    ends = np.cumsum(sizes)
    parts = [raw[end - size : end] for end, size in zip(ends, sizes, strict=True)]
    return [
        np.frombuffer(part, tensor.dtype).reshape(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)
    ]


def _times(words: str, name: str) -> Times:
    """From the last line; a phone mixes the runtime's own remarks into the output."""
    try:
        return msgspec.json.decode(words.strip().rpartition("\n")[2], type=Times)
    except msgspec.DecodeError:
        raise BenchError(f"the runner gave no times of {name}, but {words.strip()[-200:]!r}: run it by hand") from None
