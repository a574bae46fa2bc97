"""Scoring a network on a validation set while it trains."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from torch.utils.data import IterableDataset

from edgeseld.core.errors import DataError
from edgeseld.core.spec import ModelSpec
from edgeseld.metrics.labels import Labels, labels_from_prediction, without_directions
from edgeseld.metrics.rules import RULES
from edgeseld.metrics.score import Score, score
from edgeseld.nn.heads import Output
from edgeseld.runtime.decode import decode
from edgeseld.runtime.unify import unify
from edgeseld.train.batches import Batch, Place, consecutive_places, load_batch
from edgeseld.train.feature_store import FeatureStore

# Number of the store, and of the scene in it.
Scene = tuple[int, int]
# One scene in so many is held out where no validation set is named.
HELD_OUT = 10


class ValidationScenes(IterableDataset[Batch]):
    """Windows of whole scenes in, one score out (2023 rules, macro, the evaluator's quirks mended)."""

    def __init__(self, stores: Sequence[FeatureStore], spec: ModelSpec, batch_size: int) -> None:
        super().__init__()
        self.stores, self.spec = tuple(stores), spec
        places = [place for index, store in enumerate(stores) for place in consecutive_places(store, index)]
        self.batches = [places[i : i + batch_size] for i in range(0, len(places), batch_size)]
        self._outputs: dict[Scene, dict[str, np.ndarray]] = {}

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Batch]:
        """All windows, in order."""
        for places in self.batches:
            yield load_batch(self.stores, places, len(self.spec.classes))

    def add(self, batch_index: int, output: Output) -> None:
        """Keep the outputs of one batch."""
        arrays = {name: tensor.float().cpu().numpy() for name, tensor in output.items()}
        for item, place in enumerate(self.batches[batch_index]):
            self._place(place, {name: array[item] for name, array in arrays.items()})

    def _place(self, place: Place, window: dict[str, np.ndarray]) -> None:
        length = self.stores[place.store].index.label_frames[place.scene]
        scene = self._outputs.setdefault((place.store, place.scene), {})
        for name, array in window.items():
            whole = scene.setdefault(name, np.zeros((length, *array.shape[1:]), np.float32))
            whole[place.frame : place.frame + len(array)] = array

    def score(self) -> Score:
        """Score of all scenes added since the last call."""
        predicted = {self._name(scene): self._labels(output) for scene, output in self._outputs.items()}
        reference = {self._name(scene): self._reference(scene) for scene in self._outputs}
        self._outputs = {}
        rules = replace(RULES["dcase2023"], corrected=True)
        return score(reference, predicted, rules, class_count=len(self.spec.classes))

    def scores(self) -> dict[str, float]:
        """Values of the score by name, rounded as they are kept."""
        return {name: round(value, 4) for name, value in self.score().values.items()}

    def _reference(self, scene: Scene) -> Labels:
        labels = self.stores[scene[0]].labels[scene[1]]
        return without_directions(labels) if self.spec.head.format == "sed" else labels

    def _name(self, scene: Scene) -> str:
        """Scenes of two sets may share their names."""
        store, number = scene
        return f"{store}/{self.stores[store].names[number]}"

    def _labels(self, output: dict[str, np.ndarray]) -> Labels:
        classes, tracking = self.spec.classes, self.spec.tracking
        thresholds = tracking.thresholds(classes)
        prediction = unify(decode(output, self.spec.head.format, classes), thresholds, tracking.unify_deg)
        return labels_from_prediction(prediction, thresholds)


def hold_out(stores: Sequence[FeatureStore]) -> tuple[list[FeatureStore], list[FeatureStore]]:
    """Training and validation scenes: one in ten by the hash of its name, the same ones in every run, at least one.

    DataError where there is but one scene.
    """
    places = [(index, scene) for index, store in enumerate(stores) for scene in range(len(store.names))]
    if len(places) < 2:
        raise DataError("holding out a scene to validate on needs two, got one: name a data set with --validation")
    ranks = {(index, scene): _rank(stores[index].names[scene]) for index, scene in places}
    chosen = [place for place in places if ranks[place] % HELD_OUT == 0]
    if not 0 < len(chosen) < len(places):
        chosen = [min(places, key=lambda place: ranks[place])]
    return _chosen(stores, [place for place in places if place not in chosen]), _chosen(stores, chosen)


def _rank(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])


def _chosen(stores: Sequence[FeatureStore], places: Sequence[Scene]) -> list[FeatureStore]:
    return [store.select([scene for index, scene in places if index == number]) for number, store in enumerate(stores)]
