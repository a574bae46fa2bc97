"""What each part of distillation is worth: `python -m benchmarks.ablation --tier cpu --data DIR --heldout DIR ...`.

Trains the teacher, then the student with labels alone, + response, + feature, + self-distillation, + PointMix, +
PatchMix, all with the same steps; fits thresholds on the validation scenes, hears the held-out sets with each; writes
ablation.json and pictures. On a GPU teacher-hda and three seeds (tier gpu); on two cores teacher-m, one seed to screen
and three for the two best arms and the first (tier cpu), or three for all with `--seeds 3`. A broken run goes on when
the same command runs again, and finished trainings are kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click
import msgspec

from benchmarks.ablation_arms import (
    ARMS,
    BASELINE,
    TIERS,
    Arm,
    Tier,
    arm_recipe,
    run_arm,
    with_seeds,
    without_start_share,
)
from benchmarks.ablation_plots import plot_cost, plot_frames, single_class_frames
from benchmarks.ablation_systems import (
    Heldout,
    System,
    difference,
    direction_errors_of,
    open_heldout,
    reliability_of,
    system_of,
)
from benchmarks.ablation_table import RESULTS, AblationReport, Row, show
from benchmarks.heldout import MEASURES
from edgeseld.bench.host import bench_host, this_machine
from edgeseld.cli import run_command
from edgeseld.cli.terminal import progress
from edgeseld.core.atomic import write_atomic
from edgeseld.core.early_exit import exit_folder
from edgeseld.core.locate import MODEL_FILE, find_model
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import read_toml, to_json
from edgeseld.metrics.plots import plot_direction_errors, plot_reliability
from edgeseld.metrics.significance import bootstrap_intervals
from edgeseld.nn.cost import network_cost
from edgeseld.nn.weights import WEIGHTS_FILE, load_network
from edgeseld.train.run import RESULTS_FILE
from edgeseld.train.supervised import Sources

ROUNDS = 30
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


def row_of(
    system: System,
    baseline: System,
    heldout: Heldout,
    exit_name: str | None,
    latency_ms: float | None,
    added_to: System | None = None,
) -> Row:
    run = next(iter(system.runs.values()))
    with exit_folder(run, exit_name) as folder:
        cost = network_cost(load_network(read_toml(folder / MODEL_FILE, ModelFile), folder / WEIGHTS_FILE))
    groups = {name: name.partition("/")[2] for name in system.score.counts.files}
    return Row(
        title=system.title,
        seeds=tuple(sorted(system.runs)),
        scores={name: round(float(system.score.values[name]), 4) for name in MEASURES},
        F20_interval=bootstrap_intervals(system.score, groups)["F"],
        differences=difference(baseline, system, heldout),
        added={} if added_to is None else difference(added_to, system, heldout),
        cost=cost,
        latency_ms=latency_ms,
        hours_seen=_hours(run),
    )


def _hours(run: Path) -> float | None:
    """Runs and released models both say so."""
    path = run / RESULTS_FILE
    return float(msgspec.json.decode(path.read_bytes())["hours_seen"]) if path.exists() else None


def measure_latency(runs: Mapping[str, tuple[Path, str | None]], folder: Path) -> dict[str, float]:
    """Milliseconds of a window of 5 s on one thread of ONNX Runtime, all systems in turn in one run."""
    from edgeseld.export.exporting import export_model
    from edgeseld.export.recipe import read_recipe, recipe_path

    bundles = []
    for name, (run, exit_name) in runs.items():
        with exit_folder(run, exit_name) as model:
            recipe = read_recipe(recipe_path("onnx", "fp32"))
            bundles.append(export_model(model, recipe, folder / name).path)
    report = bench_host(bundles, (1,), ROUNDS, progress)
    return {name: timing.total.median_ms for name, timing in zip(runs, report.timings, strict=True)}


def train_all(
    tier: Tier,
    student: ModelFile,
    teacher: Path,
    sources: Sources,
    folder: Path,
    heldout: Heldout,
    start: Path | None,
) -> dict[str, System]:
    """Every arm with the tier's seeds, then the best ones and the first with more."""

    def trained(arm: Arm, seeds: Sequence[int]) -> dict[int, Path]:
        teachers = [teacher] if arm.response else []
        runs = {}
        for seed in seeds:
            recipe, output = arm_recipe(student, arm, seed, tier.steps), folder / f"{arm.name}-{seed}"
            runs[seed] = run_arm(recipe, teachers, sources, output, progress, start)
        return runs

    systems = {arm.name: system_of(arm.title, trained(arm, tier.seeds), heldout) for arm in ARMS}
    ranked = sorted(ARMS[1:], key=lambda arm: systems[arm.name].score.values["SELD"])
    for arm in (BASELINE, *ranked[: tier.best_arms]):
        systems[arm.name] = system_of(arm.title, trained(arm, tier.best_seeds), heldout)
    return systems


