"""Scoring a network on a validation set while it trains."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from torch.utils.data import IterableDataset

from edgeseld.core.spec import ModelSpec
from edgeseld.metrics.labels import Labels, labels_from_prediction
from edgeseld.metrics.rules import RULES
from edgeseld.metrics.score import Score, score
from edgeseld.nn.heads import Output
from edgeseld.runtime.decode import decode
from edgeseld.runtime.unify import unify
from edgeseld.train.batches import Batch, Place, consecutive_places, load_batch
from edgeseld.train.feature_store import FeatureStore


class ValidationScenes(IterableDataset[Batch]):
    """Windows of whole scenes in, one score out (2023 rules, macro, the evaluator's quirks mended)."""

    def __init__(self, store: FeatureStore, spec: ModelSpec, batch_size: int) -> None:
        super().__init__()
        self.store, self.spec = store, spec
        places = consecutive_places(store)
        self.batches = [places[i : i + batch_size] for i in range(0, len(places), batch_size)]
        self._outputs: dict[int, dict[str, np.ndarray]] = {}

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Batch]:
        """All windows, in order."""
        for places in self.batches:
            yield load_batch([self.store], places, len(self.spec.classes))

    def add(self, batch_index: int, output: Output) -> None:
        """Keep the outputs of one batch."""
        arrays = {name: tensor.float().cpu().numpy() for name, tensor in output.items()}
        for item, place in enumerate(self.batches[batch_index]):
            self._place(place, {name: array[item] for name, array in arrays.items()})

    def _place(self, place: Place, window: dict[str, np.ndarray]) -> None:
        length = self.store.index.label_frames[place.scene]
        scene = self._outputs.setdefault(place.scene, {})
        for name, array in window.items():
            whole = scene.setdefault(name, np.zeros((length, *array.shape[1:]), np.float32))
            whole[place.frame : place.frame + len(array)] = array

    def score(self) -> Score:
        """Score of all scenes added since the last call."""
        predicted = {self.store.names[scene]: self._labels(output) for scene, output in self._outputs.items()}
        reference = {self.store.names[scene]: self.store.labels[scene] for scene in self._outputs}
        self._outputs = {}
        rules = replace(RULES["dcase2023"], corrected=True)
        return score(reference, predicted, rules, class_count=len(self.spec.classes))

    def _labels(self, output: dict[str, np.ndarray]) -> Labels:
        classes, tracking = self.spec.classes, self.spec.tracking
        thresholds = tracking.thresholds(classes)
        prediction = unify(decode(output, self.spec.head.format, classes), thresholds, tracking.unify_deg)
        return labels_from_prediction(prediction, thresholds)
