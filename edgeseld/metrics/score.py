"""Scores of predictions against references, in memory; `edgeseld score` is this on folders of CSV files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.classes import STARSS_CLASSES
from edgeseld.core.errors import ConfigError, DataError
from edgeseld.metrics.counts import Counts, count, pool
from edgeseld.metrics.faults import inspect, object_to
from edgeseld.metrics.grouping import Groups, group_rows, scored_frames
from edgeseld.metrics.labels import Labels
from edgeseld.metrics.matching import Matches, match_groups
from edgeseld.metrics.measures import average_measures, classwise_measures
from edgeseld.metrics.rules import Average, Role, Rules

CLASS_COUNT = len(STARSS_CLASSES)


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """Measures over all files, NaN where one is not defined.

    `values` are averages over the class ids `classes`; `classwise` arrays have the shape (class_count,).
    """

    rules: Rules
    average: Average
    classes: tuple[int, ...]
    values: dict[str, float]
    classwise: dict[str, NDArray[np.float64]]
    counts: Counts


def score(
    reference: Mapping[str, Labels],
    prediction: Mapping[str, Labels],
    rules: Rules,
    average: Average | None = None,
    class_count: int = CLASS_COUNT,
    classes: Sequence[int] | None = None,
) -> Score:
    """Score files by name under the rules of one year, `RULES[name]`, or `replace(RULES[name], corrected=True)`.

    The average is macro unless the rules know micro only; `classes` restricts it to some class ids. DataError for a
    prediction without reference, an empty reference (corrected: scored), and whatever the corrected mode objects to.
    """
    return score_counts(count_files(reference, prediction, rules, class_count), rules, average, classes)


def score_counts(
    counts: Counts, rules: Rules, average: Average | None = None, classes: Sequence[int] | None = None
) -> Score:
    """Score of counts that were gathered before, of all their files together."""
    average = average or rules.averages[0]
    if average not in rules.averages:
        raise ConfigError(f"{rules.name} rules have no {average} average: take {' or '.join(rules.averages)}")
    known = range(counts.references.shape[1])
    chosen = tuple(known if classes is None else classes)
    if not chosen or not set(chosen) <= set(known):
        raise ConfigError(f"classes to average over must be some of 0..{len(known) - 1}, got {list(chosen)}")
    pooled = pool(counts, np.ones(len(counts.files)))
    values = average_measures(pooled, rules, average, chosen)
    return Score(
        rules=rules,
        average=average,
        classes=chosen,
        values={name: float(value) for name, value in values.items()},
        classwise=classwise_measures(pooled, rules),
        counts=counts,
    )


def count_files(
    reference: Mapping[str, Labels], prediction: Mapping[str, Labels], rules: Rules, class_count: int = CLASS_COUNT
) -> Counts:
    """Sufficient statistics of every file that both sides hold, sorted by name."""
    names, tables, matches = match_files(reference, prediction, rules, class_count)
    return count(names, tables[0], tables[1], matches, rules, class_count)


def match_files(
    reference: Mapping[str, Labels], prediction: Mapping[str, Labels], rules: Rules, class_count: int = CLASS_COUNT
) -> tuple[list[str], tuple[Groups, Groups], Matches]:
    """Names of the scored files, their reference and predicted rows, and which row matches which."""
    names = _common_names(reference, prediction, rules)
    for name in names:
        _check(reference[name], name, "reference", rules, class_count)
        _check(prediction[name], name, "prediction", rules, class_count)
    wanted, given = [reference[name] for name in names], [prediction[name] for name in names]
    frames = [scored_frames(first, second, rules) for first, second in zip(wanted, given, strict=True)]
    tables = group_rows(wanted, frames, rules, class_count), group_rows(given, frames, rules, class_count)
    return names, tables, match_groups(tables[0], tables[1], rules, names)


def _common_names(reference: Mapping[str, Labels], prediction: Mapping[str, Labels], rules: Rules) -> list[str]:
    strangers = sorted(set(prediction) - set(reference))
    if strangers:
        raise DataError(f"prediction {strangers[0]!r} has no reference of that name{_more(strangers)}")
    missing = sorted(set(reference) - set(prediction))
    if missing:
        object_to(
            f"reference {missing[0]!r} has no prediction{_more(missing)}; an empty file says that nothing was heard",
            "the official program leaves it out of the score",
            rules,
        )
    if not prediction:
        raise DataError("there is nothing to score: no prediction was given")
    return sorted(prediction)


def _more(names: Sequence[str]) -> str:
    return f" (nor have {len(names) - 1} more)" if len(names) > 1 else ""


def _check(labels: Labels, name: str, role: Role, rules: Rules, class_count: int) -> None:
    place = f"{role} {name}"
    if role == "reference" and not len(labels) and not rules.corrected and not rules.stereo:
        raise DataError(f"{place} is empty, which stops the official program: leave it out, or score with --corrected")
    if rules.distance and len(labels) and labels.distance_m is None:
        raise DataError(f"{place} has no distance, which {rules.name} rules score: add it, or take dcase2023")
    if rules.stereo and len(labels) and labels.onscreen is None:
        raise DataError(f"{place} has no on-screen flag, which {rules.name} rules score: write 0 where it is not known")
    inspect(labels, place, role, rules, class_count)
