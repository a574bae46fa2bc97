"""Every model x target x precision: `python -m benchmarks.targets --data DIR [MODEL ...]`.

Each pair is exported and verified; all bundles of a model are timed side by side in one run with 1 and 2 threads; every
export hears the scenes of a held-out set beside the float model and is scored (2023 rules, headline classes). Off a Mac
Core ML is heard through an interpreter: it has no times, and scenes only with --interpreted. Exports that stray are
kept in the table with their figures and the verdict.
"""

import sys
import tempfile
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import click
import msgspec

from benchmarks.heldout import DEFINITION
from edgeseld.bench.accuracy import evaluate
from edgeseld.bench.host import bench_host
from edgeseld.bench.machine import Machine, this_machine
from edgeseld.bench.parity import SceneParity, compare
from edgeseld.bench.report import Timing
from edgeseld.cli.terminal import print_table, progress
from edgeseld.core.atomic import write_atomic
from edgeseld.core.errors import ExportError
from edgeseld.core.locate import find_model, model_ids
from edgeseld.core.structs import Frozen, read_toml, to_json
from edgeseld.data.synth.definition import HeldoutDefinition
from edgeseld.export.exporting import Exported, export_model
from edgeseld.export.recipe import read_recipe, recipe_path, supported_pairs
from edgeseld.metrics.rules import RULES
from edgeseld.nn.weights import WEIGHTS_FILE
from edgeseld.runtime.model import load

RESULTS = Path(__file__).parent / "results" / "targets.json"
LIBRARIES = ("torch", "onnx", "onnxruntime", "litert-torch", "ai-edge-litert", "executorch", "coremltools")
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


class TargetRow(Frozen, frozen=True, kw_only=True):
    """One model, target and precision."""

    model: str
    target: str
    precision: str
    refused: str | None = None
    model_bytes: int | None = None
    size_ratio: float | None = None
    verified: bool | None = None
    raw_max: float | None = None
    changed_frames: float | None = None
    direction_deg: float | None = None
    scenes: SceneParity | None = None
    timings: dict[str, Timing] = msgspec.field(default_factory=dict)


class TargetsReport(Frozen, frozen=True, kw_only=True):
    """results/targets.json."""

    machine: Machine
    versions: dict[str, str]
    data: str
    rows: tuple[TargetRow, ...]


@click.command(help=__doc__)
@click.argument("models", nargs=-1)
@click.option("--data", type=FOLDER, help="Held-out scenes; without them no scores.")
@click.option("--pairs", help="Comma-separated, such as onnx-fp32,tflite-int8; default: all there are.")
@click.option("--interpreted", is_flag=True, help="Let the interpreter of Core ML hear the scenes too: hours.")
@click.option("--rounds", type=click.IntRange(5), default=30)
@click.option("--save", is_flag=True, help=f"Add the models to {RESULTS.name} under benchmarks/results.")
def main(
    models: tuple[str, ...], data: Path | None, pairs: str | None, interpreted: bool, rounds: int, save: bool
) -> None:
    wanted = pairs.split(",") if pairs else supported_pairs()
    there = models or tuple(model for model in model_ids() if (find_model(model) / WEIGHTS_FILE).exists())
    rows: list[TargetRow] = []
    for model in there:
        rows += measure(model, wanted, data, rounds, interpreted)
        show(rows[-len(wanted) :])
    report = TargetsReport(
        machine=this_machine(),
        versions={name: version(name) for name in LIBRARIES},
        data=data.name if data else "none",
        rows=tuple(rows),
    )
    if save:
        write_atomic(RESULTS, to_json(report))


def measure(model: str, pairs: list[str], data: Path | None, rounds: int, interpreted: bool) -> list[TargetRow]:
    """All rows of a model."""
    folder = find_model(model)
    with tempfile.TemporaryDirectory(prefix="edgeseld-") as place:
        exported, refused = export_all(folder, pairs, Path(place))
        timed = [item.path for item in exported if _timed(item)]
        timings = bench_host(timed, [1, 2], rounds, progress).timings if timed else ()
        heard = [item for item in exported if interpreted or _runs_here(item)]
        scenes = {} if data is None else hear_all(folder, heard, data)
        return [row(model, pair, exported, refused, timings, scenes) for pair in pairs]


