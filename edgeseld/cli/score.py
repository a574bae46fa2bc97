"""edgeseld score: DCASE prediction files against reference files."""

import math
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from edgeseld.core.errors import ConfigError
from edgeseld.core.structs import to_json
from edgeseld.metrics.faults import ScoreWarning
from edgeseld.metrics.intervals import Intervals, jackknife
from edgeseld.metrics.label_files import read_label_folder
from edgeseld.metrics.rules import RULES, Average, Rules
from edgeseld.metrics.score import CLASS_COUNT, Score, score


class ClassIds(click.ParamType[list[int]]):
    """Class ids separated by commas."""

    name = "ids"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> list[int]:
        """`0,3,5` to [0, 3, 5]."""
        try:
            return [int(word) for word in str(value).split(",")]
        except ValueError:
            self.fail(f"class ids separated by commas are needed, such as 0,1,5; got {value!r}", parameter, context)


@click.command(name="score")
@click.argument("reference_dir", type=click.Path(path_type=Path))
@click.argument("prediction_dir", type=click.Path(path_type=Path))
@click.option("--rules", "rules_name", type=click.Choice(list(RULES)), required=True, help="year of the evaluator")
@click.option("--average", type=click.Choice(["macro", "micro"]), help="default: macro; dcase2021: micro")
@click.option("--corrected", is_flag=True, help="mend the quirks of the official programs; bad files are errors")
@click.option("--jackknife", "with_intervals", is_flag=True, help="95 % intervals, leaving out one file at a time")
@click.option("--doa-threshold-deg", type=float, default=20.0, help="largest direction error of a hit")
@click.option("--rde-threshold", type=float, help="largest relative distance error of a hit  [default: 1 from 2024 on]")
@click.option("--onscreen", is_flag=True, help="dcase2025: a hit needs the right on-screen flag")
@click.option("--class-count", type=click.IntRange(min=1), default=CLASS_COUNT, help="number of classes")
@click.option("--classes", type=ClassIds(), help="average over these class ids only, such as 0,1,5")
@click.option("--json", "as_json", is_flag=True, help="one JSON object on stdout")
def command(
    reference_dir: Path,
    prediction_dir: Path,
    average: Average | None,
    with_intervals: bool,
    class_count: int,
    classes: list[int] | None,
    as_json: bool,
    **rule_options: Any,
) -> None:
    """Score the CSV files in PREDICTION_DIR against those of the same names in REFERENCE_DIR.

    Both folders are searched to any depth. Every official CSV form is read; docs/metrics.md lists them, the measures,
    and what --corrected changes.

    Example: edgeseld score metadata_dev/dev-test-sony predictions --rules dcase2023 --jackknife
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ScoreWarning)
        try:
            rules = _rules(**rule_options)
            reference = read_label_folder(reference_dir, rules, "reference")
            prediction = read_label_folder(prediction_dir, rules, "prediction")
            result = score(reference, prediction, rules, average, class_count, classes)
        except ConfigError as error:
            raise click.UsageError(str(error)) from error
        intervals = jackknife(result) if with_intervals else None
    for warning in caught:
        click.echo(f"warning: {warning.message}", err=True)
    if as_json:
        click.echo(to_json(_report(result, intervals)), nl=False)
    else:
        _print(result, intervals)


def _rules(
    rules_name: str, corrected: bool, doa_threshold_deg: float, rde_threshold: float | None, onscreen: bool
) -> Rules:
    rules = RULES[rules_name]
    return replace(
        rules,
        corrected=corrected,
        doa_threshold_deg=doa_threshold_deg,
        rde_threshold=rules.rde_threshold if rde_threshold is None else rde_threshold,
        onscreen=onscreen,
    )


def _report(result: Score, intervals: Intervals | None) -> dict[str, Any]:
    """What --json prints; a measure that is not defined is null."""
    report: dict[str, Any] = {
        "rules": result.rules.name,
        "average": result.average,
        "corrected": result.rules.corrected,
        "files": len(result.counts.files),
        **result.values,
        "classwise": {name: values.tolist() for name, values in result.classwise.items()},
    }
    if intervals is not None:
        report["jackknife_CI95"] = intervals.values
        report["jackknife_CI95_classwise"] = {name: ends.tolist() for name, ends in intervals.classwise.items()}
    return report


def _print(result: Score, intervals: Intervals | None) -> None:
    # rich takes longer to import than most folders take to score.
    from edgeseld.cli.terminal import print_table

    names = list(result.values)
    rows = [["all", *(_figure(result.values[name]) for name in names)]]
    if intervals is not None:
        for end, label in enumerate(("95 % from", "95 % to")):
            rows.append([label, *(_figure(intervals.values[name][end]) for name in names)])
    for class_id in range(len(result.classwise[names[0]])):
        rows.append([str(class_id), *(_figure(float(result.classwise[name][class_id])) for name in names)])
    mode = "corrected" if result.rules.corrected else "official"
    title = f"{result.rules.name} rules, {result.average}, {mode}, {len(result.counts.files)} files"
    print_table(title, ["class", *names], rows)


def _figure(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
