"""What hearing costs: `python -m benchmarks.cost`. PCM of 5 s to raw output, one thread, ONNX Runtime.

The usual pipelines (librosa log-mel and intensity, or SALSA-lite, then SELDnet) beside our bundles and SELDnet with the
frontend in its graph, in turn, round after round in one run; ratios are to the first.
"""

import os

# Before numpy is loaded: librosa's products would use every core.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import tempfile
from importlib.metadata import version
from pathlib import Path

import click
import msgspec
import numpy as np

from benchmarks.peers.librosa_seldnet import LibrosaSeldnet
from benchmarks.peers.salsa_lite import SalsaLiteSeldnet
from edgeseld.bench.machine import Machine, this_machine
from edgeseld.bench.rounds import Stage, ratio, stage, time_in_turn
from edgeseld.cli import run_command
from edgeseld.cli.terminal import print_table, progress
from edgeseld.core.atomic import write_atomic
from edgeseld.core.interval import Interval
from edgeseld.core.locate import find_bundle, find_model
from edgeseld.core.structs import Frozen, to_json
from edgeseld.export.exporting import export_model
from edgeseld.export.recipe import read_recipe, recipe_path
from edgeseld.runtime.backends import open_backend
from edgeseld.runtime.bundle import open_bundle
from edgeseld.runtime.windows import cut_windows

RESULTS = Path(__file__).parent / "results" / "cost.json"
BASELINE = "seldnet-baseline"
USUAL = "librosa features + seldnet-baseline"
SALSA_LITE = "librosa SALSA-lite + SELDnet of 382 bins"
MODELS = (BASELINE, "student-s", "student-xs")
SAMPLES = 120_000


class Row(Frozen, frozen=True, kw_only=True):
    """One rival."""

    time: Stage
    ratio: Interval


class CostReport(Frozen, frozen=True, kw_only=True):
    """results/cost.json."""

    machine: Machine
    versions: dict[str, str]
    rounds: int
    rows: dict[str, Row]


@click.command(help=__doc__)
@click.option("--rounds", type=click.IntRange(5), default=50)
@click.option("--save", is_flag=True, help=f"Write {RESULTS.name} under benchmarks/results.")
def main(rounds: int, save: bool) -> None:
    pcm = np.random.default_rng(0).normal(0.0, 0.05, (4, SAMPLES)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        recipe = msgspec.structs.replace(read_recipe(recipe_path("onnx", "fp32")), input="features")
        usual = LibrosaSeldnet(export_model(find_model(BASELINE), recipe, Path(folder)).path / "full.onnx")
        features = usual.features(pcm)
        salsa_lite = SalsaLiteSeldnet(SAMPLES, Path(folder))
        rivals = {USUAL: lambda: usual(pcm), SALSA_LITE: lambda: salsa_lite(pcm)}
        rivals |= {f"{BASELINE}, features given": lambda: usual.network(features)}
        for model in MODELS:
            bundle = open_bundle(_baseline(Path(folder)) if model == BASELINE else find_bundle(model))
            backend, window = open_backend(bundle, threads=1), cut_windows(pcm, bundle.manifest.signal)[:1]
            rivals[f"{model}, frontend in the graph"] = lambda b=backend, w=window: b.run("full", [w])
        seconds = time_in_turn(rivals, rounds, progress)
    rows = {name: Row(time=stage(s), ratio=ratio(s, seconds[USUAL])) for name, s in seconds.items()}
    libraries = ("edgeseld", "onnxruntime", "librosa", "numpy")
    report = CostReport(
        machine=this_machine(), versions={name: version(name) for name in libraries}, rounds=rounds, rows=rows
    )
    title = f"{report.machine.processor}: 5 s of PCM to raw output, one thread, ONNX Runtime"
    print_table(
        title, ["chain", "median ms", "p90 ms", "of the usual pipeline"], [_row(*item) for item in rows.items()]
    )
    if save:
        write_atomic(RESULTS, to_json(report))


def _baseline(folder: Path) -> Path:
    """The yardstick's bundle, which is not released."""
    return export_model(find_model(BASELINE), read_recipe(recipe_path("onnx", "fp32")), folder / "waveform").path


def _row(name: str, row: Row) -> list[str]:
    interval = f"{row.ratio.value:.2f} ({row.ratio.low:.2f} to {row.ratio.high:.2f})"
    return [name, f"{row.time.median_ms:.2f}", f"{row.time.p90_ms:.2f}", interval]


if __name__ == "__main__":
    run_command(main)
