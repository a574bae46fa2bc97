"""Features of a data set, computed once: training on two cores spends its time on the network, not on spectra."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgeseld.core.atomic import atomic_file, write_atomic
from edgeseld.core.frames import label_frames
from edgeseld.core.spec import SignalSpec
from edgeseld.core.structs import Frozen, read_json, to_json
from edgeseld.data.layout import SceneFiles, list_scenes
from edgeseld.data.targets import TargetRows, target_rows
from edgeseld.metrics.label_files import read_labels
from edgeseld.metrics.labels import Labels
from edgeseld.metrics.rules import RULES
from edgeseld.nn import dft, frontend
from edgeseld.nn.frontend import Frontend, feature_channels
from edgeseld.signal import mel, window
from edgeseld.signal.audio import read_audio

FOLDER = ".features"
FRONTEND_SOURCES = [str(module.__file__) for module in (dft, frontend, mel, window)]


# Called with the scenes to compute and their number; a command line puts a progress bar around them.
Progress = Callable[[Iterable[SceneFiles], int, str], Iterable[SceneFiles]]


def without_progress(scenes: Iterable[SceneFiles], total: int, description: str) -> Iterable[SceneFiles]:
    """The scenes as they are."""
    return scenes


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

    def window(self, scene: int, frame: int, frames: int) -> NDArray[np.float16]:
        """Features (maps, hops, mel_bands) of `frames` label frames from `frame` on."""
        hops = self.index.signal.hops_per_label_frame
        first = (int(self.first_frames[scene]) + frame) * hops
        return self.features[first : first + frames * hops].transpose(1, 0, 2)


def open_store(root: Path, signal: SignalSpec, progress: Progress = without_progress) -> FeatureStore:
    """Features of the data set at `root`, computed on first use and kept in ROOT/.features.

    Scenes shorter than a window are padded with silence. DataError or AudioFormatError where the data set is not whole.
    """
    scenes = list_scenes(root, signal.channel_format)
    stem = root / FOLDER / _key(signal, scenes)
    if not stem.with_suffix(".json").exists():
        _compute(scenes, signal, stem, progress)
    index = read_json(stem.with_suffix(".json"), StoreIndex)
    shape = (sum(index.label_frames) * signal.hops_per_label_frame, feature_channels(signal), signal.mel_bands)
    features = np.memmap(stem.with_suffix(".f16"), np.float16, mode="r", shape=shape)
    labels = tuple(read_labels(scene.labels, RULES["dcase2023"], "reference") for scene in scenes)
    return FeatureStore(
        index=index,
        features=features,
        names=tuple(scene.name for scene in scenes),
        labels=labels,
        targets=tuple(target_rows(file) for file in labels),
        first_frames=np.cumsum((0, *index.label_frames[:-1])),
    )


def _key(signal: SignalSpec, scenes: Sequence[SceneFiles]) -> str:
    """Changes with the signal's specification, the code of the frontend, and any recording."""
    digest = hashlib.sha256(to_json(signal))
    for source in FRONTEND_SOURCES:
        digest.update(Path(source).read_bytes())
    for scene in scenes:
        status = scene.audio.stat()
        digest.update(f"{scene.audio.name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _compute(scenes: Sequence[SceneFiles], signal: SignalSpec, stem: Path, progress: Progress) -> None:
    """Write the array first and its index last, so that a killed run leaves no store."""
    extractor = Frontend(signal)
    frames: list[int] = []
    moments = torch.zeros(2, feature_channels(signal), signal.mel_bands, dtype=torch.float64)
    with atomic_file(stem.with_suffix(".f16")) as temporary, temporary.open("wb") as file:
        for scene in progress(scenes, len(scenes), f"features of {scenes[0].labels.parents[2].name}"):
            features = scene_features(read_audio(scene.audio, signal.channel_format), extractor)
            frames.append(features.shape[1] // signal.hops_per_label_frame)
            moments += torch.stack([features.sum(dim=1), features.square().sum(dim=1)]).double()
            file.write(features.permute(1, 0, 2).half().numpy().tobytes())
    mean, square = moments / (sum(frames) * signal.hops_per_label_frame)
    std = (square - mean.square()).clamp(min=1e-6).sqrt()
    index = StoreIndex(signal=signal, label_frames=tuple(frames), mean=mean.tolist(), std=std.tolist())
    write_atomic(stem.with_suffix(".json"), to_json(index))


def scene_features(audio: NDArray[np.float32], extractor: Frontend) -> Tensor:
    """Features (maps, hops, mel_bands) of a whole scene, before standardisation, silence before its start."""
    signal = extractor.signal
    frames = max(label_frames(audio.shape[1]), signal.window_frames)
    samples = frames * signal.hops_per_label_frame * signal.hop_samples
    padded = np.zeros((audio.shape[0], signal.context_samples + samples), np.float32)
    padded[:, signal.context_samples : signal.context_samples + audio.shape[1]] = audio
    with torch.no_grad():
        return extractor.features(torch.from_numpy(padded).unsqueeze(0))[0]
