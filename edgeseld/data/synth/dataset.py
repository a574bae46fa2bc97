"""Making a data set: clips and rooms into banks, then scene after scene, each a function of its own seed."""

from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path

import msgspec
import numpy as np

from edgeseld.core.atomic import atomic_file, write_atomic
from edgeseld.core.classes import STARSS_CLASSES
from edgeseld.core.errors import ConfigError, DataError
from edgeseld.core.spec import ChannelFormat
from edgeseld.data.layout import (
    AudioKind,
    DatasetSpec,
    Provenance,
    SceneFiles,
    format_labels,
    read_spec,
    scene_paths,
    write_spec,
)
from edgeseld.data.synth import measured
from edgeseld.data.synth.cache_keys import ENGINE_VERSION, cache_key
from edgeseld.data.synth.catalogue import SPLIT_SEEDS, Catalogue, builtin_shares, builtin_sources, make_catalogue
from edgeseld.data.synth.clips import ClipBank, Mapper, Source, load_clip_bank, make_clip_bank
from edgeseld.data.synth.convolution import Float32
from edgeseld.data.synth.definition import HeldoutDefinition, SimulatedRooms, Split
from edgeseld.data.synth.labels import label_scene
from edgeseld.data.synth.manifest import UNSETTLED_REASON, Selection, read_manifest, select
from edgeseld.data.synth.plan import plan_scene
from edgeseld.data.synth.render import render_scene
from edgeseld.data.synth.rooms import Room, load_room
from edgeseld.data.synth.simulated import make_simulated_room
from edgeseld.data.synth.summary import SceneSummary, Summary, summarise_scene, total
from edgeseld.data.synth.workers import Track, untracked, worker_pool
from edgeseld.signal.audio import write_audio


@dataclass(frozen=True, slots=True)
class Request:
    """All that decides what a data set holds; two equal requests make equal files.

    `sounds` None means built-in sounds. Where both simulated and measured rooms are given, `measured_share` of the
    scenes lie in measured ones.
    """

    scenes: int
    sounds: Path | None = None
    simulated: SimulatedRooms | None = None
    measured: Path | None = None
    measured_share: float = 0.0
    split: Split = "all"
    definition: HeldoutDefinition | None = None
    channel_format: ChannelFormat = "foa"
    seed: int = 0
    scene_s: int = 60
    audio: AudioKind = "flac"
    rotate: bool = True
    moving_share: float = 0.25

    @property
    def builtin_variants(self) -> int:
        """Built-in sounds of each kind: more for longer sets, so that none is heard too often."""
        return int(np.clip(8 * self.scenes * self.scene_s / 3600, 16, 160))


@dataclass(frozen=True, slots=True)
class SceneTask:
    """One scene: its number, and its room with the number of its mix there (both from 1)."""

    index: int
    room: int
    mix: int


@dataclass(frozen=True, slots=True)
class Job:
    """A request with its banks made: what a worker needs, small enough to send with every scene."""

    root: Path
    request: Request
    spec: DatasetSpec
    clip_folder: Path
    room_folders: tuple[Path, ...]


def make_dataset(root: Path, request: Request, cache_root: Path, workers: int = 1, track: Track = untracked) -> Summary:
    """Make or finish the data set `root`; finished scenes are kept. DataError where `root` holds something else."""
    with worker_pool(workers, track) as mapper:
        job = prepare(root, request, cache_root, mapper)
        _claim(root, job.spec)
        scenes = mapper(partial(make_scene, job), scene_tasks(job), "scenes")
        return total(scenes, len(job.spec.classes))


def prepare(root: Path, request: Request, cache_root: Path, mapper: Mapper) -> Job:
    """Check the inputs and make the banks of clips and rooms."""
    classes, selection, manifest_sha256 = _selection(request)
    shares = builtin_shares(classes, selection.groups(), request.split)
    sources: list[Source] = [*selection.recordings, *builtin_sources(shares, request.builtin_variants, request.split)]
    room_makers = _room_makers(request, cache_root)
    clip_folder = make_clip_bank(cache_root, sources, mapper)
    make_catalogue(classes, load_clip_bank(clip_folder), shares)
    unmade = [maker for folder, maker in room_makers if not folder.is_dir()]
    if unmade:
        list(mapper(_call, unmade, "rooms"))
    folders = tuple(folder for folder, _ in room_makers)
    provenance = Provenance(
        engine=ENGINE_VERSION,
        manifest_sha256=manifest_sha256,
        heldout_sha256=request.definition.sha256() if request.definition else None,
        clip_groups=selection.groups(),
        left_out_groups=selection.left_out,
        left_out_reason=UNSETTLED_REASON if selection.left_out else "",
        builtin_share=shares,
        rooms=tuple(folder.name for folder in folders),
    )
    spec = DatasetSpec(
        classes=classes,
        channel_format=request.channel_format,
        split=request.split,
        seed=request.seed,
        scenes=request.scenes,
        scene_s=request.scene_s,
        audio=request.audio,
        provenance=provenance,
    )
    return Job(root, request, spec, clip_folder, folders)


def _selection(request: Request) -> tuple[tuple[str, ...], Selection, str | None]:
    """Classes, recordings of the split, hash of the manifest."""
    if request.sounds is None:
        return STARSS_CLASSES, Selection((), {}), None
    manifest = read_manifest(request.sounds)
    return manifest.classes, select(manifest, request.split, request.definition), manifest.sha256


