"""`edgeseld evaluate`."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeseld.cli.options import BACKENDS, exit_option, json_option, model_argument

if TYPE_CHECKING:
    from edgeseld.bench.calibrating import CalibrationReport

RULES = ("dcase2021", "dcase2022", "dcase2023", "dcase2024", "dcase2025")


@click.command(name="evaluate", epilog="Example: edgeseld evaluate student-s heldout --rules dcase2023")
@model_argument
@click.argument("data", type=click.Path(path_type=Path, file_okay=False))
@click.option("--rules", "rules_name", type=click.Choice(RULES), required=True, help="Year of the evaluator.")
@exit_option
@click.option("--calibrate", is_flag=True, help="Fit a calibration on DATA and write the bundle that carries it.")
@click.option("--output", type=click.Path(path_type=Path), help="The calibrated bundle, NAME.seld.")
@click.option("--mc-samples", type=click.IntRange(0), default=0, help="Monte Carlo dropout samples.")
@click.option("--time-shifts", type=click.IntRange(1), default=1, help="Shifts by 30 ms that are averaged; odd.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Seed of the dropout masks.")
@click.option("--backend", type=click.Choice(BACKENDS), help="Runtime of a model given by id.  [default: onnx]")
@click.option("--precision", default="fp32", help="Precision of a model given by id.")
@click.option("--threads", type=click.IntRange(1), default=1)
@json_option
def command(
    model: str,
    data: Path,
    rules_name: str,
    exit_name: str | None,
    calibrate: bool,
    output: Path | None,
    mc_samples: int,
    time_shifts: int,
    seed: int,
    backend: str | None,
    precision: str,
    threads: int,
    as_json: bool,
) -> None:
    """Hear every scene of DATA with MODEL and score what was heard.

    --calibrate fits temperature, bias and threshold of each class on DATA, and with --mc-samples or --time-shifts the
    angular spread; choose scenes that the model was not trained on, and test on others.
    """
    if calibrate != (output is not None):
        raise click.UsageError("--calibrate and --output belong together")
    from edgeseld.bench.accuracy import evaluate
    from edgeseld.bench.calibrating import calibrate_bundle
    from edgeseld.cli.score_table import print_score
    from edgeseld.cli.terminal import progress
    from edgeseld.core.early_exit import exit_folder
    from edgeseld.core.locate import find_bundle, find_model
    from edgeseld.metrics.rules import RULES as YEARS
    from edgeseld.runtime.model import load

    bundle = find_bundle(model, backend or "onnx", precision) if calibrate else None
    if exit_name is not None and calibrate:
        raise click.UsageError("--calibrate takes a bundle: export the exit, then calibrate its bundle")
    with exit_folder(find_model(model), exit_name) if exit_name else nullcontext(bundle or model) as place:
        loaded = load(place, threads=threads, backend=backend, precision=precision)
    passes: dict[str, Any] = {"mc_samples": mc_samples, "time_shifts": time_shifts, "seed": seed}
    result = evaluate(loaded, data, YEARS[rules_name], progress, **passes)
    report = None
    if bundle is not None and output is not None:
        report = calibrate_bundle(loaded, bundle, data, output, progress, **passes)
    print_score(
        result.score,
        class_names=loaded.interface.classes,
        as_json=as_json,
        more={} if report is None else {"calibration": report},
    )
    if report is not None and not as_json:
        _print_calibration(report)


def _print_calibration(report: "CalibrationReport") -> None:
    """What the calibration is worth, and where it is."""
    from edgeseld.cli.terminal import print_table

    test = report.test
    if test is not None:
        print_table(
            f"calibration, fitted and tried in turn on {test.groups} groups of {report.scenes} scenes",
            ["", "calibration error", "frame-wise F"],
            [
                ["before", f"{test.error_before:.4f}", f"{test.f_before:.3f}"],
                ["after", f"{test.error_after:.4f}", f"{test.f_after:.3f}"],
            ],
        )
    click.echo(f"{report.bundle}: fitted on all scenes, spreads times {report.spread_factor:g}")
