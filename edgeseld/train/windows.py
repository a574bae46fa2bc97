"""Training windows. What a step sees depends on seed and step alone, so that a resumed training is the same one."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from edgeseld.core.errors import DataError
from edgeseld.train.batches import Batch, Place, load_batch, load_targets, place_names
from edgeseld.train.feature_store import FeatureStore
from edgeseld.train.resident import (
    Resident,
    cut_features,
    features_bytes,
    fits,
    resident_features,
    resident_targets,
    targets_bytes,
)

# Processes that load batches for a GPU.
MOST_WORKERS = 8


class StepWindows(IterableDataset[Batch], ABC):
    """Batch after batch from `first_step` on; what a batch holds follows from its step and the rank of the process."""

    def __init__(self, *, batch_size: int, steps: int, seed: int) -> None:
        super().__init__()
        self.batch_size, self.steps, self.seed = batch_size, steps, seed
        self.first_step, self.rank = 0, 0

    def __len__(self) -> int:
        """Batches that are left: without it Lightning would not validate what the last steps learned."""
        return self.steps - self.first_step

    def __iter__(self) -> Iterator[Batch]:
        """Batches of the steps `first_step` .. `steps` - 1, those of this loader process."""
        for step in worker_steps(self.first_step, self.steps):
            yield self.batch(step)

    # Processes that load batches ahead of the training.
    workers: int

    @abstractmethod
    def batch(self, step: int) -> Batch:
        """The batch of one step."""

    def keep_on(self, device: torch.device) -> None:
        """Keep on a GPU what batches are cut from, where there is such a thing."""


def worker_steps(first: int, last: int) -> range:
    """Steps that fall to this loader process: they take turns, so that batches come in the order of the steps."""
    worker = get_worker_info()
    return range(first, last) if worker is None else range(first + worker.id, last, worker.num_workers)


class RandomWindows(StepWindows):
    """Every window of every scene equally likely.

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
        super().__init__(batch_size=batch_size, steps=steps, seed=seed)
        self.stores, self.classes = stores, classes
        # Two CPU cores have better things to do; a GPU must not wait.
        self.workers = min(MOST_WORKERS, (os.cpu_count() or 1) - 1) if torch.cuda.is_available() else 0
        self.features: Resident | None = None
        self.targets: Resident | None = None
        self.balanced = round(balanced_share * batch_size)
        self.frames = stores[0].index.signal.window_frames
        self.scenes = [(s, scene) for s, store in enumerate(stores) for scene in range(len(store.names))]
        self.starts = np.array([stores[s].index.label_frames[scene] - self.frames + 1 for s, scene in self.scenes])
        self.sounding = _frames_by_class(stores, self.scenes, classes) if self.balanced else []

    def batch(self, step: int) -> Batch:
        """The batch of one step."""
        return self.load(self.places(step))

    def places(self, step: int) -> list[Place]:
        """Where the windows of one step lie."""
        generator = np.random.default_rng((self.seed, step, self.rank) if self.rank else (self.seed, step))
        anywhere = self._anywhere(generator, self.batch_size - self.balanced)
        return anywhere + [self._sounding(generator) for _ in range(self.balanced)]

    def load(self, places: Sequence[Place]) -> Batch:
        """The batch of these windows."""
        if self.features is None or self.targets is None:
            return load_batch(self.stores, places, self.classes)
        return Batch(
            features=cut_features(self.features, places, self.frames),
            target=self.target(places),
            places=place_names(self.stores, places),
        )

    def target(self, places: Sequence[Place]) -> Tensor:
        """ADPIT targets (batch, frames, 6, 5, classes) of these windows."""
        if self.targets is None:
            return load_targets(self.stores, places, self.frames, self.classes)
        return self.targets.windows(places, self.frames)

    @property
    def resident_bytes(self) -> int:
        """Memory that everything a batch is cut from takes on a device."""
        return features_bytes(self.stores) + targets_bytes(self.stores, self.classes)

    def keep_on(self, device: torch.device) -> None:
        """Keep the features and targets of all scenes on a GPU; where they do not fit, processes load every batch."""
        if self.features is None and fits(device, self.resident_bytes):
            self.workers = 0
            self.move_to(device)

    def move_to(self, device: torch.device) -> None:
        """Copy what batches are cut from."""
        self.features = resident_features(self.stores, device)
        self.targets = resident_targets(self.stores, self.classes, device)

    def _anywhere(self, generator: np.random.Generator, count: int) -> list[Place]:
        positions = generator.integers(self.starts.sum(), size=count)
        ends = np.cumsum(self.starts)
        chosen = np.searchsorted(ends, positions, side="right")
        frames = positions - ends[chosen] + self.starts[chosen]
        found = zip((self.scenes[scene] for scene in chosen), frames.tolist(), strict=True)
        return [Place(store, scene, frame) for (store, scene), frame in found]

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
