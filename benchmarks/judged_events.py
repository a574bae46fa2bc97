"""Which events of a data set are right, and how well each value of theirs tells the right from the wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.events import EventUncertainty, SeldEvent
from edgeseld.core.frames import LABEL_FRAMES_PER_S
from edgeseld.core.geometry import angle_between_deg, unit_vector
from edgeseld.core.prediction import Prediction
from edgeseld.core.structs import Frozen
from edgeseld.metrics.calibration import auroc
from edgeseld.metrics.labels import Labels

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]
Predictions = Mapping[str, Prediction]

RIGHT_WITHIN_DEG, RIGHT_SHARE, KEPT_SHARE = 20.0, 0.5, 0.8


class Ranking(Frozen, frozen=True, kw_only=True):
    """What one value does for the events: AUROC of right against wrong, precision of the surest 80 %."""

    auroc: float
    precision_kept: float


@dataclass(frozen=True, slots=True)
class Scenes:
    """A data set that has been listened to without samples: labels and the deterministic pass by scene."""

    root: Path
    references: Mapping[str, Labels]
    plain: Predictions


def is_right(event: SeldEvent, labels: Labels, class_id: int) -> bool:
    """Whether a source of its class sounds where the event is, for half of its frames."""
    hits = 0
    for point in event.trajectory:
        rows = (labels.frame == round(point.time_s * LABEL_FRAMES_PER_S)) & (labels.class_id == class_id)
        if rows.any() and point.azimuth_deg is not None and point.elevation_deg is not None:
            there = unit_vector(labels.azimuth_deg[rows], labels.elevation_deg[rows])
            angle = angle_between_deg(there, unit_vector(point.azimuth_deg, point.elevation_deg))
            hits += bool(angle.min() <= RIGHT_WITHIN_DEG)
    return hits >= RIGHT_SHARE * len(event.trajectory)


def plain_confidence(event: SeldEvent, plain: Prediction, class_id: int) -> float:
    """Activity of the event's class in its frames, in the one deterministic pass."""
    frames = [round(point.time_s * LABEL_FRAMES_PER_S) for point in event.trajectory]
    return float(plain.activity[frames, :, class_id].max(axis=1).mean())


def sureness(event: SeldEvent, sure: EventUncertainty) -> dict[str, float]:
    """Every value of an event, turned so that more means surer."""
    spread_deg = 90.0 if sure.direction_spread_deg is None else sure.direction_spread_deg
    return {
        "mean activity": event.score,
        "activity_std": -sure.activity_std,
        "entropy": -sure.entropy,
        "mutual_information": -sure.mutual_information,
        "direction_spread_deg": -spread_deg,
    }


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Events of a data set: which are right, and what each value says of them, more being surer; arrays (events,)."""

    right: Bool
    values: dict[str, Float64]


def judge(heard: Predictions, scenes: Scenes, classes: Sequence[str]) -> Judged:
    """All events of a data set."""
    right: list[bool] = []
    values: list[dict[str, float]] = []
    for name, prediction in heard.items():
        for event in prediction.events():
            assert event.uncertainty is not None
            class_id = classes.index(event.class_name)
            right.append(is_right(event, scenes.references[name], class_id))
            plain = plain_confidence(event, scenes.plain[name], class_id)
            values.append({"one pass": plain} | sureness(event, event.uncertainty))
    columns = {key: np.array([one[key] for one in values]) for key in (values[0] if values else {})}
    return Judged(np.array(right, dtype=np.bool_), columns)


def together(known: Judged, events: Judged) -> Float64:
    """All values but that of one pass, weighed by a logistic regression on the events of another data set."""
    names = [name for name in known.values if name != "one pass"]
    columns = np.stack([known.values[name] for name in names])
    mean, scale = columns.mean(axis=1, keepdims=True), columns.std(axis=1, keepdims=True) + 1e-9
    design = np.concatenate([(columns - mean) / scale, np.ones((1, columns.shape[1]))])
    weights = np.zeros(len(design))
    for _ in range(30):
        chance = 1.0 / (1.0 + np.exp(-weights @ design))
        curvature = (design * (chance * (1.0 - chance))) @ design.T + np.eye(len(design))
        weights = weights - np.linalg.solve(curvature, design @ (chance - known.right) + weights)
    ours = (np.stack([events.values[name] for name in names]) - mean) / scale
    result: Float64 = weights[:-1] @ ours
    return result


def rank(events: Judged, known: Judged) -> dict[str, Ranking]:
    """What each value does for the events, and all together as weighed on the events of the fit."""
    return {
        key: Ranking(auroc=auroc(column, events.right), precision_kept=float(events.right[_surest(column)].mean()))
        for key, column in (events.values | {"together": together(known, events)}).items()
    }


def _surest(values: Float64) -> NDArray[np.int64]:
    """Places of the surest 80 %."""
    order = np.argsort(-values, kind="stable")
    return order[: round(KEPT_SHARE * len(order))]
