"""Is the uncertainty worth its cost: `python -m benchmarks.uncertainty MODEL --fit VALIDATION --test HELDOUT...`.

The calibration is fitted on one data set and tried on others, whose clips and rooms are different ones. On those, for
each placement of dropout and each choice of passes: how well each value tells wrong events from right ones (AUROC,
chance is 0.5), beside the plain confidence of one pass for the same events, and what keeping the surest 80 % of the
events does to their precision; `together` weighs all values as the events of the first data set teach. An event is
right if for at least half of its frames a source of its class sounds within 20 degrees.
"""

import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

import click
import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.judged_events import Predictions, Ranking, Scenes, judge, rank
from edgeseld.bench.accuracy import dataset_for, detections, hear_dataset
from edgeseld.bench.calibrating import hear_estranged
from edgeseld.bench.machine import Machine, this_machine
from edgeseld.cli import run_command
from edgeseld.cli.terminal import print_table, progress
from edgeseld.core.atomic import write_atomic
from edgeseld.core.locate import MODEL_FILE, find_model
from edgeseld.core.manifest import Interface
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import Frozen, read_toml, to_json, to_toml
from edgeseld.data.dataset import read_scene_labels
from edgeseld.export.calibration import Heard, fit_calibration, uncalibrated
from edgeseld.export.exporting import export_model
from edgeseld.export.recipe import read_recipe, recipe_path
from edgeseld.metrics.calibration import reliability
from edgeseld.metrics.direction_errors import angular_coverage, direction_errors
from edgeseld.metrics.plots import plot_reliability
from edgeseld.metrics.rules import RULES
from edgeseld.metrics.score import score
from edgeseld.nn.weights import WEIGHTS_FILE
from edgeseld.runtime.calibrate import Calibration, calibrated
from edgeseld.runtime.model import Model, load

RESULTS = Path(__file__).parent / "results" / "uncertainty.json"

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

PLACEMENTS = ("head", "last-block", "feed-forwards")
# Monte Carlo samples and time shifts.
PASSES = ((10, 1), (30, 1), (0, 5), (10, 5))
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


class PassesReport(Frozen, frozen=True, kw_only=True):
    """One choice of passes on one data set: scores, events, and each value that ranks them."""

    placement: str
    mc_samples: int
    time_shifts: int
    F20: float
    LE: float
    events: int
    precision: float
    rankings: dict[str, Ranking]
    coverage_gap_before: float
    coverage_gap_after: float


class CalibrationFigures(Frozen, frozen=True, kw_only=True):
    """Expected calibration error of the deterministic pass, and its F20, before and after.

    `error_plain_fit` is the error after a fit on the same scenes as they are, not made strange.
    """

    error_before: float
    error_plain_fit: float
    error_after: float
    F20_before: float
    F20_after: float


class UncertaintyReport(Frozen, frozen=True, kw_only=True):
    """What is written with --save."""

    model: str
    fitted_on: str
    machine: Machine
    versions: dict[str, str]
    calibration: dict[str, CalibrationFigures]
    passes: dict[str, tuple[PassesReport, ...]]


def listen(model: Model, root: Path) -> Scenes:
    """The deterministic pass over a data set."""
    dataset = dataset_for(model, root)
    references = {scene.name: read_scene_labels(dataset, scene) for scene in dataset.scenes}
    return Scenes(root, references, hear_dataset(model, dataset, progress))


def variant(model: Path, placement: str, folder: Path) -> Model:
    """The model with dropout drawn elsewhere, as an ONNX bundle; the weights are the same."""
    spec = read_toml(model / MODEL_FILE, ModelFile)
    dropout = msgspec.structs.replace(spec.dropout, placement=placement)
    place = folder / placement / spec.id
    write_atomic(place / MODEL_FILE, to_toml(msgspec.structs.replace(spec, dropout=dropout)))
    write_atomic(place / WEIGHTS_FILE, (model / WEIGHTS_FILE).read_bytes())
    return load(export_model(place, read_recipe(recipe_path("onnx", "fp32")), place.parent).path)


def scores(heard: Predictions, scenes: Scenes, class_count: int) -> tuple[float, float]:
    """F20 and LE under the 2023 rules, macro over all classes."""
    detected = {name: detections(prediction) for name, prediction in heard.items()}
    values = score(scenes.references, detected, RULES["dcase2023"], class_count=class_count).values
    return values["F"], values["LE"]


def coverage_gap(heard: Predictions, scenes: Scenes, class_count: int, factor: float) -> float:
    """Mean distance of the share of true directions that caps hold from the share they should hold."""
    detected = {name: detections(prediction) for name, prediction in heard.items()}
    errors = direction_errors(scenes.references, detected, RULES["dcase2023"], class_count=class_count)
    return angular_coverage(errors.error_deg, np.minimum(errors.spread_deg * factor, 90.0)).expected_error


