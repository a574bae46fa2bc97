"""Batches: features, targets and what teachers said of some windows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from edgeseld.core.errors import DataError
from edgeseld.data.targets import adpit_target
from edgeseld.train.feature_store import FeatureStore


@dataclass(frozen=True, slots=True)
class Batch:
    """Features (batch, maps, hops, mel_bands) before standardisation, ADPIT target (batch, frames, 6, 5, classes).

    `places` says where each item comes from, for messages. In distillation `taught` holds the teachers' outputs by
    name, `heard` the features of the same windows for each teacher that runs along, `shown` the first teacher's maps.
    """

    features: Tensor
    target: Tensor
    places: tuple[str, ...]
    taught: Mapping[str, Tensor] = field(default_factory=dict)
    heard: tuple[Tensor, ...] = ()
    shown: tuple[Tensor, ...] = ()

    def to(self, device: torch.device) -> "Batch":
        """The batch on a device; Lightning calls this."""
        return self._each(lambda tensor: tensor.to(device))

    def in_order(self, order: Tensor) -> "Batch":
        """What its items hold in another order; where they come from stays."""
        return self._each(lambda tensor: tensor[order])

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        return replace(
            self,
            features=change(self.features),
            target=change(self.target),
            taught={name: change(tensor) for name, tensor in self.taught.items()},
            heard=tuple(map(change, self.heard)),
            shown=tuple(map(change, self.shown)),
        )


@dataclass(frozen=True, slots=True)
class Place:
    """A window: store, scene, first label frame."""

    store: int
    scene: int
    frame: int


def load_batch(stores: Sequence[FeatureStore], places: Sequence[Place], classes: int) -> Batch:
    """Features and targets of windows."""
    frames = stores[0].index.signal.window_frames
    features = np.stack([stores[p.store].window(p.scene, p.frame, frames) for p in places])
    return Batch(
        features=torch.from_numpy(features).float(),
        target=load_targets(stores, places, frames, classes),
        places=place_names(stores, places),
    )


def load_targets(stores: Sequence[FeatureStore], places: Sequence[Place], frames: int, classes: int) -> Tensor:
    """ADPIT targets of windows."""
    targets = [adpit_target(stores[p.store].targets[p.scene], p.frame, frames, classes) for p in places]
    return torch.from_numpy(np.stack(targets))


def place_names(stores: Sequence[FeatureStore], places: Sequence[Place]) -> tuple[str, ...]:
    """Where windows come from, for messages."""
    return tuple(f"{stores[p.store].names[p.scene]} at {p.frame / 10:.1f} s" for p in places)


def consecutive_places(store: FeatureStore, index: int = 0) -> list[Place]:
    """Windows side by side over all scenes of a store; the last one of a scene ends with it."""
    frames = store.index.signal.window_frames
    places = []
    for scene, length in enumerate(store.index.label_frames):
        starts = [*range(0, length - frames, frames), length - frames]
        places += [Place(index, scene, start) for start in starts]
    return places


def require_same_signal(stores: Sequence[FeatureStore]) -> None:
    """DataError unless there is at least one store and all hold the features of one frontend."""
    if not stores:
        raise DataError("training needs at least one data set, got none: name it with --data")
    if any(store.index.signal != stores[0].index.signal for store in stores):
        raise DataError("all data sets of one training need the same features, got different ones: rebuild the stores")
