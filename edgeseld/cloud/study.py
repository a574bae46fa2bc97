"""What fallback buys and costs: each window is heard by device and cloud once, strategies are mixtures of the two."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseld.cloud.client import CloudClient, CloudError
from edgeseld.cloud.fallback import HeardFrame, ask_window, between, heard_frames, windows
from edgeseld.cloud.policy import Measure, doubt
from edgeseld.core.errors import DataError
from edgeseld.core.geometry import unit_vector
from edgeseld.data.layout import SceneFiles, dataset_classes, list_scenes
from edgeseld.metrics.counts import CLASS_COLUMNS, FILE_COLUMNS, Counts
from edgeseld.metrics.label_files import read_labels
from edgeseld.metrics.labels import Labels, labels_from_vectors, take
from edgeseld.metrics.rules import RULES
from edgeseld.metrics.score import count_files, score_counts
from edgeseld.runtime.model import Model
from edgeseld.signal.audio import read_audio

Float64 = NDArray[np.float64]
Progress = Callable[[Iterable[SceneFiles], int, str], Iterable[SceneFiles]]
# Windows are cut at whole seconds, the blocks of these rules; empty ones count, as the corrected mode has it.
STUDY_RULES = replace(RULES["dcase2023"], corrected=True)
BLOCK_FRAMES = STUDY_RULES.block_frames
CONTEXT_FRAMES = 10


@dataclass(frozen=True, slots=True)
class Study:
    """Per window, in the order of the scenes: doubt, sufficient statistics of both answers, and what asking cost.

    `cloud_s` is infinite where no answer came in time; the cloud's counts are the device's there.
    """

    classes: tuple[str, ...]
    window_frames: int
    doubts: Mapping[Measure, Float64]
    device: Counts
    cloud: Counts
    device_s: Float64
    cloud_s: Float64
    bytes_sent: Float64
    troubles: tuple[str, ...]

    @property
    def window_count(self) -> int:
        """Number of windows."""
        return len(self.device_s)


def study(
    model: Model,
    client: CloudClient,
    root: Path,
    measures: Sequence[Measure],
    progress: Progress,
    *,
    mc_samples: int = 10,
    context_frames: int = CONTEXT_FRAMES,
) -> Study:
    """Hear every scene of a data set with the device's model, and every window of it with the cloud's.

    DataError where the set has other classes.
    """
    interface = model.interface
    if dataset_classes(root) != interface.classes:
        raise DataError(f"{root} has other classes than {interface.id}: choose a set with the classes of the model")
    gathered = _Gathered(interface.classes, study_window_frames(model, context_frames))
    scenes = list_scenes(root, interface.signal.channel_format)
    for scene in progress(scenes, len(scenes), f"{interface.id} and the cloud hear {root.name}"):
        gathered.add(scene, model, client, measures, mc_samples, context_frames)
    return gathered.study()


def study_window_frames(model: Model, context_frames: int = CONTEXT_FRAMES) -> int:
    """Whole seconds that, with their context on both sides, fill the model's own window; at least one second."""
    return max((model.interface.signal.window_frames - 2 * context_frames) // BLOCK_FRAMES, 1) * BLOCK_FRAMES


class _Gathered:
    """Windows as they come."""

    def __init__(self, classes: tuple[str, ...], window_frames: int) -> None:
        self.classes, self.window_frames = classes, window_frames
        self.references: dict[str, Labels] = {}
        self.answers: tuple[dict[str, Labels], dict[str, Labels]] = ({}, {})
        self.doubts: dict[Measure, list[float]] = {}
        self.device_s: list[float] = []
        self.cloud_s: list[float] = []
        self.bytes_sent: list[int] = []
        self.troubles: list[str] = []

    def add(
        self,
        scene: SceneFiles,
        model: Model,
        client: CloudClient,
        measures: Sequence[Measure],
        mc_samples: int,
        context_frames: int,
    ) -> None:
        """Hear one scene twice."""
        audio = read_audio(scene.audio, model.interface.signal.channel_format)
        started = time.perf_counter()
        prediction = model.predict(audio, mc_samples=mc_samples)
        own = heard_frames(prediction.events())
        spent_s = time.perf_counter() - started
        reference = read_labels(scene.labels, STUDY_RULES, "reference")
        places = windows(prediction.frames, self.window_frames)
        for number, (first, last) in enumerate(places):
            name = f"{scene.name} {number:04d}"
            rows = np.flatnonzero((reference.frame >= first) & (reference.frame < last))
            kept = take(reference, rows)
            self.references[name] = replace(kept, frame=kept.frame - first, line=None)
            part = prediction.frames_between(first, last)
            for measure in measures:
                self.doubts.setdefault(measure, []).append(doubt(part, measure))
            self.device_s.append(spent_s / len(places))
            device = between(own, first, last)
            cloud = self._ask(client, audio, (first, last), context_frames, device)
            for answer, heard in zip(self.answers, (device, cloud), strict=True):
                answer[name] = _labels(heard, self.classes, first)

    def _ask(
        self,
        client: CloudClient,
        audio: NDArray[np.float32],
        window: tuple[int, int],
        context_frames: int,
        device: tuple[HeardFrame, ...],
    ) -> tuple[HeardFrame, ...]:
        try:
            heard, answer = ask_window(client, audio, window, context_frames)
        except CloudError as error:
            self.cloud_s.append(np.inf)
            self.bytes_sent.append(0)
            self.troubles.append(str(error))
            return device
        self.cloud_s.append(answer.seconds)
        self.bytes_sent.append(answer.bytes_sent)
        return heard

    def study(self) -> Study:
        """All windows in the order of their counts, which is that of their names."""
        device, cloud = (
            count_files(self.references, answer, STUDY_RULES, len(self.classes)) for answer in self.answers
        )
        place = {name: index for index, name in enumerate(self.references)}
        order = np.array([place[name] for name in device.files])
        return Study(
            classes=self.classes,
            window_frames=self.window_frames,
            doubts={measure: np.array(values)[order] for measure, values in self.doubts.items()},
            device=device,
            cloud=cloud,
            device_s=np.array(self.device_s)[order],
            cloud_s=np.array(self.cloud_s)[order],
            bytes_sent=np.array(self.bytes_sent, dtype=np.float64)[order],
            troubles=tuple(self.troubles),
        )


def scores(study: Study, sent: NDArray[np.bool_], classes: Sequence[int] | None = None) -> dict[str, float]:
    """ER, F, LE, LR and SELD where the windows `sent` (windows,) have the cloud's answer."""
    mixed = {
        name: np.where(
            sent.reshape(-1, *[1] * (getattr(study.device, name).ndim - 1)),
            getattr(study.cloud, name),
            getattr(study.device, name),
        )
        for name in CLASS_COLUMNS + FILE_COLUMNS
    }
    return score_counts(replace(study.device, **mixed), STUDY_RULES, classes=classes).values


def mended(study: Study) -> Float64:
    """How many errors the cloud's answer mends in each window (windows,): what an oracle would sort them by."""
    wrong = ("spatial_false_positives", "false_positives", "misses")
    device, cloud = (sum(getattr(counts, name).sum(axis=1) for name in wrong) for counts in (study.device, study.cloud))
    fixed: Float64 = device - cloud
    return fixed


def _labels(heard: Sequence[HeardFrame], classes: tuple[str, ...], first: int) -> Labels:
    """Rows counted from the window's first frame; names of classes the device does not know are left out."""
    known = [one for one in heard if one.class_name in classes and one.point.azimuth_deg is not None]
    azimuths = [one.point.azimuth_deg for one in known]
    elevations = [one.point.elevation_deg for one in known]
    vectors = unit_vector(np.array(azimuths, np.float64), np.array(elevations, np.float64))
    return labels_from_vectors(
        [one.frame - first for one in known],
        [classes.index(one.class_name) for one in known],
        [one.track for one in known],
        vectors,
    )
