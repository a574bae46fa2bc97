"""Features of a data set, computed once: training on two cores spends its time on the network, not on spectra."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeseld.core.atomic import write_atomic
from edgeseld.core.disk import full_disk_told
from edgeseld.core.spec import SignalSpec
from edgeseld.core.structs import Frozen, read_json, to_json
from edgeseld.data.dataset import Dataset, open_dataset, read_scene_labels, read_scene_targets
from edgeseld.data.layout import Part, SceneFiles
from edgeseld.data.targets import TargetRows
from edgeseld.metrics.labels import Labels
from edgeseld.nn import dft, frontend
from edgeseld.nn.frontend import feature_channels
from edgeseld.signal import decoding, mel, resampling, window
from edgeseld.train.feature_building import JOURNAL, build_features

FOLDER = ".features"
# A change in any of these changes the features.
SOURCES = [str(module.__file__) for module in (dft, frontend, mel, window, decoding, resampling)]
# Statistics are summed over so many hops at a time; a band that never changes is not divided by zero.
STATISTICS_HOPS = 2_000
LEAST_VARIANCE = 1e-6

T = TypeVar("T")


class Progress(Protocol):
    """Called with the items to work on and their number; a command line puts a progress bar around them."""

    def __call__(self, items: Iterable[T], total: int, description: str, /) -> Iterable[T]:
        """The same items."""


def without_progress(items: Iterable[T], total: int, description: str) -> Iterable[T]:
    """The items as they are."""
    return items


class StoreIndex(Frozen, frozen=True, kw_only=True):
    """What a stored array holds: label frames of its scenes, one after the other, and statistics (maps x bands)."""

    signal: SignalSpec
    label_frames: tuple[int, ...]
    mean: list[list[float]]
    std: list[list[float]]


@dataclass(frozen=True, slots=True)
class FeatureStore:
    """Features (hops, maps, mel_bands) float16 of all scenes of a data set in a row, and labels as target rows."""

    index: StoreIndex
    features: NDArray[np.float16]
    names: tuple[str, ...]
    labels: tuple[Labels, ...]
    targets: tuple[TargetRows, ...]
    first_frames: NDArray[np.int64]
    path: Path

    def __deepcopy__(self, memo: dict[int, Any]) -> "FeatureStore":
        """Weight averaging copies a training task whole; nothing here ever changes, and it is large."""
        return self

    def select(self, scenes: Sequence[int]) -> "FeatureStore":
        """The store of some of its scenes; the statistics stay those of all."""
        frames = tuple(self.index.label_frames[scene] for scene in scenes)
        return replace(
            self,
            index=msgspec.structs.replace(self.index, label_frames=frames),
            names=tuple(self.names[scene] for scene in scenes),
            labels=tuple(self.labels[scene] for scene in scenes),
            targets=tuple(self.targets[scene] for scene in scenes),
            first_frames=self.first_frames[list(scenes)],
        )

    def window(self, scene: int, frame: int, frames: int) -> NDArray[np.float16]:
        """Features (maps, hops, mel_bands) of `frames` label frames from `frame` on."""
        hops = self.index.signal.hops_per_label_frame
        first = (int(self.first_frames[scene]) + frame) * hops
        return self.features[first : first + frames * hops].transpose(1, 0, 2)


def open_store(
    root: Path, signal: SignalSpec, progress: Progress = without_progress, part: Part | None = None
) -> FeatureStore:
    """Features of the data set at `root`, or of a part of it, computed on first use and kept in ROOT/.features.

    Scenes shorter than a window are padded with silence. A killed computation goes on where it was. DataError or
    AudioFormatError where the data set is not whole.
    """
    dataset = open_dataset(root, signal.channel_format, part)
    labels = tuple(read_scene_labels(dataset, scene) for scene in dataset.scenes)
    stem = root / FOLDER / _key(signal, dataset.scenes)
    with _alone(stem.with_suffix(".lock")):
        if not stem.with_suffix(".json").exists():
            _compute(dataset, signal, stem, progress)
    index = read_json(stem.with_suffix(".json"), StoreIndex)
    return FeatureStore(
        index=index,
        features=_map(stem.with_suffix(".f16"), signal, index.label_frames),
        names=tuple(scene.name for scene in dataset.scenes),
        labels=labels,
        targets=tuple(map(read_scene_targets, [dataset] * len(labels), dataset.scenes, labels)),
        first_frames=np.cumsum((0, *index.label_frames[:-1])),
        path=stem.with_suffix(".f16"),
    )


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Let one process at a time compute a store; where the system has no such locks, trust the user."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ModuleNotFoundError:
        yield
        return
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _key(signal: SignalSpec, scenes: Sequence[SceneFiles]) -> str:
    """Changes with the signal's specification, the code of the features, and any recording."""
    digest = hashlib.sha256(to_json(signal))
    for source in SOURCES:
        digest.update(Path(source).read_bytes())
    for scene in scenes:
        status = scene.audio.stat()
        digest.update(f"{scene.audio.name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _compute(dataset: Dataset, signal: SignalSpec, stem: Path, progress: Progress) -> None:
    """Write the array first and its index last, so that a killed run leaves no store."""
    with full_disk_told(stem.parent):
        frames = build_features(dataset, signal, stem.with_suffix(".f16"), progress)
    mean, std = _statistics(_map(stem.with_suffix(".f16"), signal, frames))
    index = StoreIndex(signal=signal, label_frames=frames, mean=mean.tolist(), std=std.tolist())
    write_atomic(stem.with_suffix(".json"), to_json(index))
    stem.with_suffix(JOURNAL).unlink()


def _map(path: Path, signal: SignalSpec, label_frames: Sequence[int]) -> NDArray[np.float16]:
    """The stored array (hops, maps, mel_bands), which stays on disk."""
    shape = (sum(label_frames) * signal.hops_per_label_frame, feature_channels(signal), signal.mel_bands)
    return np.memmap(path, np.float16, mode="r", shape=shape)


def _statistics(features: NDArray[np.float16]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation (maps, mel_bands) over all hops."""
    sums = np.zeros((2, *features.shape[1:]))
    for first in range(0, len(features), STATISTICS_HOPS):
        piece = features[first : first + STATISTICS_HOPS].astype(np.float32)
        sums += piece.sum(axis=0, dtype=np.float64), np.square(piece).sum(axis=0, dtype=np.float64)
    mean, square = sums / len(features)
    return mean, np.sqrt(np.maximum(square - mean**2, LEAST_VARIANCE))
