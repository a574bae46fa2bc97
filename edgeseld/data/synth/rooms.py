"""Room responses on disk: for each room one memory-mapped array and the places that its points stand for."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeseld.core.atomic import atomic_folder
from edgeseld.core.geometry import Float64, azimuth_elevation_deg, unit_vector
from edgeseld.core.structs import Frozen, to_json


class RoomRecord(Frozen, frozen=True, kw_only=True):
    """Points of a room as the receiver hears them, and the paths (start, stop) along which a source may move.

    Standing sources use the first `static_points`; points beyond serve paths only.
    Responses start `direct_sample` samples before the direct sound, whatever the distance, so that neighbouring points
    can be cross-faded and labels need no delay.
    """

    name: str
    direct_sample: int
    azimuth_deg: tuple[float, ...]
    elevation_deg: tuple[float, ...]
    distance_m: tuple[float, ...]
    static_points: int
    paths: tuple[tuple[int, int], ...]
    rt60_s: float

    def directions(self) -> Float64:
        """Unit vectors of the points, (points, 3)."""
        return unit_vector(self.azimuth_deg, self.elevation_deg)


@dataclass(frozen=True, slots=True)
class Room:
    """Record and responses, float16 (points, channels, taps)."""

    record: RoomRecord
    responses: NDArray[np.float16]


def save_room(folder: Path, record: RoomRecord, responses: NDArray[np.float32]) -> None:
    """Write a room in one step; half precision keeps a decay of 140 dB below the direct sound."""
    with atomic_folder(folder) as temporary:
        np.save(temporary / "responses.npy", responses.astype(np.float16))
        (temporary / "room.json").write_bytes(to_json(record))


def load_record(folder: Path) -> RoomRecord:
    """Places of a finished room."""
    return msgspec.json.decode((folder / "room.json").read_bytes(), type=RoomRecord)


def load_room(folder: Path) -> Room:
    """Open a finished room; the responses stay on disk."""
    return Room(load_record(folder), np.load(folder / "responses.npy", mmap_mode="r"))


def place_at(record: RoomRecord, position: Float64, rotation_deg: float) -> tuple[Float64, Float64, Float64]:
    """Azimuth, elevation and distance at fractional points (any shape), after a turn of the whole room.

    Between two points the direction is that of their cross-fade: the mean of the unit vectors weighted by nearness.
    """
    lower = np.minimum(np.floor(position).astype(np.int64), len(record.azimuth_deg) - 1)
    upper = np.minimum(lower + 1, len(record.azimuth_deg) - 1)
    weight = np.asarray(position - lower)
    vectors = record.directions()
    mixed = vectors[lower] * (1 - weight[..., None]) + vectors[upper] * weight[..., None]
    azimuth, elevation = azimuth_elevation_deg(mixed)
    distance = np.asarray(record.distance_m)
    return azimuth + rotation_deg, elevation, distance[lower] * (1 - weight) + distance[upper] * weight
