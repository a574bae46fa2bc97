"""LiteRT's own `benchmark_model` on a phone: pushed, run on chosen cores, its words turned into figures."""

import re
from pathlib import Path

from edgeseld.bench.adb import Device, DeviceState
from edgeseld.bench.report import BenchError
from edgeseld.core.structs import Frozen
from edgeseld.runtime.bundle import Bundle

FOLDER = "/data/local/tmp/edgeseld"
WARM_UPS, RUNS = 3, 20
NUMBER = r"([0-9.e+]+)"
# The line before the last block is that of the warm-up; the last one counts.
COUNTED = re.compile(rf"count=(\d+) first={NUMBER} curr={NUMBER} min={NUMBER} max={NUMBER} avg={NUMBER} std={NUMBER}")


class Figures(Frozen, frozen=True, kw_only=True):
    """What the tool says of the counted runs; it gives means, no quantiles."""

    runs: int
    mean_ms: float
    std_ms: float
    min_ms: float
    max_ms: float
    init_ms: float | None
    first_ms: float | None
    memory_mb: float | None


class PhoneTiming(Frozen, frozen=True, kw_only=True):
    """A graph on a phone: PCM of one window to raw output, without decoding; the phone's state on either side."""

    name: str
    threads: int
    figures: Figures
    before: DeviceState
    after: DeviceState


def benchmark_on_phone(
    device: Device, tool: Path, bundle: Bundle, threads: int, cores: str | None = None
) -> PhoneTiming:
    """Run the graph `full` of a TFLite bundle on the device once it is cool; `cores` is a mask for taskset, such as f0.

    BenchError where the bundle is for another runtime, the device is hot or goes away, or the tool says nothing useful.
    """
    if bundle.manifest.target != "tflite":
        raise BenchError(
            f"benchmark_model runs TFLite, {bundle.manifest.name} is {bundle.manifest.target}: use --target tflite"
        )
    graph = bundle.graph("full")
    device.shell(f"mkdir -p {FOLDER}")
    device.push(tool, f"{FOLDER}/benchmark_model")
    device.push(bundle.folder / graph.file, f"{FOLDER}/model.tflite")
    device.shell(f"chmod +x {FOLDER}/benchmark_model")
    before = device.wait_until_cool()
    pinned = "" if cores is None else f"taskset {cores} "
    signature = "" if graph.entry is None else f" --signature_to_run_for={graph.entry}"
    words = device.shell(
        f"{pinned}{FOLDER}/benchmark_model --graph={FOLDER}/model.tflite --num_threads={threads} "
        f"--warmup_runs={WARM_UPS} --num_runs={RUNS}{signature}",
        timeout_s=600.0,
    )
    figures = parse(words, bundle.manifest.name)
    device.shell(f"rm -rf {FOLDER}")
    return PhoneTiming(name=bundle.manifest.name, threads=threads, before=before, figures=figures, after=device.state())


def parse(words: str, name: str) -> Figures:
    """Figures from the tool's output; both forms of its timing line are understood."""
    blocks = COUNTED.findall(words)
    if not blocks:
        raise BenchError(f"benchmark_model gave no timing of {name}: run it by hand and look at what it says")
    count, _, _, least, most, mean, deviation = blocks[-1]
    return Figures(
        runs=int(count),
        mean_ms=float(mean) / 1e3,
        std_ms=float(deviation) / 1e3,
        min_ms=float(least) / 1e3,
        max_ms=float(most) / 1e3,
        init_ms=_found(rf"\bInit: {NUMBER}", words, 1e-3),
        first_ms=_found(rf"First inference: {NUMBER}", words, 1e-3),
        memory_mb=_found(rf"Peak memory footprint \(MB\): init={NUMBER} overall=([0-9.]+)", words, 1.0, group=2),
    )


def _found(pattern: str, words: str, scale: float, group: int = 1) -> float | None:
    match = re.search(pattern, words)
    return None if match is None else float(match.group(group)) * scale
