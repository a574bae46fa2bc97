"""What a user of the smallest student meets: `python -m benchmarks.footprint`.

Answers of `edgeseld infer --help`, peak memory of a whole `edgeseld infer` process, and PCM to events of 5 s on LiteRT
fp32 with one thread, in a process of its own.
"""

import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import click
import numpy as np

from edgeseld.bench.host import bench_host
from edgeseld.bench.machine import Machine, this_machine
from edgeseld.cli import run_command
from edgeseld.cli.terminal import print_table, progress
from edgeseld.core.atomic import write_atomic
from edgeseld.core.locate import find_model
from edgeseld.core.structs import Frozen, to_json
from edgeseld.export.exporting import export_model
from edgeseld.export.recipe import read_recipe, recipe_path
from edgeseld.signal.audio import write_audio

RESULTS = Path(__file__).parent / "results" / "footprint.json"
EDGESELD = [sys.executable, "-c", "from edgeseld.cli import main; main()"]
SCENE_S = 5


class Footprint(Frozen, frozen=True, kw_only=True):
    """results/footprint.json; the help's time is the median of several starts."""

    machine: Machine
    versions: dict[str, str]
    model: str
    help_s: float
    infer_peak_bytes: int
    pcm_to_events_ms: float
    real_time_factor: float


# A process begins with the peak of the one that started it: the starter must be small.
STARTER = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak_bytes(arguments: list[str]) -> int:
    """Peak memory of a process, by the kernel's account of it."""
    starter = [sys.executable, "-I", "-c", STARTER, *arguments]
    return int(subprocess.run(starter, check=True, capture_output=True, text=True).stdout) * 1024


def median_s(arguments: list[str], times: int = 9) -> float:
    """Median seconds from start to end of a process."""
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        subprocess.run(arguments, check=True, capture_output=True)
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds))


@click.command(help=__doc__)
@click.option("--model", default="student-xs")
@click.option("--rounds", type=click.IntRange(5), default=50)
@click.option("--save", is_flag=True, help=f"Write {RESULTS.name} under benchmarks/results.")
def main(model: str, rounds: int, save: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        scene = Path(folder) / "scene.wav"
        write_audio(scene, np.random.default_rng(0).normal(0.0, 0.05, (4, SCENE_S * 24_000)).astype(np.float32))
        bundle = export_model(find_model(model), read_recipe(recipe_path("tflite", "fp32")), Path(folder)).path
        timing = bench_host([bundle], [1], rounds, progress).timings[0]
        report = Footprint(
            machine=this_machine(),
            versions={name: version(name) for name in ("edgeseld", "ai-edge-litert", "numpy")},
            model=timing.name,
            help_s=median_s([*EDGESELD, "infer", "--help"]),
            infer_peak_bytes=peak_bytes([*EDGESELD, "infer", str(bundle), str(scene)]),
            pcm_to_events_ms=timing.total.median_ms,
            real_time_factor=timing.real_time_factor,
        )
    rows = [
        ["edgeseld infer --help, s", f"{report.help_s:.3f}"],
        ["peak memory of edgeseld infer, 5 s of audio, MB", f"{report.infer_peak_bytes / 1e6:.0f}"],
        ["PCM to events, 5 s, one thread, ms", f"{report.pcm_to_events_ms:.2f}"],
        ["real-time factor", f"{report.real_time_factor:.5f}"],
    ]
    print_table(f"{report.model} on {report.machine.processor}", ["what", "value"], rows)
    if save:
        write_atomic(RESULTS, to_json(report))


if __name__ == "__main__":
    run_command(main)