def draw(systems: Mapping[str, System], report: AblationReport, heldout: Heldout, output: Path) -> None:
    """Four pictures beside the report."""
    shown = {systems[name].title: systems[name] for name in _shown(report)}
    rows = [report.teacher, *report.rows.values(), *report.exits.values()]
    timed = all(row.latency_ms is not None for row in rows)
    cost = "ms for 5 s, one thread" if timed else "million multiply-accumulates for 5 s"
    points = [(row.title, (timed and row.latency_ms) or row.cost.macs / 1e6, row.scores["F"]) for row in rows]
    plot_cost(output / "ablation-cost.png", points, cost)
    plot_reliability(
        output / "ablation-reliability.png", {title: reliability_of(system, heldout) for title, system in shown.items()}
    )
    errors = {title: direction_errors_of(system, heldout) for title, system in shown.items()}
    if all(len(found) for found in errors.values()):
        plot_direction_errors(output / "ablation-directions.png", errors)
    frames = {t: single_class_frames(next(iter(s.runs.values())), heldout.roots, progress) for t, s in shown.items()}
    plot_frames(output / "ablation-frames.png", frames, heldout.class_names)


def _shown(report: AblationReport) -> list[str]:
    """The first row and the best of the others."""
    others = [name for name in report.rows if name != BASELINE.name]
    return [BASELINE.name, min(others, key=lambda name: report.rows[name].scores["SELD"])]


def report_of(
    tier: Tier,
    systems: Mapping[str, System],
    exits: Mapping[str, System],
    teacher: System,
    start: System | None,
    latency: Mapping[str, float],
    sources: Sources,
    heldout: Heldout,
) -> AblationReport:
    """All rows; `exits` are the early exits of the self-distilled arm, by name."""
    first, student_ms = systems[BASELINE.name], latency.get("student")
    rows = {
        arm.name: row_of(systems[arm.name], first, heldout, None, student_ms, systems.get(arm.adds_to)) for arm in ARMS
    }
    return AblationReport(
        tier=tier.name,
        machine=this_machine(),
        data=tuple(path.name for path in sources.data),
        heldout=tuple(root.name for root in heldout.roots),
        teacher=row_of(teacher, first, heldout, None, latency.get("teacher")),
        start=None if start is None else row_of(start, first, heldout, None, student_ms),
        rows=rows,
        exits={name: row_of(system, first, heldout, name, latency.get(name)) for name, system in exits.items()},
    )


def run(
    tier: Tier,
    student: Path,
    teacher: Path | None,
    sources: Sources,
    heldout_roots: Sequence[Path],
    folder: Path,
    output: Path,
    *,
    start: Path | None = None,
    latency: bool,
) -> AblationReport:
    """The whole ablation: trainings below `folder`, report and pictures in `output`."""
    if teacher is None:
        recipe = without_start_share(read_toml(find_model(tier.teacher) / MODEL_FILE, ModelFile))
        teacher = run_arm(recipe, (), sources, folder / "teacher", progress)
    spec = without_start_share(read_toml(student, ModelFile))
    heldout = open_heldout(heldout_roots, sources.validation, folder / "heard", teacher)
    systems = train_all(tier, spec, teacher, sources, folder, heldout, start)
    deep = systems["exits"].runs
    names = read_toml(next(iter(deep.values())) / MODEL_FILE, ModelFile).network.exits
    exits = {name: system_of(f"exit {name}", deep, heldout, name) for name in names}
    rivals = {"teacher": (teacher, None), "student": (systems[BASELINE.name].runs[tier.seeds[0]], None)}
    rivals |= {name: (next(iter(deep.values())), name) for name in names}
    times = measure_latency(rivals, folder / "bundles") if latency else {}
    taught = system_of("teacher", {tier.seeds[0]: teacher}, heldout)
    begun = None if start is None else system_of("where all start", {tier.seeds[0]: start}, heldout)
    report = report_of(tier, systems, exits, taught, begun, times, sources, heldout)
    draw(systems, report, heldout, output)
    write_atomic(output / RESULTS.name, to_json(report))
    return report


@click.command(help=__doc__)
@click.option("--tier", type=click.Choice(tuple(TIERS)), required=True)
@click.option("--data", type=FOLDER, multiple=True, required=True, help="Data set to train on; may be repeated.")
@click.option("--validation", type=FOLDER, help="Data set that picks the weights; one scene in ten by default.")
@click.option(
    "--heldout", type=FOLDER, multiple=True, required=True, help="Data set that figures rest on; may be repeated."
)
@click.option(
    "--runs", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of all trainings."
)
@click.option("--teacher", help="Trained teacher, model id or run; by default the tier's is trained first.")
@click.option("--student", default="student-s", help="Model whose recipe the arms share.")
@click.option("--init-from", "start", help="Model or run that all arms start from; else the teacher or nothing.")
@click.option("--steps", type=click.IntRange(1), help="Steps of each student; by default those of its recipe.")
@click.option("--seeds", type=click.IntRange(1), default=1, help="At least this many seeds of every arm.")
@click.option("--latency/--no-latency", default=True, help="Export to ONNX and time the networks.")
@click.option(
    "--output", type=click.Path(path_type=Path, file_okay=False), default=RESULTS.parent, help="Report and pictures."
)
def main(
    tier: str,
    data: tuple[Path, ...],
    validation: Path | None,
    heldout: tuple[Path, ...],
    runs: Path,
    teacher: str | None,
    student: str,
    start: str | None,
    steps: int | None,
    seeds: int,
    latency: bool,
    output: Path,
) -> None:
    recipe = find_model(student) / MODEL_FILE
    trained, begun = (None if name is None else find_model(name) for name in (teacher, start))
    sources = Sources(data, validation)
    afforded = replace(with_seeds(TIERS[tier], seeds), steps=steps)
    show(run(afforded, recipe, trained, sources, heldout, runs, output, start=begun, latency=latency))


if __name__ == "__main__":
    run_command(main)
