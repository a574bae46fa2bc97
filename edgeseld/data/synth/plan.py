"""What happens in a scene, as pure data drawn from a seed: which clips sound when, where, how loud.

A plan needs no audio: rendering (render.py) and labels (labels.py) are functions of it. The shares of silence and
overlap follow STARSS22 (16 % silence, 46 % one source, 29 % two, 9 % three or more), with more same-class overlap than
its 4 %.
"""

from dataclasses import dataclass, replace

import numpy as np

from edgeseld.core.frames import SAMPLE_RATE_HZ
from edgeseld.core.geometry import angle_between_deg, unit_vector
from edgeseld.data.synth.catalogue import Catalogue, Voice
from edgeseld.data.synth.rooms import RoomRecord, place_at

# Share of time each of the three lanes sounds, and the spread of that share from scene to scene.
LANES = (0.76, 0.46, 0.28)
BUSY = (0.6, 1.2)
SAME_CLASS_SHARE = 0.12
REPEAT_BELOW_S = 1.0
WHOLE_BELOW_S = 4.0
EXCERPT_S = 2.0
# Levels are those at the receiver; 0 dB is a clip of unit level one metre away.
LEVEL_DB = (-7.0, 7.0)
INTERFERENCE_SHARE = 0.6
INTERFERENCE_LEVEL_DB = (-14.0, 0.0)
AMBIENCE_SHARE = 0.9
AMBIENCE_DB = (-36.0, -6.0)
AMBIENCE_WAVES = 8
NOISE_DB = (-75.0, -40.0)
# A labelled event stands out of the background by this much at least, and counts as sounding down to the audible floor.
STANDS_OUT_DB = 3.0
AUDIBLE_DB = -5.0
FLOOR_DB = -30.0
PEAK_DBFS = (-45.0, -3.0)
SPEED_POINTS_S = (0.8, 4.0)
APART_DEG = 20.0

Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Piece:
    """An excerpt of a clip, `offset` samples after the onset of its event."""

    clip: int
    start: int
    samples: int
    offset: int


@dataclass(frozen=True, slots=True)
class Event:
    """A sound on its way through the room: from one point of the room to another (the same one for a standing source).

    `class_index` is None for interference, which is heard and not labelled. Blocks of the clips above `floor_db`, re
    the level of the clip, count as sounding.
    """

    class_index: int | None
    onset: int
    pieces: tuple[Piece, ...]
    first_point: float
    last_point: float
    gain_db: float
    floor_db: float
    source: int = 0

    @property
    def samples(self) -> int:
        """Length without reverberation."""
        last = self.pieces[-1]
        return last.offset + last.samples

    @property
    def end(self) -> int:
        """Sample after the last one."""
        return self.onset + self.samples


@dataclass(frozen=True, slots=True)
class Wave:
    """One direction from which the background comes, with its own part of the recording."""

    azimuth_deg: float
    elevation_deg: float
    offset: int
    gain: float


@dataclass(frozen=True, slots=True)
class Background:
    """Ambience (None: silence) and sensor noise, and the levels of both."""

    clip: int | None
    waves: tuple[Wave, ...]
    ambience_db: float
    noise_db: float


@dataclass(frozen=True, slots=True)
class ScenePlan:
    """A scene of `samples` samples; the room is turned by `rotation_deg`, the mix scaled to `peak_dbfs`."""

    seed: tuple[int, ...]
    samples: int
    rotation_deg: int
    events: tuple[Event, ...]
    background: Background
    peak_dbfs: float


@dataclass(frozen=True, slots=True)
class Stage:
    """What the events of a scene have in common while they are drawn."""

    room: RoomRecord
    catalogue: Catalogue
    samples: int
    moving_share: float
    background_db: float


def plan_scene(
    seed: tuple[int, ...],
    room: RoomRecord,
    catalogue: Catalogue,
    *,
    scene_s: int,
    moving_share: float = 0.25,
    rotate: bool = True,
) -> ScenePlan:
    """Draw a scene; the same seed, room and catalogue give the same plan."""
    rng = np.random.default_rng(seed)
    rotation = int(rng.integers(-180, 180)) if rotate else 0
    background = _background(rng, catalogue)
    loudest_db = max(background.ambience_db, background.noise_db)
    stage = Stage(room, catalogue, scene_s * SAMPLE_RATE_HZ, moving_share, loudest_db)
    events: list[Event] = []
    busy = rng.uniform(*BUSY)
    for share in LANES:
        _fill_lane(rng, events, stage, min(0.95, share * busy))
    if catalogue.interference and rng.uniform() < INTERFERENCE_SHARE:
        _fill_interference(rng, events, stage, catalogue.interference)
    return ScenePlan(
        seed=seed,
        samples=stage.samples,
        rotation_deg=rotation,
        events=_with_sources(events),
        background=background,
        peak_dbfs=float(rng.uniform(*PEAK_DBFS)),
    )


def _fill_lane(rng: Random, events: list[Event], stage: Stage, share: float) -> None:
    """One event after the other, with pauses that leave the lane sounding for about its share of the time."""
    onset = int(rng.exponential(2.0 * (1 - share) / share) * SAMPLE_RATE_HZ)
    while onset < stage.samples:
        class_index = _class(rng, events, onset, len(stage.catalogue.voices))
        pieces = _pieces(rng, stage.catalogue, stage.catalogue.voices[class_index])
        events.append(_placed(rng, events, stage, class_index, onset, pieces))
        onset = events[-1].end + int(rng.exponential(events[-1].samples * (1 - share) / share))


