"""`edgeseld evaluate`: hear every scene of a data set and score what was heard."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edgeseld.core.errors import DataError
from edgeseld.core.prediction import Prediction
from edgeseld.data.layout import SceneFiles, dataset_classes, list_scenes
from edgeseld.metrics.label_files import read_labels
from edgeseld.metrics.labels import Labels, labels_from_prediction
from edgeseld.metrics.rules import Rules
from edgeseld.metrics.score import Score, score
from edgeseld.runtime.model import Model
from edgeseld.signal.audio import read_audio

Progress = Callable[[Iterable[SceneFiles], int, str], Iterable[SceneFiles]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Score, and what it rests on, by scene."""

    score: Score
    predictions: Mapping[str, Prediction]
    references: Mapping[str, Labels]


def evaluate(
    model: Model, root: Path, rules: Rules, progress: Progress, classes: tuple[str, ...] | None = None
) -> Evaluation:
    """Score a model on the scenes of a data set under the rules of one year, over all classes or those named.

    DataError where the data set has another class list or rules ask for distances the model does not give.
    """
    interface = model.interface
    _require_classes(interface.classes, root)
    scenes = list_scenes(root, interface.signal.channel_format)
    predictions: dict[str, Prediction] = {}
    for scene in progress(scenes, len(scenes), f"{interface.id} hears {root.name}"):
        predictions[scene.name] = model.predict(read_audio(scene.audio, interface.signal.channel_format))
    references = {scene.name: read_labels(scene.labels, rules, "reference") for scene in scenes}
    detected = {name: detections(prediction) for name, prediction in predictions.items()}
    averaged = None if classes is None else [interface.classes.index(name) for name in classes]
    result = score(references, detected, rules, class_count=len(interface.classes), classes=averaged)
    return Evaluation(result, predictions, references)


def detections(prediction: Prediction) -> Labels:
    """Frames in which a track exceeds the threshold of its class: what is scored, and what `infer --csv` writes."""
    return labels_from_prediction(prediction, prediction.tracking.thresholds(prediction.classes))


def _require_classes(classes: tuple[str, ...], root: Path) -> None:
    held = dataset_classes(root)
    if held != classes:
        raise DataError(
            f"a model is scored on data with its own classes; the model has {len(classes)} "
            f"({', '.join(classes[:3])}, ...), {root} has {len(held)} ({', '.join(held[:3])}, ...): "
            "choose another set, or train on these classes"
        )