def placements(
    model: Path, fit: Path, tests: Sequence[Path], wanted: Sequence[str], pictures: Path | None
) -> Iterator[tuple[str, CalibrationFigures | PassesReport]]:
    """Name of the test set, then calibration figures (once) and a report per placement and choice of passes."""
    with tempfile.TemporaryDirectory() as folder:
        for number, placement in enumerate(wanted):
            raw = uncalibrated(variant(model, placement, Path(folder)))
            known, others = listen(raw, fit), [listen(raw, root) for root in tests]
            interface, count = raw.interface, len(raw.interface.classes)
            sampled = hear_dataset(raw, dataset_for(raw, fit), progress, mc_samples=10)
            strange = hear_estranged(raw, dataset_for(raw, fit), progress)
            fitted = fit_calibration(interface, known.plain, known.references, fit.name, sampled, strange)
            better = Model(calibrated(interface, fitted), raw.backend)
            ours = [listen(better, root) for root in tests]
            for before, after in zip(others, ours, strict=True) if number == 0 else ():
                yield after.root.name, _calibration_figures(before, after, known, interface, pictures)
            fit_scenes = listen(better, fit)
            for mc_samples, time_shifts in PASSES:
                if number and not mc_samples:
                    continue
                passes = {"mc_samples": mc_samples, "time_shifts": time_shifts}
                heard = hear_dataset(better, dataset_for(better, fit), progress, **passes)
                judged = judge(heard, fit_scenes, interface.classes)
                for scenes in ours:
                    heard = hear_dataset(better, dataset_for(better, scenes.root), progress, **passes)
                    events = judge(heard, scenes, interface.classes)
                    f_score, error_deg = scores(heard, scenes, count)
                    gap = partial(coverage_gap, heard, scenes, count)
                    yield (
                        scenes.root.name,
                        PassesReport(
                            placement=placement if mc_samples else "none",
                            F20=f_score,
                            LE=error_deg,
                            events=len(events.right),
                            precision=float(events.right.mean()),
                            rankings=rank(events, judged),
                            coverage_gap_before=gap(1.0 / fitted.calibration.spread_factor),
                            coverage_gap_after=gap(1.0),
                            **passes,
                        ),
                    )


def _calibration_figures(
    before: Scenes, after: Scenes, known: Scenes, interface: Interface, pictures: Path | None
) -> CalibrationFigures:
    count = len(interface.classes)
    activity, presence = Heard(before.plain, before.references).activities(count)
    plain_fit = fit_calibration(interface, known.plain, known.references, known.root.name).calibration
    believed = Calibration.of(plain_fit, interface.classes).activity(activity.astype(np.float32))
    diagrams = {
        "before": reliability(activity, presence),
        "after, fitted on other groups": reliability(*Heard(after.plain, after.references).activities(count)),
    }
    if pictures is not None:
        plot_reliability(pictures / f"reliability-{after.root.name}.png", diagrams)
    errors = [diagram.expected_error for diagram in diagrams.values()]
    return CalibrationFigures(
        error_before=errors[0],
        error_plain_fit=reliability(believed.astype(np.float64), presence).expected_error,
        error_after=errors[1],
        F20_before=scores(before.plain, before, count)[0],
        F20_after=scores(after.plain, after, count)[0],
    )


@click.command(help=__doc__)
@click.argument("model")
@click.option("--fit", type=FOLDER, required=True, help="Data set that the calibration is fitted on.")
@click.option("--test", "tests", type=FOLDER, multiple=True, required=True, help="Data sets that it is tried on.")
@click.option("--placement", "wanted", type=click.Choice(PLACEMENTS), multiple=True, help="Default: all three.")
@click.option("--pictures", type=click.Path(path_type=Path, file_okay=False), help="Folder for reliability diagrams.")
@click.option("--save", is_flag=True, help=f"Write {RESULTS.name} under benchmarks/results.")
def main(
    model: str, fit: Path, tests: tuple[Path, ...], wanted: tuple[str, ...], pictures: Path | None, save: bool
) -> None:
    folder = find_model(model)
    calibration: dict[str, CalibrationFigures] = {}
    passes: dict[str, tuple[PassesReport, ...]] = {root.name: () for root in tests}
    for name, part in placements(folder, fit, tests, wanted or PLACEMENTS, pictures):
        if isinstance(part, CalibrationFigures):
            calibration[name] = part
        else:
            passes[name] += (part,)
    report = UncertaintyReport(
        model=read_toml(folder / MODEL_FILE, ModelFile).id,
        fitted_on=fit.name,
        machine=this_machine(),
        versions={name: version(name) for name in ("edgeseld", "onnxruntime", "numpy")},
        calibration=calibration,
        passes=passes,
    )
    show(report)
    if save:
        write_atomic(RESULTS, to_json(report))


def show(report: UncertaintyReport) -> None:
    """A table of the calibration, then one per data set: AUROC, and the precision of the surest 80 % behind it."""
    rows = [
        [name, *(f"{value:.4f}" for value in msgspec.structs.astuple(figures))]
        for name, figures in report.calibration.items()
    ]
    header = ["data", "calibration error before", "plain fit", "after", "F20 before", "after"]
    print_table(f"{report.model}: calibration fitted on {report.fitted_on}", header, rows)
    for name, parts in report.passes.items():
        values = list(parts[0].rankings)
        header = ["dropout", "N", "K", "F20", "LE", "events", "precision", *values, "coverage gap", "calibrated"]
        print_table(f"{name}: AUROC, and precision of the surest 80 %", header, [_row(part, values) for part in parts])


def _row(part: PassesReport, values: list[str]) -> list[str]:
    ranked = [f"{part.rankings[key].auroc:.3f} {part.rankings[key].precision_kept:.3f}" for key in values]
    gaps = [f"{part.coverage_gap_before:.3f}", f"{part.coverage_gap_after:.3f}"]
    figures = [f"{part.F20:.3f}", f"{part.LE:.1f}", str(part.events), f"{part.precision:.3f}"]
    return [part.placement, str(part.mc_samples), str(part.time_shifts), *figures, *ranked, *gaps]


if __name__ == "__main__":
    run_command(main)
