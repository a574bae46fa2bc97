"""Features of all scenes of a data set in one file: several threads compute, and a killed run goes on where it was.

Beside the growing file lies a journal with a line for each scene that is in it. What follows the last scene whose
checksum is right is computed again.
"""

import os
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgeseld.core.atomic import write_atomic
from edgeseld.core.frames import LABEL_FRAME_SAMPLES, label_frames
from edgeseld.core.spec import SignalSpec
from edgeseld.core.structs import Frozen
from edgeseld.data.dataset import Dataset, read_scene_audio
from edgeseld.data.layout import SceneFiles
from edgeseld.nn.frontend import Frontend, feature_channels

Float16 = NDArray[np.float16]
Track = Callable[[Iterable[SceneFiles], int, str], Iterable[SceneFiles]]

# Label frames that a CPU transforms at a time: 5 s stay in the cache and run twice as fast as a minute.
PIECE_FRAMES = 50
# Scenes that each thread may be ahead of the file.
AHEAD = 2
GROWING, JOURNAL = ".growing", ".journal"


class JournalLine(Frozen, frozen=True, kw_only=True):
    """A scene in the growing file."""

    label_frames: int
    crc32: int


def build_features(dataset: Dataset, signal: SignalSpec, path: Path, progress: Track) -> tuple[int, ...]:
    """Write float16 features (hops, maps, mel_bands) of all scenes in a row to `path`; the label frames of each.

    The journal stays until the caller is done. DataError or AudioFormatError where a recording cannot be read; the
    scenes before it are kept for the next run.
    """
    growing, journal = path.with_suffix(GROWING), path.with_suffix(JOURNAL)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.replace(growing)
    done = _keep_intact(growing, journal, _frame_bytes(signal))
    rest = dataset.scenes[len(done) :]
    threads = min(os.cpu_count() or 1, max(1, len(rest)))
    with growing.open("ab") as features_file, journal.open("ab") as journal_file, _single_threaded_torch():
        computed = _in_order(_computation(dataset, signal), rest, threads)
        for _, features in zip(progress(rest, len(rest), f"features of {dataset.root.name}"), computed, strict=True):
            content = features.tobytes()
            features_file.write(content)
            features_file.flush()
            frames = len(features) // signal.hops_per_label_frame
            done.append(JournalLine(label_frames=frames, crc32=zlib.crc32(content)))
            journal_file.write(_encode(done[-1:]))
            journal_file.flush()
        os.fsync(features_file.fileno())
    growing.replace(path)
    return tuple(line.label_frames for line in done)


def _frame_bytes(signal: SignalSpec) -> int:
    """Size of the features of one label frame."""
    return signal.hops_per_label_frame * feature_channels(signal) * signal.mel_bands * np.dtype(np.float16).itemsize


def scene_features(audio: NDArray[np.float32], extractor: Frontend) -> Tensor:
    """Features (maps, hops, mel_bands) of a whole scene, before standardisation, silence before its start.

    A scene shorter than the signal's window is followed by silence. Memory beside the features does not grow with the
    scene: it is transformed in pieces, which changes nothing as the frontend is causal.
    """
    signal = extractor.signal
    frames = max(label_frames(audio.shape[1]), signal.window_frames)
    at_once = PIECE_FRAMES if extractor.mel.device.type == "cpu" else frames
    pieces = []
    with torch.no_grad():
        for first in range(0, frames, at_once):
            last = min(first + at_once, frames)
            pcm = _stretch(audio, first * LABEL_FRAME_SAMPLES - signal.context_samples, last * LABEL_FRAME_SAMPLES)
            pieces.append(extractor.features(torch.from_numpy(pcm).unsqueeze(0).to(extractor.mel.device))[0])
    return torch.cat(pieces, dim=1)


def _stretch(audio: NDArray[np.float32], start: int, stop: int) -> NDArray[np.float32]:
    """Samples `start` to `stop` of audio (channels, samples) with silence around it."""
    stretch = np.zeros((audio.shape[0], stop - start), np.float32)
    first, last = max(start, 0), min(stop, audio.shape[1])
    stretch[:, first - start : max(first, last) - start] = audio[:, first:last]
    return stretch


def _computation(dataset: Dataset, signal: SignalSpec) -> Callable[[SceneFiles], Float16]:
    extractor = Frontend(signal).to("cuda" if torch.cuda.is_available() else "cpu")

    def features_of(scene: SceneFiles) -> Float16:
        features = scene_features(read_scene_audio(dataset, scene), extractor)
        stored: Float16 = features.permute(1, 0, 2).half().cpu().numpy()
        return stored

    return features_of


def _in_order(
    function: Callable[[SceneFiles], Float16], scenes: Sequence[SceneFiles], threads: int
) -> Iterator[Float16]:
    """Results in the order of the scenes; decoding and transforms leave Python's lock to other threads."""
    waiting: deque[Future[Float16]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for scene in scenes:
            waiting.append(pool.submit(function, scene))
            if len(waiting) > AHEAD * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _single_threaded_torch() -> Iterator[None]:
    """Scenes run side by side; threads inside of each would wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _keep_intact(growing: Path, journal: Path, bytes_per_frame: int) -> list[JournalLine]:
    """Cut both files after the last scene that is whole; its line and those before it."""
    done: list[JournalLine] = []
    if growing.exists() and journal.exists():
        with growing.open("rb") as file:
            for line in _journal_lines(journal):
                content = file.read(line.label_frames * bytes_per_frame)
                if zlib.crc32(content) != line.crc32 or len(content) < line.label_frames * bytes_per_frame:
                    break
                done.append(line)
    write_atomic(journal, _encode(done))
    with growing.open("ab") as file:
        file.truncate(sum(line.label_frames for line in done) * bytes_per_frame)
    return done


def _journal_lines(journal: Path) -> Iterator[JournalLine]:
    """Lines up to the first that a killed run left unfinished."""
    for text in journal.read_bytes().splitlines():
        try:
            yield msgspec.json.decode(text, type=JournalLine)
        except msgspec.MsgspecError:
            return


def _encode(lines: Sequence[JournalLine]) -> bytes:
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
