"""Responses measured in real rooms: a folder of recordings and an `index.csv` that says where each source stood.

Columns: `foa_file` (four channels, W, Y, Z, X, SN3D) or `mic_file` (four channels of the STARSS array),
`absorption_setting` (or any name of a room), `source_azimuth_deg` (counter-clockwise), `source_elevation_deg`,
`source_distance_m`, `direct_sample` (index of the direct sound).
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import AudioFormatError, DataError
from edgeseld.core.frames import SAMPLE_RATE_HZ
from edgeseld.core.spec import ChannelFormat
from edgeseld.data.synth.rooms import RoomRecord, save_room
from edgeseld.signal.ambisonics import rotate_foa
from edgeseld.signal.decoding import decode_file

PLACE_COLUMNS = (
    "absorption_setting",
    "source_azimuth_deg",
    "source_elevation_deg",
    "source_distance_m",
    "direct_sample",
)
PATH_STEP_DEG = 6.0
# Neighbours further apart than this are not joined to a path.
WIDEST_GAP_DEG = 45.0
# Before this time after the direct sound two turned responses add in phase, after it they add in power.
COHERENT_SAMPLES = 48


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row of the index."""

    path: Path
    setting: str
    azimuth_deg: float
    elevation_deg: float
    distance_m: float
    direct_sample: int


def read_index(folder: Path, channel_format: ChannelFormat) -> tuple[Measurement, ...]:
    """Rows of `folder/index.csv` for a channel format; DataError names what is missing."""
    path = folder / "index.csv"
    if not path.is_file():
        raise DataError(f"a folder of room responses holds index.csv, and {folder} has none: check --rooms")
    column = "mic_file" if channel_format == "mic" else "foa_file"
    rows = csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines())
    missing = [name for name in (column, *PLACE_COLUMNS) if name not in (rows.fieldnames or ())]
    if missing:
        raise DataError(
            f"{path} needs the column {missing[0]!r} for {channel_format} scenes: add it, or use other rooms"
        )
    measurements = tuple(_measurement(folder, path, column, number, row) for number, row in enumerate(rows, start=2))
    if not measurements:
        raise DataError(f"{path} lists no response: add rows, or use --rooms simulated")
    return measurements


def _measurement(folder: Path, index: Path, column: str, line: int, row: dict[str, str]) -> Measurement:
    try:
        azimuth, elevation, distance = (float(row[name]) for name in PLACE_COLUMNS[1:4])
        direct = int(row["direct_sample"])
    except (TypeError, ValueError) as error:
        raise DataError(f"places in {index} are numbers, but line {line} is not: {error}; correct it") from error
    path = folder / row[column]
    if not path.is_file():
        raise DataError(f"{index} line {line} names {row[column]}, which is not on disk: restore it or remove the row")
    return Measurement(path, row["absorption_setting"], azimuth, elevation, distance, direct)


def settings(measurements: tuple[Measurement, ...]) -> tuple[str, ...]:
    """Names of the rooms or settings, as they come."""
    return tuple(dict.fromkeys(measurement.setting for measurement in measurements))


def make_measured_room(
    folder: Path, measurements: tuple[Measurement, ...], channel_format: ChannelFormat, with_paths: bool
) -> None:
    """Save the responses of one setting; paths join neighbouring azimuths (not for `mic`: they turn the field)."""
    responses, direct_sample = _aligned(measurements, channel_format)
    places = [(m.azimuth_deg, m.elevation_deg, m.distance_m) for m in measurements]
    paths: list[tuple[int, int]] = []
    if with_paths and channel_format != "mic":
        for ring in _rings(measurements):
            path, path_places = _ring_path(ring, places, responses, direct_sample)
            paths.append((len(places), len(places) + len(path_places)))
            places += path_places
            responses = np.concatenate([responses, path])
    azimuth, elevation, distance = zip(*places, strict=True)
    record = RoomRecord(
        name=f"measured-{measurements[0].setting}",
        direct_sample=direct_sample,
        azimuth_deg=azimuth,
        elevation_deg=elevation,
        distance_m=distance,
        static_points=len(measurements),
        paths=tuple(paths),
        rt60_s=round(_rt60_s(responses[: len(measurements), 0], direct_sample), 3),
    )
    save_room(folder, record, responses)


