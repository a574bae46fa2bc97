"""Batches of windows. What a step sees depends on seed and step alone, so that a resumed training is the same one."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from edgeseld.core.errors import DataError
from edgeseld.data.targets import adpit_target
from edgeseld.train.feature_store import FeatureStore

# Processes that load batches for a GPU.
MOST_WORKERS = 8


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
        """Its items in another order."""
        places = tuple(self.places[int(item)] for item in order)
        return replace(self._each(lambda tensor: tensor[order.to(tensor.device)]), places=places)

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


def worker_steps(first: int, last: int) -> range:
    """Steps that fall to this loader process: they take turns, so that batches come in the order of the steps."""
    worker = get_worker_info()
    return range(first, last) if worker is None else range(first + worker.id, last, worker.num_workers)


class RandomWindows(IterableDataset[Batch]):
    """Batch after batch from a step on, every window of every scene equally likely.

    `balanced_share` of each batch are windows around a frame in which a class sounds that was drawn before, all classes
    alike, so that rare ones are heard as often as others. Processes of one training see other windows by their rank.
    """

    def __init__(
        self,
        stores: Sequence[FeatureStore],
        classes: int,
        *,
        batch_size: int,
        steps: int,
        seed: int,
        balanced_share: float = 0.0,
    ) -> None:
        super().__init__()
        self.stores, self.classes = stores, classes
        self.batch_size, self.steps, self.seed = batch_size, steps, seed
        # Two CPU cores have better things to do; a GPU must not wait.
        self.workers = min(MOST_WORKERS, (os.cpu_count() or 1) - 1) if torch.cuda.is_available() else 0
        self.balanced = round(balanced_share * batch_size)
        self.first_step, self.rank = 0, 0
        self.frames = stores[0].index.signal.window_frames
        self.scenes = [(s, scene) for s, store in enumerate(stores) for scene in range(len(store.names))]
        self.starts = np.array([stores[s].index.label_frames[scene] - self.frames + 1 for s, scene in self.scenes])
        self.sounding = _frames_by_class(stores, self.scenes, classes) if self.balanced else []

    def __iter__(self) -> Iterator[Batch]:
        """Batches of the steps `first_step` .. `steps` - 1, those of this loader process."""
        for step in worker_steps(self.first_step, self.steps):
            yield self.batch(step)

    def batch(self, step: int) -> Batch:
        """The batch of one step."""
        generator = np.random.default_rng((self.seed, step, self.rank) if self.rank else (self.seed, step))
        places = self._anywhere(generator, self.batch_size - self.balanced)
        return self.load(places + [self._sounding(generator) for _ in range(self.balanced)])

    def load(self, places: Sequence[Place]) -> Batch:
        """The batch of these windows."""
        return load_batch(self.stores, places, self.classes)

    def _anywhere(self, generator: np.random.Generator, count: int) -> list[Place]:
        ends = np.cumsum(self.starts)
        places = []
        for position in generator.integers(self.starts.sum(), size=count):
            chosen = int(np.searchsorted(ends, position, side="right"))
            store, scene = self.scenes[chosen]
            places.append(Place(store, scene, int(position - ends[chosen] + self.starts[chosen])))
        return places

    def _sounding(self, generator: np.random.Generator) -> Place:
        """A window with a frame of a class, anywhere in it."""
        of_class = self.sounding[generator.integers(len(self.sounding))]
        chosen, frame = of_class[generator.integers(len(of_class))]
        start = np.clip(frame - generator.integers(self.frames), 0, self.starts[chosen] - 1)
        store, scene = self.scenes[chosen]
        return Place(store, scene, int(start))


def _frames_by_class(
    stores: Sequence[FeatureStore], scenes: Sequence[tuple[int, int]], classes: int
) -> list[NDArray[np.int64]]:
    """For each class that sounds at all, rows (number of the scene, frame)."""
    rows = []
    for number, (store, scene) in enumerate(scenes):
        target = stores[store].targets[scene]
        rows.append(np.column_stack([np.full_like(target.frame, number), target.frame, target.class_id]))
    joined = np.unique(np.concatenate(rows), axis=0)
    by_class = [joined[joined[:, 2] == class_id, :2] for class_id in range(classes)]
    found = [frames for frames in by_class if len(frames)]
    if not found:
        raise DataError("balanced_share needs labelled events, got none in all scenes: set it to 0")
    return found


def load_batch(stores: Sequence[FeatureStore], places: Sequence[Place], classes: int) -> Batch:
    """Features and targets of windows."""
    frames = stores[0].index.signal.window_frames
    features = np.stack([stores[p.store].window(p.scene, p.frame, frames) for p in places])
    targets = [adpit_target(stores[p.store].targets[p.scene], p.frame, frames, classes) for p in places]
    return Batch(
        features=torch.from_numpy(features).float(),
        target=torch.from_numpy(np.stack(targets)),
        places=tuple(f"{stores[p.store].names[p.scene]} at {p.frame / 10:.1f} s" for p in places),
    )


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