def _fill_interference(rng: Random, events: list[Event], stage: Stage, voice: Voice) -> None:
    """Unlabelled sounds, a few a minute."""
    pause_s = rng.uniform(3.0, 20.0)
    onset = int(rng.exponential(pause_s) * SAMPLE_RATE_HZ)
    while onset < stage.samples:
        events.append(_placed(rng, events, stage, None, onset, _pieces(rng, stage.catalogue, voice)))
        onset = events[-1].end + int(rng.exponential(pause_s) * SAMPLE_RATE_HZ)


def _class(rng: Random, events: list[Event], onset: int, classes: int) -> int:
    """All classes alike, now and then that of an event which sounds already."""
    sounding = [
        event.class_index for event in events if event.onset <= onset < event.end and event.class_index is not None
    ]
    if sounding and rng.uniform() < SAME_CLASS_SHARE:
        return int(rng.choice(sounding))
    return int(rng.integers(classes))


def _pieces(rng: Random, catalogue: Catalogue, voice: Voice) -> tuple[Piece, ...]:
    """One clip, an excerpt of a long one, or a few short ones of the same group in a row (steps, knocks, claps)."""
    group = voice.draw_group(rng)
    clip = int(rng.choice(group))
    length = catalogue.bank.clips[clip].samples
    if length >= REPEAT_BELOW_S * SAMPLE_RATE_HZ:
        return (_excerpt(rng, clip, length),)
    repeats = int(rng.integers(2, 7)) if rng.uniform() < 0.5 else 1
    short = [index for index in group if catalogue.bank.clips[index].samples < REPEAT_BELOW_S * SAMPLE_RATE_HZ]
    pause = int(rng.uniform(0.08, 0.45) * SAMPLE_RATE_HZ)
    pieces, offset = [], 0
    for number in range(repeats):
        index = clip if number == 0 else int(rng.choice(short))
        samples = catalogue.bank.clips[index].samples
        pieces.append(Piece(index, 0, samples, offset))
        offset += samples + int(pause * rng.uniform(0.8, 1.2))
    return tuple(pieces)


def _excerpt(rng: Random, clip: int, length: int) -> Piece:
    if length <= WHOLE_BELOW_S * SAMPLE_RATE_HZ:
        return Piece(clip, 0, length, 0)
    samples = int(rng.uniform(EXCERPT_S * SAMPLE_RATE_HZ, length))
    return Piece(clip, int(rng.integers(0, length - samples + 1)), samples, 0)


def _placed(
    rng: Random, events: list[Event], stage: Stage, class_index: int | None, onset: int, pieces: tuple[Piece, ...]
) -> Event:
    """An event at a place away from those that sound at the same time, loud enough to be heard if it is labelled.

    Half of the loss over distance is made up for, as people do when they speak to someone further away.
    """
    samples = pieces[-1].offset + pieces[-1].samples
    others = [event for event in events if event.onset < onset + samples and onset < event.end]
    taken = [_direction(stage.room, event.first_point) for event in others]
    for _ in range(8):
        first, last = _route(rng, stage.room, samples, stage.moving_share)
        if not taken or angle_between_deg(_direction(stage.room, first), np.array(taken)).min() >= APART_DEG:
            break
    distance_db = float(20 * np.log10(place_at(stage.room, np.array((first + last) / 2), 0.0)[2]))
    level = rng.uniform(*(INTERFERENCE_LEVEL_DB if class_index is None else LEVEL_DB)) - distance_db / 2
    if class_index is not None:
        level = max(level, stage.background_db + STANDS_OUT_DB)
    floor = max(FLOOR_DB, stage.background_db + AUDIBLE_DB - level)
    return Event(class_index, onset, pieces, first, last, float(level + distance_db), float(floor))


def _direction(room: RoomRecord, point: float) -> np.ndarray:
    azimuth, elevation, _ = place_at(room, np.array(point), 0.0)
    return unit_vector(azimuth, elevation)


def _route(rng: Random, room: RoomRecord, samples: int, moving_share: float) -> tuple[float, float]:
    """A single point, or a stretch of a path at a walking pace."""
    duration_s = samples / SAMPLE_RATE_HZ
    if not room.paths or duration_s < 1.0 or rng.uniform() >= moving_share:
        point = float(rng.integers(room.static_points))
        return point, point
    start, stop = room.paths[rng.integers(len(room.paths))]
    length = min(rng.uniform(*SPEED_POINTS_S) * duration_s, stop - 1 - start)
    first = start + rng.uniform(0, stop - 1 - start - length)
    route = (float(first), float(first + length))
    return route if rng.uniform() < 0.5 else route[::-1]


def _with_sources(events: list[Event]) -> tuple[Event, ...]:
    """Events by onset; of one class, those that overlap get different source numbers, the lowest free one each."""
    numbered: list[Event] = []
    for event in sorted(events, key=lambda event: event.onset):
        taken = {
            other.source for other in numbered if other.class_index == event.class_index and event.onset < other.end
        }
        source = next(number for number in range(len(taken) + 1) if number not in taken)
        numbered.append(replace(event, source=source))
    return tuple(numbered)


def _background(rng: Random, catalogue: Catalogue) -> Background:
    noise = float(rng.uniform(*NOISE_DB))
    if catalogue.ambience is None or rng.uniform() >= AMBIENCE_SHARE:
        return Background(None, (), -np.inf, noise)
    clip = int(rng.choice(catalogue.ambience.draw_group(rng)))
    length = catalogue.bank.clips[clip].samples
    waves = tuple(
        Wave(
            azimuth_deg=float(rng.uniform(-180, 180)),
            elevation_deg=float(np.degrees(np.arcsin(rng.uniform(-1, 1)))),
            offset=int(rng.integers(length)),
            gain=float(rng.uniform(0.3, 1.0)),
        )
        for _ in range(AMBIENCE_WAVES)
    )
    return Background(clip, waves, float(rng.uniform(*AMBIENCE_DB)), noise)
