"""Held-out scores of models without directions: sounds alone, in segments of a second."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks.heldout import DEFINITION
from edgeseld.bench.accuracy import dataset_for, hear_dataset
from edgeseld.cli.terminal import progress
from edgeseld.core.catalogue import DetectionScores
from edgeseld.core.frames import LABEL_FRAMES_PER_S
from edgeseld.core.prediction import Prediction
from edgeseld.core.structs import read_toml
from edgeseld.data.dataset import read_scene_labels
from edgeseld.data.synth.definition import HeldoutDefinition
from edgeseld.metrics.calibration import class_activity, class_presence
from edgeseld.metrics.detection import (
    DetectionCounts,
    best_thresholds,
    detection_score,
    pool_detection,
    segment_counts,
    segment_peaks,
)
from edgeseld.metrics.labels import Labels
from edgeseld.metrics.significance import CONFIDENCE, RESAMPLES
from edgeseld.runtime.model import Model


def hear_and_score(model: Model, root: Path) -> DetectionScores:
    """What a model detects in the scenes of a data set."""
    dataset = dataset_for(model, root)
    references = {scene.name: read_scene_labels(dataset, scene) for scene in dataset.scenes}
    classes = model.interface.classes
    thresholds = model.interface.tracking.thresholds(classes)
    return detection_scores(hear_dataset(model, dataset, progress), references, thresholds, classes)


def detection_scores(
    predictions: Mapping[str, Prediction],
    references: Mapping[str, Labels],
    thresholds: list[float],
    classes: tuple[str, ...],
) -> DetectionScores:
    """Scores in segments of 1 s by the activity of the loudest frame, over the headline classes."""
    columns = [classes.index(name) for name in read_toml(DEFINITION, HeldoutDefinition).headline_classes]
    scores, present = [], []
    for name, prediction in predictions.items():
        peaks = segment_peaks(class_activity(prediction), LABEL_FRAMES_PER_S)
        sounding = class_presence(references[name], prediction.frames, len(classes)).astype(np.float64)
        scores.append(peaks[:, columns])
        present.append(segment_peaks(sounding, LABEL_FRAMES_PER_S)[:, columns] > 0)
    chosen = np.array(thresholds)[columns]
    counts = segment_counts(present, [file > chosen for file in scores])
    total = detection_score(counts)
    return DetectionScores(
        F1=total.macro_f_score,
        F1_interval=_interval(counts),
        F1_MO=best_thresholds(np.concatenate(scores), np.concatenate(present)).macro_f_score,
        ER=total.error_rate,
    )


def _interval(counts: DetectionCounts) -> tuple[float, float]:
    """Percentile interval of the macro F over resampled files."""
    files = len(counts.substitutions)
    weights = np.random.default_rng(0).multinomial(files, np.full(files, 1.0 / files), RESAMPLES).astype(np.float64)
    drawn = pool_detection(counts, weights)
    sums = drawn.references + drawn.estimates
    known = sums > 0
    f_scores = 2.0 * np.divide(drawn.hits, sums, out=np.zeros_like(sums), where=known)
    means = f_scores.sum(axis=1)[known.any(axis=1)] / known.sum(axis=1)[known.any(axis=1)]
    edge = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(means, (edge, 1.0 - edge))
    return float(low), float(high)