def export_all(folder: Path, pairs: list[str], place: Path) -> tuple[list[Exported], dict[str, str]]:
    """Bundles, and why there is none."""
    exported, refused = [], {}
    for pair in progress(pairs, len(pairs), f"exports of {folder.name}"):
        target, _, precision = pair.partition("-")
        try:
            exported.append(export_model(folder, read_recipe(recipe_path(target, precision)), place, allow_drift=True))
        except ExportError as error:
            refused[pair] = str(error)
    return exported, refused


def _timed(item: Exported) -> bool:
    """bench opens verified bundles alone, and an interpreter's time says nothing."""
    return item.report.passed and _runs_here(item)


def _runs_here(item: Exported) -> bool:
    return item.manifest.target != "coreml" or sys.platform == "darwin"


def hear_all(folder: Path, exported: list[Exported], data: Path) -> dict[str, SceneParity]:
    """Every export against the float model on the same scenes, by bundle name."""
    classes = read_toml(DEFINITION, HeldoutDefinition).headline_classes
    rules = RULES["dcase2023"]
    reference = evaluate(load(folder, backend="torch", threads=2), data, rules, progress, classes)
    found = {}
    for item in exported:
        model = load(item.path, threads=2, check="off", allow_drift=True)
        found[item.manifest.name] = compare(reference, evaluate(model, data, rules, progress, classes))
    return found


def row(
    model: str,
    pair: str,
    exported: list[Exported],
    refused: dict[str, str],
    timings: Iterable[Timing],
    scenes: dict[str, SceneParity],
) -> TargetRow:
    """What is known of a pair."""
    target, _, precision = pair.partition("-")
    item = next((one for one in exported if (one.manifest.target, one.manifest.precision) == (target, precision)), None)
    if item is None:
        return TargetRow(model=model, target=target, precision=precision, refused=refused[pair])
    whole = next((one for one in exported if (one.manifest.target, one.manifest.precision) == (target, "fp32")), None)
    return TargetRow(
        model=model,
        target=target,
        precision=precision,
        model_bytes=item.model_bytes,
        size_ratio=None if whole is None else item.model_bytes / whole.model_bytes,
        verified=item.report.passed,
        raw_max=item.report.raw_max,
        changed_frames=item.report.changed_frames,
        direction_deg=item.report.direction_deg,
        scenes=scenes.get(item.manifest.name),
        timings={str(timing.threads): timing for timing in timings if timing.name == item.manifest.name},
    )


HEADER = [
    "model", "target", "precision", "MB", "of fp32", "ms 1 thread", "ms 2", "of fp32", "memory MB", "raw difference",
    "golden frames changed", "scene frames changed", "turned", "F20", "SELD",
]  # fmt: skip


def show(rows: list[TargetRow]) -> None:
    """A line per pair; F20 and SELD beside their change from the float model."""
    whole = {row.target: row for row in rows if row.precision == "fp32"}
    print_table("exports against the float model", HEADER, [_line(row, whole.get(row.target)) for row in rows])


def _line(row: TargetRow, whole: TargetRow | None) -> list[str]:
    names = [row.model, row.target, row.precision]
    if row.model_bytes is None:
        return [*names, str(row.refused), *[""] * (len(HEADER) - 4)]
    one, two = row.timings.get("1"), row.timings.get("2")
    base = None if whole is None else whole.timings.get("1")
    ratio = None if one is None or base is None else one.total.median_ms / base.total.median_ms
    scenes = row.scenes
    return [
        *names,
        f"{row.model_bytes / 1e6:.2f}",
        _maybe(row.size_ratio, ".2f"),
        _maybe(one and one.total.median_ms, ".1f"),
        _maybe(two and two.total.median_ms, ".1f"),
        _maybe(ratio, ".2f"),
        _maybe(one and one.memory_bytes / 1e6, ".0f"),
        _maybe(row.raw_max, ".1e"),
        _maybe(row.changed_frames, ".2%"),
        _maybe(scenes and scenes.changed_frames, ".2%"),
        _maybe(scenes and scenes.direction_deg, ".2f"),
        "-" if scenes is None else f"{scenes.exported.F:.3f} ({scenes.exported.F - scenes.reference.F:+.3f})",
        "-" if scenes is None else f"{scenes.exported.SELD:.3f} ({scenes.exported.SELD - scenes.reference.SELD:+.3f})",
    ]


def _maybe(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


if __name__ == "__main__":
    main()
