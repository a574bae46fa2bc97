"""The clip bank: every clip of a run decoded once into one memory-mapped array, with its level over time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeseld.core.atomic import atomic_folder
from edgeseld.core.errors import DataError
from edgeseld.core.structs import Frozen, to_json
from edgeseld.data.synth import builtin
from edgeseld.data.synth.activity import blocks_of, clip_levels
from edgeseld.data.synth.cache_keys import cache_key
from edgeseld.data.synth.manifest import Recording
from edgeseld.signal.audio import read_audio

# Applies a function to every item, in order, on whatever workers there are.
Mapper = Callable[[Callable[[Any], Any], list[Any], str], Iterable[Any]]


class Clip(Frozen, frozen=True, kw_only=True):
    """One clip of the bank: where its samples and the levels of its blocks lie, and its own level."""

    name: str
    class_name: str
    group: str
    start: int
    samples: int
    first_block: int
    level_db: float


@dataclass(frozen=True, slots=True)
class ClipBank:
    """Clips, their samples, int16 (total,), and levels of their 10 ms blocks in dB re each clip's level, (blocks,)."""

    clips: tuple[Clip, ...]
    audio: NDArray[np.int16]
    levels_db: NDArray[np.int8]

    def levels(self, index: int) -> NDArray[np.int8]:
        """Levels of the blocks of a clip in dB re its own level, (blocks,)."""
        clip = self.clips[index]
        return self.levels_db[clip.first_block : clip.first_block + blocks_of(clip.samples)]

    def read(self, index: int, start: int, samples: int) -> NDArray[np.float32]:
        """An excerpt of a clip, (samples,), scaled so that the loud part of the clip has level 1."""
        clip = self.clips[index]
        first = clip.start + start
        gain = np.float32(10 ** (-clip.level_db / 20) / 32768)
        return self.audio[first : first + samples].astype(np.float32) * gain


@dataclass(frozen=True, slots=True)
class BuiltinSource:
    """A built-in sound to be made for the bank."""

    kind: str
    seed: tuple[int, ...]

    @property
    def name(self) -> str:
        """Name and group of the sound."""
        return f"builtin:{self.kind}:{'.'.join(map(str, self.seed))}"


Source = Recording | BuiltinSource


def make_clip_bank(root: Path, sources: list[Source], mapper: Mapper) -> Path:
    """Folder of the bank of these sources below `root`, made where it is not there yet."""
    folder = root / "clips" / cache_key([_identity(source) for source in sources])
    if not folder.is_dir():
        _make(folder, sources, mapper)
    return folder


def load_clip_bank(folder: Path) -> ClipBank:
    """Open a finished bank; the samples stay on disk."""
    clips = msgspec.json.decode((folder / "clips.json").read_bytes(), type=tuple[Clip, ...])
    return ClipBank(clips, np.load(folder / "clips.npy", mmap_mode="r"), np.load(folder / "levels.npy", mmap_mode="r"))


def _identity(source: Source) -> tuple[Any, ...]:
    if isinstance(source, BuiltinSource):
        return (source.kind, source.seed, builtin.VERSION)
    status = source.path.stat()
    return (source.file, source.class_name, source.group, status.st_size)


def _make(folder: Path, sources: list[Source], mapper: Mapper) -> None:
    clips: list[Clip] = []
    pieces: list[NDArray[np.int16]] = []
    levels: list[NDArray[np.int8]] = []
    start = first_block = 0
    for audio, block_levels, clip in mapper(_prepare, sources, "clips"):
        pieces.append(audio)
        levels.append(block_levels)
        clips.append(msgspec.structs.replace(clip, start=start, first_block=first_block))
        start, first_block = start + len(audio), first_block + len(block_levels)
    with atomic_folder(folder) as temporary:
        np.save(temporary / "clips.npy", np.concatenate(pieces))
        np.save(temporary / "levels.npy", np.concatenate(levels))
        (temporary / "clips.json").write_bytes(to_json(tuple(clips)))


def _prepare(source: Source) -> tuple[NDArray[np.int16], NDArray[np.int8], Clip]:
    if isinstance(source, BuiltinSource):
        audio, name, kind, group = (
            builtin.builtin_sound(source.kind, source.seed),
            source.name,
            source.kind,
            source.name,
        )
    else:
        audio, name, kind, group = read_audio(source.path, "mono")[0], source.file, source.class_name, source.group
    level_db, block_levels = clip_levels(audio)
    if level_db < -80:
        raise DataError(f"a clip must sound, but {name} is silent: remove it from the manifest")
    quantised = np.clip(np.rint(audio * 32768), -32768, 32767).astype(np.int16)
    clip = Clip(name=name, class_name=kind, group=group, start=0, samples=len(audio), first_block=0, level_db=level_db)
    return quantised, block_levels, clip
