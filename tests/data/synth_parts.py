"""Small clips, rooms and catalogues that the tests of scene synthesis share."""

import csv
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from edgeseld.core.geometry import unit_vector
from edgeseld.data.synth.activity import clip_levels
from edgeseld.data.synth.catalogue import Catalogue, Voice
from edgeseld.data.synth.clips import Clip, ClipBank
from edgeseld.data.synth.rooms import Room, RoomRecord
from edgeseld.signal.ambisonics import vector_foa_gains

DIRECT_SAMPLE = 8


def noise_clip(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    """Steady noise."""
    return (0.1 * np.random.default_rng(seed).standard_normal(round(seconds * 24_000))).astype(np.float32)


def bank_of(sounds: dict[str, NDArray[np.float32]]) -> ClipBank:
    """A bank held in memory; names are `class/group/number`."""
    clips, start, block = [], 0, 0
    levels = []
    for name, sound in sounds.items():
        level_db, block_levels = clip_levels(sound)
        class_name, group, _ = name.split("/")
        clips.append(
            Clip(
                name=name,
                class_name=class_name,
                group=group,
                start=start,
                samples=len(sound),
                first_block=block,
                level_db=level_db,
            )
        )
        levels.append(block_levels)
        start, block = start + len(sound), block + len(block_levels)
    audio = np.rint(np.concatenate(list(sounds.values())) * 32768).astype(np.int16)
    return ClipBank(tuple(clips), audio, np.concatenate(levels))


def catalogue_of(bank: ClipBank) -> Catalogue:
    """Every clip its own group; the pools are empty."""
    classes = tuple(dict.fromkeys(clip.class_name for clip in bank.clips))
    voices = tuple(
        Voice(tuple((i,) for i, clip in enumerate(bank.clips) if clip.class_name == name), (), 0.0) for name in classes
    )
    return Catalogue(classes, voices, None, None, bank)


def free_field(azimuth_deg: list[float], elevation_deg: list[float], paths: tuple[tuple[int, int], ...] = ()) -> Room:
    """A room without walls: one impulse from each direction, all two metres away."""
    vectors = unit_vector(azimuth_deg, elevation_deg)
    responses = np.zeros((len(vectors), 4, 32), dtype=np.float16)
    responses[:, :, DIRECT_SAMPLE] = vector_foa_gains(vectors)
    record = RoomRecord(
        name="free field",
        direct_sample=DIRECT_SAMPLE,
        azimuth_deg=tuple(azimuth_deg),
        elevation_deg=tuple(elevation_deg),
        distance_m=(2.0,) * len(vectors),
        static_points=len(vectors),
        paths=paths,
        rt60_s=0.0,
    )
    return Room(record, responses)


def write_clips(folder: Path, classes: dict[str, int], licence: str = "CC0 1.0") -> Path:
    """A clip folder: so many groups of one short clip for each class."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "class", "split_group", "licence"])
        for name, groups in classes.items():
            for group in range(groups):
                path = f"{name}-{group}.wav"
                soundfile.write(folder / path, noise_clip(0.5 + 0.3 * group, seed=group), 24_000)
                writer.writerow([path, name, f"{name}:{group}", licence])
    return folder


def write_rooms(folder: Path, azimuths: list[int], channels: int = 4) -> Path:
    """Measured responses of a free field, direct sound at sample 20, in two settings."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "index.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                "foa_file",
                "absorption_setting",
                "source_azimuth_deg",
                "source_elevation_deg",
                "source_distance_m",
                "direct_sample",
            ]
        )
        for setting in ("dry", "wet"):
            for azimuth in azimuths:
                response = np.zeros((200, channels))
                response[20] = 0.3 * vector_foa_gains(unit_vector(azimuth, 0))[:channels]
                soundfile.write(folder / f"{setting}{azimuth}.wav", response, 24_000, subtype="FLOAT")
                writer.writerow([f"{setting}{azimuth}.wav", setting, azimuth, 0, 1.5, 20])
    return folder
