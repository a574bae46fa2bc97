"""Two models on the same scenes: what the second hears differently, and what that does to the scores."""

from pathlib import Path

import numpy as np

from edgeseld.bench.accuracy import Evaluation, Progress, evaluate
from edgeseld.core.structs import Frozen
from edgeseld.metrics.rules import RULES
from edgeseld.runtime.model import Model
from edgeseld.runtime.verification import changes

RULE = "dcase2023"


class Scores(Frozen, frozen=True, kw_only=True):
    """The 2023 rules, macro over the classes that were asked for."""

    F: float
    LE: float
    LR: float
    ER: float
    SELD: float


class SceneParity(Frozen, frozen=True, kw_only=True):
    """Scores of a reference and of an export, the share of the reference's active frames that changed, and turns."""

    scenes: int
    reference: Scores
    exported: Scores
    active_frames: int
    changed_frames: float
    near_threshold_frames: int
    direction_deg: float


def scene_parity(
    reference: Model, exported: Model, data: Path, progress: Progress, classes: tuple[str, ...] | None = None
) -> SceneParity:
    """Hear a data set with both; DataError where its classes are not the models'."""
    rules = RULES[RULE]
    return compare(
        evaluate(reference, data, rules, progress, classes), evaluate(exported, data, rules, progress, classes)
    )


def compare(reference: Evaluation, exported: Evaluation) -> SceneParity:
    """Two evaluations of the same scenes."""
    found = [changes(exported.predictions[name], theirs) for name, theirs in reference.predictions.items()]
    active = [one.active_frames for one in found]
    turns = [one.direction_deg for one in found]
    return SceneParity(
        scenes=len(found),
        reference=_scores(reference),
        exported=_scores(exported),
        active_frames=sum(active),
        changed_frames=sum(one.changed_frames for one in found) / max(sum(active), 1),
        near_threshold_frames=sum(one.near_threshold_frames for one in found),
        direction_deg=float(np.average(turns, weights=active)) if any(active) else 0.0,
    )


def _scores(evaluation: Evaluation) -> Scores:
    return Scores(**{name: float(evaluation.score.values[name]) for name in Scores.__struct_fields__})
