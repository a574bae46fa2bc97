"""Training windows of scenes that are mixed when they are needed, so that no epoch repeats.

Clips and room responses lie in the banks of `edgeseld synth`; a scene is a function of seed, step and its number in the
batch. Loader processes mix ahead of the training.
"""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from edgeseld.core.cache import cache_root
from edgeseld.core.geometry import unit_vector
from edgeseld.core.recipe import WaveformSpec
from edgeseld.core.spec import SignalSpec
from edgeseld.data.layout import LabelRow
from edgeseld.data.synth.catalogue import Catalogue, make_catalogue
from edgeseld.data.synth.clips import load_clip_bank
from edgeseld.data.synth.dataset import Job, Request, prepare
from edgeseld.data.synth.labels import label_scene
from edgeseld.data.synth.plan import plan_scene
from edgeseld.data.synth.render import render_scene
from edgeseld.data.synth.rooms import Room, load_room
from edgeseld.data.synth.workers import worker_pool
from edgeseld.data.targets import adpit_target, target_rows
from edgeseld.metrics.labels import Labels, labels_from_vectors
from edgeseld.nn.frontend import Frontend
from edgeseld.nn.network import SeldNetwork
from edgeseld.train.batches import Batch
from edgeseld.train.feature_building import scene_features
from edgeseld.train.feature_store import Progress
from edgeseld.train.waveform import distort
from edgeseld.train.windows import MOST_WORKERS, StepWindows

# Windows cut from one scene: rendering a long scene costs little more than a short one.
WINDOWS_PER_SCENE = 4
# Batches whose features give the frontend its mean and deviation; they come before step 0.
STATISTICS_BATCHES = 4


def prepare_banks(request: Request, progress: Progress) -> Job:
    """Banks of clips and rooms, made on first use. DataError or ConfigError where sounds or rooms are wrong."""
    with worker_pool(1, lambda items, total, text: iter(progress(items, total, text))) as mapper:
        return prepare(Path(), request, cache_root(), mapper)


@dataclass
class Banks:
    """Opened banks; each process opens its own."""

    job: Job

    @cached_property
    def catalogue(self) -> Catalogue:
        """Clips by class."""
        spec = self.job.spec
        return make_catalogue(spec.classes, load_clip_bank(self.job.clip_folder), spec.provenance.builtin_share)

    @cached_property
    def rooms(self) -> list[Room]:
        """Responses, which stay on disk."""
        return [load_room(folder) for folder in self.job.room_folders]


class MixedWindows(StepWindows):
    """Every batch of new scenes."""

    def __init__(
        self, job: Job, signal: SignalSpec, waveform: WaveformSpec, *, batch_size: int, steps: int, seed: int
    ) -> None:
        super().__init__(batch_size=batch_size, steps=steps, seed=seed)
        self.banks, self.signal, self.waveform = Banks(job), signal, waveform
        self.workers = min(MOST_WORKERS, (os.cpu_count() or 1) - 1)
        self.frontend = Frontend(signal)

    def batch(self, step: int) -> Batch:
        """The batch of one step, from -4 on: those before 0 serve statistics."""
        scenes = -(-self.batch_size // WINDOWS_PER_SCENE)
        numbers = range(self.rank * scenes, (self.rank + 1) * scenes)
        pieces = [piece for number in numbers for piece in self._scene(step + STATISTICS_BATCHES, number)]
        features, targets = zip(*pieces[: self.batch_size], strict=True)
        places = tuple(f"scene {item // WINDOWS_PER_SCENE} of step {step}" for item in range(self.batch_size))
        return Batch(torch.stack(features), torch.from_numpy(np.stack(targets)), places)

    def _scene(self, *number: int) -> list[tuple[torch.Tensor, np.ndarray]]:
        """Features and targets of the windows of one scene."""
        job, seed = self.banks.job, (self.seed, *number)
        generator = np.random.default_rng(seed)
        room = self.banks.rooms[generator.integers(len(self.banks.rooms))]
        frames, channel_format = self.signal.window_frames, self.signal.channel_format
        plan = plan_scene(
            seed,
            room.record,
            self.banks.catalogue,
            scene_s=-(-frames * WINDOWS_PER_SCENE // 10),
            moving_share=job.request.moving_share,
            rotate=channel_format != "mic",
        )
        audio = render_scene(plan, room, self.banks.catalogue.bank, channel_format)
        audio = distort(audio, self.waveform, int(generator.integers(2**32)))
        labels = _labels(label_scene(plan, room.record, self.banks.catalogue, channel_format))
        rows, classes = target_rows(labels), len(job.spec.classes)
        hops = frames * self.signal.hops_per_label_frame
        features = scene_features(audio, self.frontend)
        return [
            (features[:, window * hops : (window + 1) * hops], adpit_target(rows, window * frames, frames, classes))
            for window in range(WINDOWS_PER_SCENE)
        ]

    def standardise(self, network: SeldNetwork) -> None:
        """Give a network's frontend the mean and deviation of batches that no training sees."""
        features = torch.cat([self.batch(step).features for step in range(-STATISTICS_BATCHES, 0)])
        std, mean = torch.std_mean(features, dim=(0, 2), keepdim=True)
        network.frontend.mean.copy_(mean[0])
        network.frontend.inverse_std.copy_(1.0 / std[0].clamp(min=1e-3))


def _labels(rows: list[LabelRow]) -> Labels:
    """Rows as reference labels, distances in metres."""
    frame, class_id, source, azimuth, elevation, distance_cm = np.array(rows, np.int64).reshape(-1, 6).T
    return labels_from_vectors(frame, class_id, source, unit_vector(azimuth, elevation), distance_cm / 100)