def _aligned(measurements: tuple[Measurement, ...], channel_format: ChannelFormat) -> tuple[NDArray[np.float32], int]:
    """Responses (points, 4, taps) with direct sounds on one sample, scaled to a direct gain of about 1 / distance."""
    direct = min(measurement.direct_sample for measurement in measurements)
    loaded = [
        _read(measurement, channel_format)[:, measurement.direct_sample - direct :] for measurement in measurements
    ]
    responses = np.zeros((len(loaded), 4, max(response.shape[1] for response in loaded)), dtype=np.float32)
    for target, response in zip(responses, loaded, strict=True):
        target[:, : response.shape[1]] = response
    window = slice(max(0, direct - 24), direct + 24)
    level = np.sqrt(np.square(responses[:, 0, window]).sum(axis=1))
    distance = np.array([measurement.distance_m for measurement in measurements])
    return responses * np.float32(1 / np.median(level * distance)), direct


def _read(measurement: Measurement, channel_format: ChannelFormat) -> NDArray[np.float32]:
    """Response (4, taps) at its own rate, which must be 24 kHz: `direct_sample` counts samples of the file."""
    audio, rate_hz = decode_file(measurement.path)
    if rate_hz != SAMPLE_RATE_HZ:
        raise AudioFormatError(
            f"room responses are at {SAMPLE_RATE_HZ} Hz, but {measurement.path} is at {rate_hz}: resample it"
        )
    if len(audio) != 4:
        raise AudioFormatError(
            f"responses for {channel_format} have 4 channels, but {measurement.path} has {len(audio)}: use other rooms"
        )
    if not measurement.direct_sample < audio.shape[1]:
        raise DataError(f"direct_sample lies within the response, but {measurement.path} is shorter: correct the index")
    return audio


def _rings(measurements: tuple[Measurement, ...]) -> list[list[int]]:
    """Indices of measurements at one height and distance that surround the receiver, by azimuth."""
    rings: dict[tuple[float, float], list[int]] = {}
    for index, measurement in enumerate(measurements):
        rings.setdefault((measurement.elevation_deg, measurement.distance_m), []).append(index)
    ordered = [sorted(ring, key=lambda index: measurements[index].azimuth_deg) for ring in rings.values()]
    return [
        ring
        for ring in ordered
        if len(ring) > 2 and _gaps([measurements[i].azimuth_deg for i in ring]).max() <= WIDEST_GAP_DEG
    ]


def _gaps(azimuths_deg: list[float]) -> NDArray[np.float64]:
    return np.diff([*azimuths_deg, azimuths_deg[0] + 360.0])


def _ring_path(
    ring: list[int], places: list[tuple[float, float, float]], responses: NDArray[np.float32], direct_sample: int
) -> tuple[NDArray[np.float32], list[tuple[float, float, float]]]:
    """Points every 6 degrees round the receiver and back to the first: neighbours turned onto the point and mixed."""
    azimuths = [places[index][0] for index in ring]
    points, path_places = [], []
    for number, gap in enumerate(_gaps(azimuths)):
        first, second = ring[number], ring[(number + 1) % len(ring)]
        steps = max(1, round(gap / PATH_STEP_DEG))
        for step in range(steps):
            turn = gap * step / steps
            near = rotate_foa(responses[first], turn)
            far = rotate_foa(responses[second], turn - gap)
            points.append(_mixed(near, far, step / steps, direct_sample))
            path_places.append((azimuths[number] + float(turn), *places[first][1:]))
    points.append(responses[ring[0]])
    path_places.append((azimuths[0] + 360.0, *places[ring[0]][1:]))
    return np.stack(points), path_places


def _mixed(
    first: NDArray[np.float32], second: NDArray[np.float32], share: float, direct_sample: int
) -> NDArray[np.float32]:
    """Cross-fade of two responses: amplitudes add up in the direct sound, powers after it."""
    late = np.clip((np.arange(first.shape[-1]) - direct_sample) / COHERENT_SAMPLES - 1, 0, 1)
    power = np.hypot(1 - share, share)
    mixed = (1 - share) * first + share * second
    return np.asarray(mixed / (1 - late * (1 - power)), dtype=np.float32)


def _rt60_s(pressure: NDArray[np.float32], direct_sample: int) -> float:
    """Reverberation time from the decay between -5 and -25 dB of the mean energy decay curve of (points, taps)."""
    energy = np.square(pressure[:, direct_sample:], dtype=np.float64)
    decay = 10 * np.log10(energy[:, ::-1].cumsum(axis=1)[:, ::-1].sum(axis=0) / energy.sum() + 1e-12)
    return float(3 * (np.argmax(decay < -25) - np.argmax(decay < -5)) / SAMPLE_RATE_HZ)
