"""One bundle in a process of its own, the same on this machine's processor and on an emulated one.

`python -m edgeseld.bench.arm_worker hear BUNDLE RAW.safetensors` prints how the bundle stands to its golden vectors as
JSON and keeps its raw outputs; `... repeat BUNDLE WINDOWS` runs the graph `full` as often, for counting instructions.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from edgeseld.core.prediction import Float32
from edgeseld.core.structs import to_json
from edgeseld.runtime.backends import Backend, open_backend
from edgeseld.runtime.bundle import Bundle, open_bundle
from edgeseld.runtime.golden import golden_inputs, read_golden
from edgeseld.runtime.passes import Graphs
from edgeseld.runtime.verification import VerificationReport, verify


@dataclass(frozen=True, slots=True)
class Heard:
    """How a bundle stands to its golden vectors, and what `full` says to every golden case, by `CASE/OUTPUT`."""

    report: VerificationReport
    raw: dict[str, Float32]


def hear(bundle: Bundle, backend: Backend) -> Heard:
    """Run every golden case through every graph."""
    manifest, golden = bundle.manifest, read_golden(bundle.folder)
    report = verify(manifest, backend, golden)
    graphs = Graphs(manifest, backend)
    cases = {case: graphs.run("full", pcm) for case, pcm in golden_inputs(manifest, golden).items()}
    raw = {f"{case}/{name}": array for case, outputs in cases.items() for name, array in outputs.items()}
    return Heard(report, raw)


def repeat(bundle: Bundle, windows: int) -> None:
    """Run the golden scene again and again."""
    graphs = Graphs(bundle.manifest, open_backend(bundle))
    scene = golden_inputs(bundle.manifest, read_golden(bundle.folder))["scene"]
    for _ in range(windows):
        graphs.run("full", scene)


def main() -> None:
    """Do what the arguments say."""
    verb, path, last = sys.argv[1:]
    bundle = open_bundle(Path(path))
    if verb == "hear":
        heard = hear(bundle, open_backend(bundle))
        sys.stdout.write(to_json(heard.report).decode())
        save_file({name: np.ascontiguousarray(array) for name, array in heard.raw.items()}, last)
    else:
        repeat(bundle, int(last))


if __name__ == "__main__":
    main()
