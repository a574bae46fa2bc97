"""Drawing a simulated room: its size and walls, where the receiver stands, and where sources stand or walk."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from edgeseld.core.geometry import Float64, azimuth_elevation_deg, unit_vector
from edgeseld.data.synth.definition import SimulatedRooms

BANDS_HZ = (125, 250, 500, 1000, 2000, 4000, 8000)
STATIC_POINTS = 24
PATHS = 2
PATH_POINTS = 24
NEAREST_M, FARTHEST_M = 0.5, 6.0
WALL_MARGIN_M = 0.25
# Reverberation times are drawn for a room of this size and scaled: small rooms are furnished rooms.
TYPICAL_VOLUME_M3 = 90.0
# A step along a path is at most this wide, whichever comes first: the cross-fade stays clean.
STEP_DEG, STEP_M = 8.0, 0.35
# Octave shapes of real surfaces re their mean: hard walls, carpets and curtains, panels, absorbent ceilings.
SPECTRA = np.array(
    [
        [0.9, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15],
        [0.3, 0.45, 0.7, 1.0, 1.25, 1.4, 1.5],
        [1.6, 1.35, 1.05, 0.9, 0.8, 0.75, 0.75],
        [0.6, 0.85, 1.1, 1.2, 1.15, 1.1, 1.0],
    ]
)

Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class RoomPlan:
    """Size (3,), absorption (6 walls, bands), receiver (3,), source points (points, 3), paths as ranges of points."""

    size_m: Float64
    absorption: Float64
    receiver_m: Float64
    sources_m: Float64
    paths: tuple[tuple[int, int], ...]

    def rt60_s(self) -> Float64:
        """Reverberation time by band after Eyring, air absorption apart."""
        volume, areas = float(self.size_m.prod()), wall_areas(self.size_m)
        mean = (areas[:, None] * self.absorption).sum(axis=0) / areas.sum()
        return np.asarray(0.161 * volume / (-areas.sum() * np.log(1 - mean)))


def wall_areas(size_m: Float64) -> Float64:
    """Areas of west, east, south, north, floor, ceiling."""
    x, y, z = size_m
    return np.array([y * z, y * z, x * z, x * z, x * y, x * y])


def draw_room(rng: Random, ranges: SimulatedRooms) -> RoomPlan:
    """A room within the ranges, with 24 single places and two paths for moving sources."""
    size = np.array([rng.uniform(*ranges.length_m), rng.uniform(*ranges.width_m), rng.uniform(*ranges.height_m)])
    scale = float(np.clip(np.cbrt(size.prod() / TYPICAL_VOLUME_M3), 0.5, 1.3))
    absorption = _absorption(rng, size, scale * float(np.exp(rng.uniform(*np.log(ranges.rt60_s)))))
    receiver = np.array([*(size[:2] * rng.uniform(0.3, 0.7, 2)), rng.uniform(0.8, 1.9)])
    static = [_point(rng, size, receiver) for _ in range(STATIC_POINTS)]
    walks = [_path(rng, size, receiver) for _ in range(PATHS)]
    stops = np.cumsum([STATIC_POINTS] + [len(walk) for walk in walks])
    paths = tuple((int(a), int(b)) for a, b in pairwise(stops))
    return RoomPlan(size, absorption, receiver, np.concatenate([static, *walks]), paths)


def _absorption(rng: Random, size: Float64, rt60_s: float) -> Float64:
    """Walls of different hardness and spectrum whose mean gives about the wanted reverberation time."""
    areas = wall_areas(size)
    mean = 1 - np.exp(-0.161 * float(size.prod()) / (areas.sum() * rt60_s))
    hardness = np.exp(rng.normal(0, 0.5, 6))
    walls = (hardness * mean * areas.sum() / (hardness * areas).sum())[:, None] * SPECTRA[
        rng.integers(len(SPECTRA), size=6)
    ]
    return np.asarray(np.clip(walls, 0.02, 0.95))


def _inside(size: Float64, points: Float64) -> bool:
    return bool((points > WALL_MARGIN_M * np.array([1, 1, 0.2])).all() and (points < size - WALL_MARGIN_M).all())


def _point(rng: Random, size: Float64, receiver: Float64) -> Float64:
    """A place 0.5 to 6 m away: anywhere on the floor plan at heights of people and furniture, or any elevation."""
    while True:
        if rng.uniform() < 0.7:
            point = np.array([*(size[:2] * rng.uniform(size=2)), _height(rng, size)])
        else:
            elevation = np.degrees(np.arcsin(rng.uniform(-0.9, 0.9)))
            point = receiver + rng.uniform(NEAREST_M, FARTHEST_M) * unit_vector(rng.uniform(-180, 180), elevation)
        distance = np.linalg.norm(point - receiver)
        if NEAREST_M <= distance <= FARTHEST_M and _inside(size, point):
            return np.asarray(point)


def _height(rng: Random, size: Float64) -> float:
    """Floor, table, sitting, standing, shelf."""
    low, high = ((0.05, 0.3), (0.6, 1.0), (1.0, 1.3), (1.4, 1.8), (1.8, size[2] - 0.3))[
        rng.choice(5, p=[0.2, 0.25, 0.2, 0.25, 0.1])
    ]
    return float(rng.uniform(low, max(low, high)))


def _path(rng: Random, size: Float64, receiver: Float64) -> Float64:
    """A straight walk, or part of a circle round the receiver, in steps that are small for the ear."""
    while True:
        dense = _arc(rng, size, receiver) if rng.uniform() < 0.4 else _line(rng, size, receiver)
        distance = np.linalg.norm(dense - receiver, axis=1)
        if _inside(size, dense) and distance.min() >= NEAREST_M and distance.max() <= FARTHEST_M:
            points = _even_steps(dense, receiver)
            if len(points) >= 6:
                return points


def _line(rng: Random, size: Float64, receiver: Float64) -> Float64:
    start, end = _point(rng, size, receiver), _point(rng, size, receiver)
    end[2] = start[2] + rng.normal(0, 0.1)
    return np.asarray(start + np.linspace(0, 1, 400)[:, None] * (end - start))


def _arc(rng: Random, size: Float64, receiver: Float64) -> Float64:
    start = _point(rng, size, receiver)
    azimuth, elevation = azimuth_elevation_deg(start - receiver)
    sweep = azimuth + np.linspace(0, rng.choice([-1, 1]) * rng.uniform(50, 184), 400)
    return np.asarray(receiver + np.linalg.norm(start - receiver) * unit_vector(sweep, elevation))


def _even_steps(dense: Float64, receiver: Float64) -> Float64:
    """Points along a dense curve whose steps are equal in the larger of angle / 8 degrees and length / 0.35 m."""
    lengths = np.linalg.norm(np.diff(dense, axis=0), axis=1)
    rays = (dense - receiver) / np.linalg.norm(dense - receiver, axis=1, keepdims=True)
    angles = np.degrees(np.arccos(np.clip((rays[1:] * rays[:-1]).sum(axis=1), -1, 1)))
    effort = np.concatenate([[0.0], np.cumsum(np.maximum(angles / STEP_DEG, lengths / STEP_M))])
    steps = min(PATH_POINTS - 1, int(np.floor(effort[-1])))
    targets = np.arange(steps + 1.0)
    return np.stack([np.interp(targets, effort, dense[:, axis]) for axis in range(3)], axis=1)
