"""Every released model x target x precision: `python -m benchmarks.targets --data DIR... [MODEL ...]`.

Each pair is exported and verified, then hears the scenes of the held-out sets beside the float model and is scored
(2023 rules, headline classes); all bundles of a model are timed side by side in one run with 1 and 2 threads. Off a
Mac, Core ML is heard through an interpreter: it has no times, and hears the first few scenes only. Exports that stray
are kept in the table with their figures and the verdict.

A row is written as soon as it is known, and not made again while the weights, the sources and the recipe are the same:
a run that was stopped goes on where it stood, on another machine too, which is then named beside the times. With
--save the table goes to benchmarks/results.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from pathlib import Path

import click
import msgspec

from benchmarks.heldout import DEFINITION
from benchmarks.targets_rows import TargetRow, TargetsReport, replaced, row_of
from benchmarks.targets_table import RESULTS, show
from edgeseld.bench.accuracy import Evaluation, dataset_for, evaluate_scenes
from edgeseld.bench.host import bench_host
from edgeseld.bench.machine import this_machine
from edgeseld.bench.parity import SceneParity, compare
from edgeseld.cli import run_command
from edgeseld.cli.terminal import progress
from edgeseld.core.atomic import write_atomic
from edgeseld.core.errors import ExportError, ParityError
from edgeseld.core.locate import MODEL_FILE, find_model, model_ids
from edgeseld.core.manifest import CALIBRATION_FILE, bundle_name
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import read_json, read_toml, to_json
from edgeseld.data.layout import read_spec
from edgeseld.data.synth.definition import HeldoutDefinition
from edgeseld.export.bundle_writer import sha256
from edgeseld.export.exporting import Exported, export_model, sources_hash
from edgeseld.export.recipe import ExportRecipe, read_recipe, recipe_path, supported_pairs
from edgeseld.metrics.rules import RULES
from edgeseld.nn.weights import WEIGHTS_FILE
from edgeseld.runtime.bundle import SUFFIX
from edgeseld.runtime.model import Model, load

LIBRARIES = ("torch", "onnx", "onnxruntime", "litert-torch", "ai-edge-litert", "executorch", "coremltools")
# What an export of a model is made from, beside the sources and the recipe.
INPUTS = (MODEL_FILE, WEIGHTS_FILE, CALIBRATION_FILE)
# The interpreter of Core ML programs takes seconds for a window.
INTERPRETED_SCENES = 3
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command(help=__doc__)
@click.argument("models", nargs=-1)
@click.option("--data", type=FOLDER, multiple=True, help="Held-out scenes; a model hears the sets of its channels.")
@click.option("--pairs", help="Comma-separated, such as onnx-fp32,tflite-int8; default: all there are.")
@click.option("--work", type=click.Path(path_type=Path, file_okay=False), default=Path("runs/targets"))
@click.option("--rounds", type=click.IntRange(5), default=30)
@click.option("--save", is_flag=True, help=f"Write the table to {RESULTS.name} under benchmarks/results too.")
def main(
    models: tuple[str, ...], data: tuple[Path, ...], pairs: str | None, work: Path, rounds: int, save: bool
) -> None:
    wanted = pairs.split(",") if pairs else supported_pairs()
    there = models or tuple(model for model in model_ids() if (find_model(model) / WEIGHTS_FILE).exists())
    state = work / RESULTS.name
    report = TargetsReport(machine=this_machine(), versions={name: version(name) for name in LIBRARIES}, rows=())
    if state.exists():
        known = read_json(state, TargetsReport)
        report = msgspec.structs.replace(report, machine=known.machine, rows=known.rows)
    for model in there:
        report = measure(report, find_model(model), wanted, sets_for(find_model(model), data), work)
        report = time_together(report, model, work, rounds)
        show([row for row in report.rows if row.model == model])
    if save:
        write_atomic(RESULTS, to_json(report))


def sets_for(folder: Path, data: Sequence[Path]) -> list[Path]:
    """Those of the sets whose channels a model hears; a set that does not say them is tried."""
    hears = read_toml(folder / MODEL_FILE, ModelFile).signal.channel_format
    specs = {root: read_spec(root) for root in data}
    return [root for root, spec in specs.items() if spec is None or spec.channel_format == hears]


def measure(
    report: TargetsReport, folder: Path, pairs: Sequence[str], data: Sequence[Path], work: Path
) -> TargetsReport:
    """The report with a row for every pair of a model, written after each."""
    for pair in progress(pairs, len(pairs), f"exports of {folder.name}"):
        target, _, precision = pair.partition("-")
        path = recipe_path(target, precision)
        inputs = {file.name: sha256(file) for file in (*map(folder.joinpath, INPUTS), path) if file.exists()}
        inputs["sources"] = sources_hash()
        if not any(row.covers(folder.name, pair, inputs, [root.name for root in data]) for row in report.rows):
            try:
                exported = export_anyhow(folder, read_recipe(path), work)
                row = row_of(exported, inputs, hear_all(folder, exported, data))
            except ExportError as error:
                row = TargetRow(
                    model=folder.name, target=target, precision=precision, inputs=inputs, refused=str(error)
                )
            report = replaced(report, row)
            write_atomic(work / RESULTS.name, to_json(report))
    return report


def export_anyhow(folder: Path, recipe: ExportRecipe, work: Path) -> Exported:
    """The export a user gets, or, where that is refused for straying, the one that strays."""
    try:
        return export_model(folder, recipe, work)
    except ParityError:
        return export_model(folder, recipe, work, allow_drift=True)


def hear_all(folder: Path, exported: Exported, data: Sequence[Path]) -> dict[str, SceneParity]:
    """An export against the float model on the same scenes, by set."""
    scenes = INTERPRETED_SCENES if interpreted(exported.manifest.target) else None
    model = load(exported.path, threads=2, check="off", allow_drift=True)
    return {root.name: compare(float_evaluation(folder, root, scenes), hear(model, root, scenes)) for root in data}


@cache
def float_evaluation(folder: Path, root: Path, scenes: int | None) -> Evaluation:
    """What the float model hears, once for all its exports."""
    return hear(load(folder, backend="torch", threads=2), root, scenes)


def hear(model: Model, root: Path, scenes: int | None) -> Evaluation:
    """Hear and score the first so many scenes of a set, or all."""
    whole = dataset_for(model, root)
    headline = read_toml(DEFINITION, HeldoutDefinition).headline_classes
    return evaluate_scenes(model, replace(whole, scenes=whole.scenes[:scenes]), RULES["dcase2023"], progress, headline)


def interpreted(target: str) -> bool:
    """Whether a target's runtime is not on this machine."""
    return target == "coreml" and sys.platform != "darwin"


def time_together(report: TargetsReport, model: str, work: Path, rounds: int) -> TargetsReport:
    """Times of all verified bundles of a model from one run, where one of them has none yet."""
    rows = [row for row in report.rows if row.model == model and row.verified and not interpreted(row.target)]
    if not any(row.timings == {} for row in rows):
        return report
    paths = [work / (bundle_name(model, row.target, row.precision) + SUFFIX) for row in rows]
    here = this_machine()
    elsewhere = None if here == report.machine else here
    timings = bench_host(paths, [1, 2], rounds, progress).timings
    for row, path in zip(rows, paths, strict=True):
        own = {str(timing.threads): timing for timing in timings if timing.name == path.stem}
        report = replaced(report, msgspec.structs.replace(row, timings=own, timed_on=elsewhere))
    write_atomic(work / RESULTS.name, to_json(report))
    return report


if __name__ == "__main__":
    run_command(main)
