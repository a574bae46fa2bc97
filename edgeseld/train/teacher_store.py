"""Outputs of a teacher for all scenes of a data set, heard once: then a CPU can distil.

Beside the feature store lies a folder for each teacher with one float16 array (frames, values) per scene, so that a
killed run goes on with the scenes that are missing.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from numpy.typing import NDArray

from edgeseld.core.atomic import atomic_file
from edgeseld.core.errors import TrainingError
from edgeseld.core.spec import SignalSpec
from edgeseld.core.structs import to_json
from edgeseld.nn.heads import Output
from edgeseld.train.feature_store import FeatureStore, Progress
from edgeseld.train.teachers import Teacher

# Windows of a pass, and scenes that are heard together: what keeps a GPU busy would fall out of a CPU's cache.
WINDOWS_AT_ONCE = {"cpu": 16, "cuda": 256}
SCENES_AT_ONCE = {"cpu": 1, "cuda": 10}
Float16 = NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class TaughtScenes:
    """Outputs of scenes for what `signal` describes, values of one frame in a row in the order of `shapes`."""

    signal: SignalSpec
    shapes: Mapping[str, tuple[int, ...]]
    scenes: tuple[Float16, ...]

    def window(self, scene: int, frame: int, frames: int) -> dict[str, NDArray[np.float32]]:
        """Outputs (frames, ...) by name from `frame` on; silence where the scene has ended."""
        values = np.zeros((frames, self.scenes[scene].shape[1]), np.float32)
        known = self.scenes[scene][frame : frame + frames]
        values[: len(known)] = known
        ends = np.cumsum([prod(shape) for shape in self.shapes.values()])
        parts = np.split(values, ends[:-1], axis=1)
        return {
            name: part.reshape(frames, *shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)
        }


def open_taught(teacher: Teacher, store: FeatureStore, progress: Progress) -> TaughtScenes:
    """Outputs of a teacher on the scenes of a store with its own features, heard on first use."""
    folder = store.path.with_name(f"{store.path.stem}-taught-{_key(teacher)}")
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{name}.npy" for name in store.names]
    missing = [scene for scene, path in enumerate(paths) if not path.exists()]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    teacher.network.to(device)
    together = SCENES_AT_ONCE[device.type]
    groups = [missing[first : first + together] for first in range(0, len(missing), together)]
    for scenes in progress(groups, len(groups), f"{teacher.spec.id} hears {store.path.parent.parent.name}"):
        for scene, heard in zip(scenes, hear_scenes(teacher, store, scenes, device), strict=True):
            with atomic_file(paths[scene]) as temporary:
                np.save(temporary, heard)
    shapes = output_shapes(teacher)
    return TaughtScenes(teacher.spec.signal, shapes, tuple(np.load(path, mmap_mode="r") for path in paths))


def _key(teacher: Teacher) -> str:
    """Changes with the weights, the architecture, the features that were heard and the turns they were heard in."""
    parts = (teacher.spec.signal, teacher.spec.network, teacher.spec.head, teacher.spec.teaching_heads, teacher.turns)
    return hashlib.sha256(teacher.weights_sha256.encode() + b"".join(map(to_json, parts))).hexdigest()[:16]


def output_shapes(teacher: Teacher) -> dict[str, tuple[int, ...]]:
    """Shape of one frame of each output, in a fixed order."""
    signal = teacher.spec.signal
    maps = teacher.network.frontend.mean.shape[0]
    silence = torch.zeros(1, maps, signal.window_hops, signal.mel_bands, device=teacher.network.frontend.mean.device)
    outputs = teacher.outputs(silence)
    return {name: tuple(outputs[name].shape[2:]) for name in sorted(outputs)}


def hear_scenes(teacher: Teacher, store: FeatureStore, scenes: Sequence[int], device: torch.device) -> list[Float16]:
    """Outputs (frames, values) of whole scenes: windows overlap by half, and each frame is that of the window in
    whose middle it lies."""
    frames, at_once = teacher.spec.signal.window_frames, WINDOWS_AT_ONCE[device.type]
    starts = {scene: _starts(store.index.label_frames[scene], frames) for scene in scenes}
    places = [(scene, start) for scene in scenes for start in starts[scene]]
    rows: list[Float16] = []
    for first in range(0, len(places), at_once):
        windows = [store.window(scene, start, frames) for scene, start in places[first : first + at_once]]
        rows.extend(_in_a_row(teacher.outputs(torch.from_numpy(np.stack(windows)).to(device))))
    heard = iter(rows)
    return [_joined(starts[scene], [next(heard) for _ in starts[scene]], frames) for scene in scenes]


def _starts(length: int, frames: int) -> list[int]:
    """First frames of the windows of a scene."""
    return [*range(0, length - frames, max(frames // 2, 1)), length - frames]


def _joined(starts: Sequence[int], rows: Sequence[Float16], frames: int) -> Float16:
    """Outputs (frames, values) of a scene from those of its windows."""
    joined = np.zeros((starts[-1] + frames, rows[0].shape[1]), np.float16)
    for start, previous, row in zip(starts, [0, *starts], rows, strict=False):
        # The first half of the overlap belongs to the window before.
        own = 0 if start == 0 else (previous + frames - start) // 2
        joined[start + own : start + frames] = row[own:]
    return joined


def _in_a_row(heard: Output) -> Float16:
    """(batch, frames, values)."""
    flat = [heard[name].float().flatten(2) for name in sorted(heard)]
    joined: Float16 = torch.cat(flat, dim=2).half().cpu().numpy()
    return joined


def same_scenes(store: FeatureStore, of_teacher: FeatureStore) -> FeatureStore:
    """The teacher's store with the scenes of the student's, in their order.

    TrainingError where a scene is missing or has another length.
    """
    number = {name: scene for scene, name in enumerate(of_teacher.names)}
    missing = [name for name in store.names if name not in number]
    if missing:
        raise TrainingError(f"the teacher needs the scenes that the student hears, and lacks {missing[0]}: add it")
    selected = of_teacher.select([number[name] for name in store.names])
    _require_same_lengths(store, selected)
    return selected


def _require_same_lengths(store: FeatureStore, of_teacher: FeatureStore) -> None:
    """Scenes shorter than a window are padded to it, on either side."""
    longest = max(store.index.signal.window_frames, of_teacher.index.signal.window_frames)
    lengths: Sequence[tuple[str, int, int]] = list(
        zip(store.names, store.index.label_frames, of_teacher.index.label_frames, strict=True)
    )
    for name, ours, theirs in lengths:
        if max(ours, longest) != max(theirs, longest):
            raise TrainingError(
                f"teacher and student hear the same frames; {name} has {theirs} for the teacher, {ours} for the "
                "student: make both recordings equally long"
            )
