"""From counts to ER, F, LE, LR, DOAE, RDE and SELD, for one set of files or for many weightings of them at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeseld.metrics.counts import EPSILON, Counts, over_classes
from edgeseld.metrics.rules import Average, Rules

Float64 = NDArray[np.float64]
Measures = dict[str, Float64]


def classwise_measures(pooled: Counts, rules: Rules) -> Measures:
    """Every measure per class, (..., classes), NaN where it is not defined; ER is the same in all classes."""
    error_rate = np.broadcast_to(_error_rate(pooled, rules)[..., None], pooled.references.shape)
    return _measures(pooled, error_rate, rules)


def average_measures(pooled: Counts, rules: Rules, average: Average, classes: Sequence[int]) -> Measures:
    """Every measure over all classes, or over the ids in `classes`, shape (...,).

    Micro adds up the counts of the classes first; macro takes the mean of the classes in which a measure is defined.
    ER counts all classes in either case.
    """
    chosen = list(classes)
    if average == "micro":
        return _measures(over_classes(pooled, chosen), _error_rate(pooled, rules), rules)
    classwise = classwise_measures(pooled, rules)
    return {name: _mean(values[..., chosen]) for name, values in classwise.items()}


def _error_rate(pooled: Counts, rules: Rules) -> Float64:
    """Substitutions, deletions and insertions per reference track, over all classes."""
    errors = pooled.substitutions + pooled.deletions + pooled.insertions
    return _ratio(errors, pooled.references.sum(axis=-1), rules)


def _measures(counts: Counts, error_rate: Float64, rules: Rules) -> Measures:
    """The measures of `rules` from counts of any shape."""
    found = counts.true_positives + rules.spatial_weight * counts.spatial_false_positives
    f_score = _ratio(counts.true_positives, found + 0.5 * (counts.false_positives + counts.misses), rules)
    localization_error = _localization_error(counts, rules)
    measures = {
        "ER": error_rate,
        "F": f_score,
        "LE": localization_error,
        "DOAE": localization_error,
        "LR": _ratio(counts.matched, counts.matched + counts.misses, rules),
        "DE_m": _per_match(counts.distance_error_m, counts),
        "RDE": _per_match(counts.relative_distance_error, counts),
        "onscreen_accuracy": _per_match(counts.onscreen_correct, counts),
    }
    return {name: _seld(measures, rules) if name == "SELD" else measures[name] for name in rules.measures}


def _ratio(part: Float64, whole: Float64, rules: Rules) -> Float64:
    """Official programs divide by whole + epsilon, so that 0 / 0 is 0; corrected, it is not defined."""
    if not rules.corrected:
        return np.asarray(part / (whole + EPSILON))
    return _divide(part, whole)


def _divide(part: Float64, whole: Float64) -> Float64:
    """Quotient, NaN where the whole is 0."""
    quotient = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=quotient, where=np.asarray(whole) > 0)
    return quotient


def _per_match(total: Float64, counts: Counts) -> Float64:
    """Mean over the matched tracks, NaN where there is none."""
    return _divide(total, counts.matched)


def _localization_error(counts: Counts, rules: Rules) -> Float64:
    error = _per_match(counts.angle_error_deg, counts)
    unmatched = np.isnan(error) & (np.asarray(counts.references > 0) | (not rules.corrected))
    return np.where(unmatched, rules.unmatched_error_deg, error)


def _seld(measures: Measures, rules: Rules) -> Float64:
    """Mean of the errors that are defined; not defined itself where F is not."""
    wrong = 1 - measures["F"]
    if rules.distance:
        errors = [wrong, measures["DOAE"] / 180, measures["RDE"]]
    else:
        errors = [measures["ER"], wrong, measures["LE"] / 180, 1 - measures["LR"]]
    return np.where(np.isnan(wrong), np.nan, _mean(np.stack(errors, axis=-1)))


def _mean(values: Float64) -> Float64:
    """Mean of the defined values along the last axis, NaN if there is none."""
    defined = ~np.isnan(values)
    return _divide(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1, dtype=np.float64))
