"""`edgeseld evaluate`: hear every scene of a data set and score what was heard."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeseld.core.errors import DataError
from edgeseld.core.prediction import Prediction
from edgeseld.data.dataset import Dataset, open_dataset, read_scene_audio, read_scene_labels
from edgeseld.data.layout import SceneFiles
from edgeseld.metrics.labels import Labels, labels_from_prediction, without_directions
from edgeseld.metrics.rules import Rules
from edgeseld.metrics.score import Score, score
from edgeseld.runtime.model import Model

Progress = Callable[[Iterable[SceneFiles], int, str], Iterable[SceneFiles]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Score, and what it rests on, by scene."""

    score: Score
    predictions: Mapping[str, Prediction]
    references: Mapping[str, Labels]


def evaluate(
    model: Model,
    root: Path,
    rules: Rules,
    progress: Progress,
    classes: tuple[str, ...] | None = None,
    **passes: Any,
) -> Evaluation:
    """Score a model on the scenes of a data set under the rules of one year, over all classes or those named.

    `passes` are those of `Model.predict`: mc_samples, time_shifts, seed. Of a model without directions only the sounds
    are asked: every class at most once a frame, any direction is right. DataError where the data set has another class
    list or rules ask for distances the model does not give.
    """
    return evaluate_scenes(model, dataset_for(model, root), rules, progress, classes, **passes)


def evaluate_scenes(
    model: Model,
    dataset: Dataset,
    rules: Rules,
    progress: Progress,
    classes: tuple[str, ...] | None = None,
    **passes: Any,
) -> Evaluation:
    """The same on the scenes of an open data set, or on some of them."""
    predictions = hear_dataset(model, dataset, progress, **passes)
    references = {scene.name: read_scene_labels(dataset, scene) for scene in dataset.scenes}
    if model.interface.output_format == "sed":
        references = {name: without_directions(labels) for name, labels in references.items()}
    detected = {name: detections(prediction) for name, prediction in predictions.items()}
    names = model.interface.classes
    averaged = None if classes is None else [names.index(name) for name in classes]
    result = score(references, detected, rules, class_count=len(names), classes=averaged)
    return Evaluation(result, predictions, references)


def dataset_for(model: Model, root: Path) -> Dataset:
    """The scenes of a data set in the format that a model hears; DataError where its classes are others."""
    dataset, classes = open_dataset(root, model.interface.signal.channel_format), model.interface.classes
    if dataset.classes != classes:
        raise DataError(
            f"a model is scored on data with its own classes; the model has {len(classes)} "
            f"({', '.join(classes[:3])}, ...), {root} has {len(dataset.classes)} ({', '.join(dataset.classes[:3])}, "
            "...): choose another set, or train on these classes"
        )
    return dataset


def hear_dataset(model: Model, dataset: Dataset, progress: Progress, **passes: Any) -> dict[str, Prediction]:
    """What a model hears in each scene, by name."""
    scenes = progress(dataset.scenes, len(dataset.scenes), f"{model.interface.id} hears {dataset.root.name}")
    return {scene.name: model.predict(read_scene_audio(dataset, scene), **passes) for scene in scenes}


def detections(prediction: Prediction) -> Labels:
    """Frames in which a track exceeds the threshold of its class: what is scored, and what `infer --csv` writes."""
    return labels_from_prediction(prediction, prediction.tracking.thresholds(prediction.classes))
