"""A score as a table or as JSON."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import click

from edgeseld.core.structs import to_json
from edgeseld.metrics.intervals import Intervals
from edgeseld.metrics.score import Score


def print_score(
    result: Score,
    intervals: Intervals | None = None,
    class_names: Sequence[str] | None = None,
    *,
    as_json: bool,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Averages, their intervals where there are any, and each class, by name where names are given.

    `more` stands beside them in the JSON.
    """
    if as_json:
        click.echo(to_json(_report(result, intervals) | dict(more or {})), nl=False)
    else:
        _print(result, intervals, class_names)


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


def _print(result: Score, intervals: Intervals | None, class_names: Sequence[str] | None) -> None:
    # rich takes longer to import than most folders take to score.
    from edgeseld.cli.terminal import print_table

    names = list(result.values)
    rows = [["all", *(_figure(result.values[name]) for name in names)]]
    if intervals is not None:
        for end, label in enumerate(("95 % from", "95 % to")):
            rows.append([label, *(_figure(intervals.values[name][end]) for name in names)])
    for class_id in range(len(result.classwise[names[0]])):
        rows.append(
            [
                str(class_id) if class_names is None else class_names[class_id],
                *(_figure(float(result.classwise[name][class_id])) for name in names),
            ]
        )
    mode = "corrected" if result.rules.corrected else "official"
    title = f"{result.rules.name} rules, {result.average}, {mode}, {len(result.counts.files)} files"
    print_table(title, ["class", *names], rows)


def _figure(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
