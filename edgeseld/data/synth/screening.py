"""Clips that a first model hears as what they are called (Kang 2023 screens its generated training material so)."""

import csv
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.atomic import atomic_folder
from edgeseld.core.errors import AudioFormatError
from edgeseld.core.prediction import Prediction
from edgeseld.core.spec import ChannelFormat
from edgeseld.data.synth.manifest import Manifest, Recording, read_manifest
from edgeseld.signal.ambisonics import foa_gains
from edgeseld.signal.audio import read_audio

Float32 = NDArray[np.float32]
# Clips are heard from the front, as loud as scenes have them.
LEVEL = 0.05
Track = Callable[[Iterable[Recording], int, str], Iterable[Recording]]


class Listener(Protocol):
    """A loaded model."""

    def predict(self, audio: Float32) -> Prediction:
        """Hear audio (channels, samples)."""


def screen_clips(
    sounds: Path, listener: Listener, channel_format: ChannelFormat, output: Path, least: float, track: Track
) -> tuple[int, int]:
    """Write `output`, a clip folder of those clips of `sounds` whose class reaches `least` activity; clips kept, clips.

    The best clip of every group stays, so that splits by group keep their groups; so do clips of classes the model does
    not know, and of the pools. AudioFormatError for microphone arrays, to which a single clip has no direction.
    """
    manifest = read_manifest(sounds)
    scores = clip_scores(manifest, listener, channel_format, track)
    kept = kept_clips(manifest, scores, least)
    with atomic_folder(output) as folder:
        for recording in manifest.recordings:
            if recording.file in kept:
                _link(recording.path, folder / recording.file)
        _write_manifest(sounds / "manifest.csv", folder / "manifest.csv", kept, scores)
    return len(kept), len(manifest.recordings)


def clip_scores(
    manifest: Manifest, listener: Listener, channel_format: ChannelFormat, track: Track
) -> dict[str, float]:
    """Highest activity of its own class in each clip, by file; clips of unknown classes have none."""
    scores = {}
    for recording in track(manifest.recordings, len(manifest.recordings), "clips"):
        prediction = listener.predict(_in_front(read_audio(recording.path, "mono")[0], channel_format))
        if recording.class_name in prediction.classes:
            number = prediction.classes.index(recording.class_name)
            scores[recording.file] = float(prediction.activity[:, :, number].max())
    return scores


def kept_clips(manifest: Manifest, scores: Mapping[str, float], least: float) -> set[str]:
    """Files that are heard well enough, that cannot be judged, or that are the best of their group."""
    best: dict[tuple[str, str], str] = {}
    for recording in manifest.recordings:
        group, score = (recording.class_name, recording.group), scores.get(recording.file, 1.0)
        if group not in best or score > scores.get(best[group], 1.0):
            best[group] = recording.file
    heard = {r.file for r in manifest.recordings if scores.get(r.file, 1.0) >= least}
    return heard | set(best.values())


def _in_front(clip: Float32, channel_format: ChannelFormat) -> Float32:
    """A mono clip in a channel format, at the level of a scene."""
    clip = clip * np.float32(LEVEL / max(float(np.sqrt(np.square(clip).mean())), 1e-6))
    clip = np.clip(clip, -1.0, 1.0)
    if channel_format == "mic":
        raise AudioFormatError("screening hears clips from the front, which an array cannot: take a foa or mono model")
    gains = foa_gains(0.0, 0.0) if channel_format == "foa" else np.ones(2 if channel_format == "stereo" else 1)
    placed: Float32 = (gains[:, None] * clip).astype(np.float32)
    return placed


def _link(source: Path, target: Path) -> None:
    """A hard link where the file system has them."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _write_manifest(source: Path, target: Path, kept: set[str], scores: Mapping[str, float]) -> None:
    """The rows of the clips that were kept, with their score."""
    rows = csv.DictReader(source.read_text("utf-8-sig").splitlines())
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*(rows.fieldnames or ()), "score"])
        writer.writeheader()
        for row in rows:
            if row["file"] in kept:
                writer.writerow(row | {"score": f"{scores[row['file']]:.3f}" if row["file"] in scores else ""})