def _room_makers(request: Request, cache_root: Path) -> list[tuple[Path, partial[None]]]:
    """Folder of every room in the bank, simulated ones first, and what makes it."""
    makers: list[tuple[Path, partial[None]]] = []
    family: ChannelFormat = "mic" if request.channel_format == "mic" else "foa"
    if request.simulated is not None:
        ranges = msgspec.structs.replace(request.simulated, count=1)
        for number in range(request.simulated.count):
            seed = (request.seed, SPLIT_SEEDS[request.split], number)
            folder = cache_root / "rooms" / f"simulated-{family}-{cache_key(seed, ranges, family)}"
            makers.append((folder, partial(make_simulated_room, folder, seed, ranges, family)))
    if request.measured is not None:
        makers += _measured_makers(request, cache_root, family)
    if not makers:
        raise ConfigError("scenes need rooms: give --rooms simulated or a folder of measured responses")
    return makers


def _measured_makers(request: Request, cache_root: Path, family: ChannelFormat) -> list[tuple[Path, partial[None]]]:
    assert request.measured is not None
    index = measured.read_index(request.measured, family)
    known = measured.settings(index)
    chosen = request.definition.settings(request.split, known) if request.definition else known
    if not chosen:
        raise DataError(
            f"the split {request.split!r} has no room setting among {', '.join(known)}: check the held-out definition"
        )
    with_paths = request.moving_share > 0
    makers = []
    for setting in chosen:
        rows = tuple(row for row in index if row.setting == setting)
        identity = [(row.path.name, row.path.stat().st_size, row.azimuth_deg, row.distance_m) for row in rows]
        key = cache_key(identity, family, with_paths)
        folder = cache_root / "rooms" / f"measured-{setting}-{family}-{key}"
        makers.append((folder, partial(measured.make_measured_room, folder, rows, family, with_paths)))
    return makers


def _call(maker: partial[None]) -> None:
    maker()


def _claim(root: Path, spec: DatasetSpec) -> None:
    """Write `dataset.json`, or check that the one there is the same."""
    existing = read_spec(root)
    if existing is None:
        strangers = sorted(path.name for path in root.glob("*_dev")) if root.is_dir() else []
        if strangers:
            raise DataError(f"{root} holds {strangers[0]} that was not made here: choose an empty folder")
        write_spec(root, spec)
    elif existing != spec:
        name = next(field for field in spec.__struct_fields__ if getattr(existing, field) != getattr(spec, field))
        raise DataError(
            f"{root} holds a data set made with another {name}"
            f"{_values(getattr(existing, name), getattr(spec, name))}: choose another folder, or remove it"
        )


def _values(existing: object, wanted: object) -> str:
    short = isinstance(existing, str | int | float)
    return f" ({existing}, now {wanted})" if short else ""


def scene_tasks(job: Job) -> list[SceneTask]:
    """Rooms in turn; every 1 / measured_share-th scene lies in a measured one where there are both kinds."""
    request = job.request
    simulated = request.simulated.count if request.simulated else 0
    measured_rooms = len(job.room_folders) - simulated
    share = 1.0 if not simulated else (request.measured_share if measured_rooms else 0.0)
    used = [0, 0]
    mixes: dict[int, int] = {}
    tasks = []
    for index in range(request.scenes):
        kind = int(int((index + 1) * share) > int(index * share))
        room = simulated + used[1] % measured_rooms if kind else used[0] % simulated
        used[kind] += 1
        mixes[room] = mixes.get(room, 0) + 1
        tasks.append(SceneTask(index, room + 1, mixes[room]))
    return tasks


@cache
def _clips(folder: Path) -> ClipBank:
    return load_clip_bank(folder)


@cache
def _catalogue(folder: Path, classes: tuple[str, ...], shares: tuple[tuple[str, float], ...]) -> Catalogue:
    return make_catalogue(classes, _clips(folder), dict(shares))


@lru_cache(maxsize=16)
def _room(folder: Path) -> Room:
    return load_room(folder)


def make_scene(job: Job, task: SceneTask) -> SceneSummary:
    """Plan, render and write one scene; one that is there already is only counted."""
    request, spec = job.request, job.spec
    catalogue = _catalogue(job.clip_folder, spec.classes, tuple(spec.provenance.builtin_share.items()))
    room = _room(job.room_folders[task.room - 1])
    plan = plan_scene(
        (request.seed, SPLIT_SEEDS[request.split], task.index),
        room.record,
        catalogue,
        scene_s=request.scene_s,
        moving_share=request.moving_share,
        rotate=request.rotate and request.channel_format != "mic",
    )
    rows = label_scene(plan, room.record, catalogue, request.channel_format)
    files = scene_paths(spec, job.root, task.room, task.mix)
    if not (files.audio.is_file() and files.labels.is_file()):
        audio = render_scene(plan, room, _clips(job.clip_folder), request.channel_format)
        _write(files, audio, format_labels(rows))
    return summarise_scene(plan, rows)


def _write(files: SceneFiles, audio: Float32, labels: bytes) -> None:
    """Labels first: a scene with audio is finished."""
    write_atomic(files.labels, labels)
    if files.audio.suffix != ".npy":
        write_audio(files.audio, audio)
        return
    with atomic_file(files.audio) as temporary:
        np.save(temporary, np.rint(audio * 32768).astype(np.int16))
