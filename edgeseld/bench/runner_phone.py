"""ExecuTorch bundles on a phone without an app: our runner is pushed, held to the golden vectors, then timed."""

import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeseld.bench.adb import Device, DeviceState
from edgeseld.bench.executorch_runner import runner_command
from edgeseld.bench.report import BenchError
from edgeseld.bench.rounds import Stage, stage
from edgeseld.bench.runner_backend import OUTPUT, Call, RunnerBackend
from edgeseld.core.structs import Frozen
from edgeseld.runtime.bundle import Bundle
from edgeseld.runtime.golden import golden_inputs, read_golden
from edgeseld.runtime.verification import verify

FOLDER = "/data/local/tmp/edgeseld-runner"
RUNNER, BUNDLE, CALL = f"{FOLDER}/runner", f"{FOLDER}/bundle", f"{FOLDER}/call"
ABI = "arm64-v8a"
WARM_UPS, RUNS = 3, 20
PATIENCE_S = 600.0


class RunnerTiming(Frozen, frozen=True, kw_only=True):
    """A graph on a phone: PCM of one window to raw output, without decoding; the phone's state on either side.

    `verified` by the tolerances of the export, every golden case through every graph; `raw_max` is the largest
    difference from the float model's raw outputs.
    """

    name: str
    threads: int
    verified: bool
    failures: tuple[str, ...]
    raw_max: float
    changed_frames: float
    load_ms: float
    first_ms: float
    graph: Stage
    runs: int
    before: DeviceState
    after: DeviceState


def benchmark_by_runner(
    device: Device, runner: Path, bundle: Bundle, threads: int, cores: str | None = None
) -> RunnerTiming:
    """Verify all graphs, then time `full` once the phone is cool; `cores` is a mask for taskset, such as f0.

    BenchError where the bundle is for another runtime, the phone has no 64-bit ARM processor, is hot or goes away, or
    the runner fails there.
    """
    manifest = bundle.manifest
    if manifest.target != "executorch":
        raise BenchError(f"the runner takes ExecuTorch bundles, {manifest.name} is {manifest.target}: leave it out")
    abi = device.shell("getprop ro.product.cpu.abi").strip()
    if abi != ABI:
        raise BenchError(f"the runner is for {ABI}, {device.serial} is {abi or 'silent about it'}: use another phone")
    _push(device, runner, bundle)
    golden = read_golden(bundle.folder)
    backend = RunnerBackend(bundle, Phone(device, cores), threads)
    report = verify(manifest, backend, golden)
    before = device.wait_until_cool()
    _, times = backend.repeat("full", [golden_inputs(manifest, golden)["scene"]], WARM_UPS + RUNS)
    after = device.state()
    device.shell(f"rm -rf {FOLDER}")
    return RunnerTiming(
        name=manifest.name,
        threads=threads,
        verified=report.passed,
        failures=report.failures,
        raw_max=report.raw_max,
        changed_frames=report.changed_frames,
        load_ms=times.load_ms,
        first_ms=times.runs_ms[0],
        graph=stage(np.array(times.runs_ms[WARM_UPS:]) / 1e3),
        runs=RUNS,
        before=before,
        after=after,
    )


def _push(device: Device, runner: Path, bundle: Bundle) -> None:
    device.shell(f"rm -rf {FOLDER}; mkdir -p {RUNNER} {BUNDLE} {CALL}")
    for file in sorted(runner.iterdir()):
        device.push(file, f"{RUNNER}/{file.name}")
    for name in sorted({graph.file for graph in bundle.manifest.graphs.values()}):
        device.push(bundle.folder / name, f"{BUNDLE}/{name}")
    loader, *_, program = runner_command(RUNNER)
    device.shell(f"chmod +x {loader} {program}")


@dataclass(frozen=True, slots=True)
class Phone:
    """A Place behind adb."""

    device: Device
    cores: str | None

    def execute(self, call: Call, folder: Path) -> str:
        """See Place."""
        for name in call.inputs:
            self.device.push(folder / name, f"{CALL}/{name}")
        pinned = [] if self.cores is None else ["taskset", self.cores]
        words = self.device.shell(shlex.join([*pinned, *call.command(RUNNER, BUNDLE, CALL)]), PATIENCE_S)
        self.device.pull(f"{CALL}/{OUTPUT}", folder / OUTPUT)
        return words
