"""edgeseld score: DCASE prediction files against reference files."""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from edgeseld.cli.score_table import print_score
from edgeseld.core.errors import ConfigError
from edgeseld.metrics.faults import ScoreWarning
from edgeseld.metrics.intervals import jackknife
from edgeseld.metrics.label_files import read_label_folder
from edgeseld.metrics.rules import RULES, Average, Rules
from edgeseld.metrics.score import CLASS_COUNT, score


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
    print_score(result, intervals, as_json=as_json)


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
