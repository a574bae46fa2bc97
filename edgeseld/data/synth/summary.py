"""What a set of scenes holds: hours, events of each class, and how much they overlap."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from edgeseld.core.frames import LABEL_FRAMES_PER_S, label_frames
from edgeseld.data.layout import LabelRow, format_labels
from edgeseld.data.synth.plan import ScenePlan


@dataclass(frozen=True, slots=True)
class SceneSummary:
    """Events and frames by class index, frames by the number of sounding sources, and the hash of the labels."""

    events: dict[int, int]
    frames: dict[int, int]
    polyphony: dict[int, int]
    labels_sha256: str


@dataclass(frozen=True, slots=True)
class Summary:
    """Totals over scenes; `mean_overlap` is the mean number of sources in frames that have any.

    The hash goes over the labels of all scenes in order.
    """

    scenes: int
    hours: float
    events: tuple[int, ...]
    seconds: tuple[float, ...]
    polyphony: tuple[float, ...]
    mean_overlap: float
    labels_sha256: str


def summarise_scene(plan: ScenePlan, rows: list[LabelRow]) -> SceneSummary:
    """Counts of one scene; an event whose clips sound in no frame of the scene does not count."""
    by_frame = Counter(row.frame for row in rows)
    polyphony = Counter(by_frame.values())
    polyphony[0] = label_frames(plan.samples) - len(by_frame)
    labelled = Counter(event.class_index for event in plan.events if event.class_index is not None)
    frames = Counter(row.class_index for row in rows)
    return SceneSummary(dict(labelled), dict(frames), dict(polyphony), hashlib.sha256(format_labels(rows)).hexdigest())


def total(scenes: Iterable[SceneSummary], classes: int) -> Summary:
    """Sum over scenes."""
    events, frames, polyphony = Counter[int](), Counter[int](), Counter[int]()
    number = 0
    labels = hashlib.sha256()
    for scene in scenes:
        number += 1
        events.update(scene.events)
        frames.update(scene.frames)
        polyphony.update(scene.polyphony)
        labels.update(scene.labels_sha256.encode())
    counts = np.array([polyphony[order] for order in range(max(polyphony, default=0) + 1)], dtype=np.float64)
    sounding = counts[1:].sum()
    return Summary(
        scenes=number,
        hours=float(counts.sum()) / LABEL_FRAMES_PER_S / 3600,
        events=tuple(events[index] for index in range(classes)),
        seconds=tuple(frames[index] / LABEL_FRAMES_PER_S for index in range(classes)),
        polyphony=tuple((counts / max(counts.sum(), 1)).round(4).tolist()),
        mean_overlap=float((counts * np.arange(len(counts))).sum() / max(sounding, 1)),
        labels_sha256=labels.hexdigest(),
    )
