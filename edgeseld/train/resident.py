"""Training data in the memory of a GPU: windows are cut there, and no step waits for a processor or a disk."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgeseld.data.targets import SLOTS, VALUES, adpit_target
from edgeseld.train.batches import Place
from edgeseld.train.feature_store import FeatureStore

# Activations of a step need the rest.
MOST_OF_FREE = 0.5

# Rows of a scene by its store and number.
Rows = Callable[[int, int], NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Resident:
    """Values (frames of all scenes of all stores, ...) on a device, and each scene's first frame by store."""

    values: Tensor
    first_frames: tuple[NDArray[np.int64], ...]

    def windows(self, places: Sequence[Place], frames: int) -> Tensor:
        """Windows of `frames` label frames, (batch, frames, ...)."""
        starts = torch.tensor([int(self.first_frames[p.store][p.scene]) + p.frame for p in places])
        index = (starts.unsqueeze(1) + torch.arange(frames)).to(self.values.device)
        return self.values[index]


def make_resident(stores: Sequence[FeatureStore], rows: Rows, device: torch.device) -> Resident:
    """Copy rows (label frames, ...) of every scene to a device; a scene with too few of them ends in zeros."""
    lengths = [np.array(store.index.label_frames, np.int64) for store in stores]
    ends = np.cumsum(np.concatenate(lengths))
    starts = tuple(np.split(ends - np.concatenate(lengths), np.cumsum([len(part) for part in lengths])[:-1]))
    example = torch.from_numpy(np.array(rows(0, 0)))
    values = torch.zeros((int(ends[-1]), *example.shape[1:]), dtype=example.dtype, device=device)
    for number, first_frames in enumerate(starts):
        for scene, first in enumerate(first_frames):
            known = torch.from_numpy(np.array(rows(number, scene)))[: lengths[number][scene]]
            values[first : first + len(known)] = known.to(device)
    return Resident(values, starts)


def resident_features(stores: Sequence[FeatureStore], device: torch.device) -> Resident:
    """Features (frames, hops of a frame, maps, mel_bands) float16."""
    hops = stores[0].index.signal.hops_per_label_frame

    def rows(store: int, scene: int) -> NDArray[np.float16]:
        chosen = stores[store]
        first, length = int(chosen.first_frames[scene]) * hops, chosen.index.label_frames[scene] * hops
        features = chosen.features[first : first + length]
        return features.reshape(-1, hops, *features.shape[1:])

    return make_resident(stores, rows, device)


def resident_targets(stores: Sequence[FeatureStore], classes: int, device: torch.device) -> Resident:
    """ADPIT targets (frames, 6, 5, classes)."""
    return make_resident(
        stores,
        lambda store, scene: adpit_target(
            stores[store].targets[scene], 0, stores[store].index.label_frames[scene], classes
        ),
        device,
    )


def cut_features(features: Resident, places: Sequence[Place], frames: int) -> Tensor:
    """Features (batch, maps, hops, mel_bands) float32."""
    windows = features.windows(places, frames)
    return windows.flatten(1, 2).transpose(1, 2).float()


def cut_outputs(
    outputs: Resident, shapes: Mapping[str, tuple[int, ...]], places: Sequence[Place], frames: int
) -> dict[str, Tensor]:
    """Outputs (batch, frames, ...) float32 by name."""
    values = outputs.windows(places, frames).float()
    parts = torch.split_with_sizes(values, [prod(shape) for shape in shapes.values()], dim=2)
    return {
        name: part.reshape(*part.shape[:2], *shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)
    }


def features_bytes(stores: Sequence[FeatureStore]) -> int:
    """Memory of the features of stores."""
    signal = stores[0].index.signal
    frame_values = signal.hops_per_label_frame * prod(stores[0].features.shape[1:])
    return _frames(stores) * frame_values * stores[0].features.itemsize


def targets_bytes(stores: Sequence[FeatureStore], classes: int) -> int:
    """Memory of the targets of stores, float32."""
    return _frames(stores) * SLOTS * VALUES * classes * 4


def _frames(stores: Sequence[FeatureStore]) -> int:
    return sum(sum(store.index.label_frames) for store in stores)


def fits(device: torch.device, bytes_needed: int) -> bool:
    """Whether a GPU has room for so much and as much again for the network."""
    free, _ = torch.cuda.mem_get_info(device)
    return bytes_needed < MOST_OF_FREE * free
