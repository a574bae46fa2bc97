"""Responses of simulated rooms: early reflections from image sources, then a diffuse tail that carries on their decay.

Image positions and octave-band wall damping come from pyroomacoustics (Scheibler et al., ICASSP 2018). Delays,
encoding and tail are ours. Images are moved by a few centimetres, which removes the sweeping echoes of a perfect box
(De Sena et al., TASLP 2015).
"""

from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import BackendMissingError
from edgeseld.core.frames import SAMPLE_RATE_HZ
from edgeseld.core.geometry import Float64, azimuth_elevation_deg
from edgeseld.core.spec import ChannelFormat
from edgeseld.data.synth.convolution import fast_length, scipy_fft
from edgeseld.data.synth.definition import SimulatedRooms
from edgeseld.data.synth.geometry import BANDS_HZ, RoomPlan, draw_room
from edgeseld.data.synth.receivers import FOA, MIC, SPEED_OF_SOUND_M_S, Receiver
from edgeseld.data.synth.rooms import RoomRecord, save_room

DIRECT_SAMPLE = 40
IMAGE_ORDER = 16
# Images are complete to the end of the handover from early reflections to tail.
HANDOVER_SAMPLES = (1_200, 1_920)
EARLY_TAPS = 2_880
JITTER_M = 0.06
LONGEST_S = 0.9
FADE_SAMPLES = 1_200
# People, loudspeakers and doors radiate forwards and mostly face the listener: reflections are this much weaker than
# those of an omnidirectional source (drawn for each place), less so in the lowest band, more so in the highest.
DIRECTIVITY_DB = (0.0, 10.0)
DIRECTIVITY_BANDS = np.linspace(0.2, 1.2, len(BANDS_HZ))
WALLS = ("west", "east", "south", "north", "floor", "ceiling")


def make_simulated_room(
    folder: Path, seed: tuple[int, ...], ranges: SimulatedRooms, channel_format: ChannelFormat
) -> None:
    """Draw a room, compute its responses and save it."""
    rng = np.random.default_rng(seed)
    plan = draw_room(rng, ranges)
    responses = room_responses(plan, MIC if channel_format == "mic" else FOA, rng)
    rays = plan.sources_m - plan.receiver_m
    azimuth, elevation = azimuth_elevation_deg(rays)
    record = RoomRecord(
        name=f"simulated-{'-'.join(map(str, seed))}",
        direct_sample=DIRECT_SAMPLE,
        azimuth_deg=tuple(azimuth.round(3).tolist()),
        elevation_deg=tuple(elevation.round(3).tolist()),
        distance_m=tuple(np.linalg.norm(rays, axis=1).round(3).tolist()),
        static_points=len(rays),
        paths=plan.paths,
        rt60_s=round(float(plan.rt60_s()[2:5].mean()), 3),
    )
    save_room(folder, record, responses)


def room_responses(plan: RoomPlan, receiver: Receiver, rng: np.random.Generator) -> NDArray[np.float32]:
    """Responses (points, 4, taps) of all source points; points of one path share the noise of their tail."""
    taps = max(EARLY_TAPS, round(min(LONGEST_S, float(plan.rt60_s().max())) * SAMPLE_RATE_HZ))
    images, air = _images(plan)
    single = plan.paths[0][0]
    groups = [(point, point + 1) for point in range(single)] + list(plan.paths)
    result = np.empty((len(plan.sources_m), 4, taps), dtype=np.float32)
    for start, stop in groups:
        tail = _tail(rng, receiver, plan.rt60_s(), taps)
        directivity = 10 ** (-rng.uniform(*DIRECTIVITY_DB) * DIRECTIVITY_BANDS / 20)
        for point in range(start, stop):
            positions, damping = images[point]
            early = _early(rng, receiver, positions - plan.receiver_m, damping, air, directivity)
            result[point] = _with_tail(early, tail)
    result[..., -FADE_SAMPLES:] *= np.cos(np.linspace(0, np.pi / 2, FADE_SAMPLES)).astype(np.float32) ** 2
    return result


def _pyroomacoustics() -> ModuleType:
    try:
        import pyroomacoustics
    except ImportError as error:
        raise BackendMissingError("simulating rooms", "synth") from error
    module: ModuleType = pyroomacoustics
    return module


def _images(plan: RoomPlan) -> tuple[list[tuple[Float64, Float64]], Float64]:
    """Of every source its images (images, 3) and their damping (bands, images); absorption of air (bands,) in 1/m."""
    pra = _pyroomacoustics()
    walls = {
        name: pra.Material({"description": name, "coeffs": row.tolist(), "center_freqs": list(BANDS_HZ)})
        for name, row in zip(WALLS, plan.absorption, strict=True)
    }
    room = pra.ShoeBox(plan.size_m, fs=SAMPLE_RATE_HZ, materials=walls, max_order=IMAGE_ORDER, air_absorption=True)
    for source in plan.sources_m:
        room.add_source(source)
    room.add_microphone(plan.receiver_m)
    room.image_source_model()
    found = [(source.images.T.astype(np.float64), source.damping.astype(np.float64)) for source in room.sources]
    return found, np.asarray(room.air_absorption, dtype=np.float64)


def _early(
    rng: np.random.Generator, receiver: Receiver, rays: Float64, damping: Float64, air: Float64, directivity: Float64
) -> Float64:
    """Direct sound and reflections by band, (bands, 4, early taps), gains 1 / distance; rays are (images, 3)."""
    true_distance = np.linalg.norm(rays, axis=1)
    direct = true_distance.min()
    # Walls always absorb something, so undamped means direct.
    reflected = np.asarray((damping < 1.0).any(axis=0))
    moved = rays + np.where(reflected[:, None], rng.uniform(-JITTER_M, JITTER_M, rays.shape), 0.0)
    distance = np.maximum(np.linalg.norm(moved, axis=1), direct)
    delays = DIRECT_SAMPLE + (distance - direct) * SAMPLE_RATE_HZ / SPEED_OF_SOUND_M_S
    near = delays < DIRECT_SAMPLE + HANDOVER_SAMPLES[1]
    starts, kernels = receiver.arrivals(delays[near], moved[near] / distance[near, None])
    radiated = np.where(reflected, directivity[:, None], 1.0)
    gains = radiated * damping * np.exp(-0.5 * air[:, None] * distance) / distance
    return _scattered(starts, kernels, gains[:, near], EARLY_TAPS)


def _scattered(starts: NDArray[np.int64], kernels: Float64, gains: Float64, taps: int) -> Float64:
    """Kernels (waves, channels, k) added at their start samples with gains (bands, waves): (bands, channels, taps)."""
    width = kernels.shape[-1]
    index = (starts[:, None] + np.arange(width)).ravel()
    size = taps + width
    result = np.empty((len(gains), kernels.shape[1], taps))
    for band, gain in enumerate(gains):
        weighted = kernels * gain[:, None, None]
        for channel in range(kernels.shape[1]):
            result[band, channel] = np.bincount(index, weighted[:, channel].ravel(), minlength=size)[:taps]
    return result


def _band_weights(size: int) -> Float64:
    """Triangles over log frequency around the octave centres, (bands, bins); they add up to one at every frequency."""
    frequency = np.log2(np.maximum(np.fft.rfftfreq(size, 1 / SAMPLE_RATE_HZ), 1.0))
    centres = np.log2(BANDS_HZ)
    return np.array([np.interp(frequency, centres, row) for row in np.eye(len(BANDS_HZ))])


def _tail(rng: np.random.Generator, receiver: Receiver, rt60_s: Float64, taps: int) -> Float64:
    """Isotropic noise by band, decaying from the direct sound on with its reverberation time: (bands, 4, taps)."""
    fft = scipy_fft()
    size = fast_length(taps)
    noise = receiver.diffuse(fft.rfft(rng.standard_normal((4, size))))
    bands = fft.irfft(noise * _band_weights(size)[:, None], size)[..., :taps]
    time = (np.arange(taps) - DIRECT_SAMPLE) / SAMPLE_RATE_HZ
    return np.asarray(bands * np.exp(-6.9 * time / rt60_s[:, None])[:, None])


def _with_tail(early: Float64, tail: Float64) -> NDArray[np.float32]:
    """Early part (bands, 4, early taps), its bands put together, faded into a tail of the same level in every band."""
    fft = scipy_fft()
    size = early.shape[-1]
    shaped = fft.irfft(fft.rfft(early) * _band_weights(size)[:, None], size)
    window = slice(DIRECT_SAMPLE + HANDOVER_SAMPLES[0], DIRECT_SAMPLE + HANDOVER_SAMPLES[1])
    early_power = np.square(shaped[:, :, window]).mean(axis=(1, 2))
    level = np.sqrt(early_power / (np.square(tail[:, :, window]).mean(axis=(1, 2)) + 1e-20))
    ramp = np.clip((np.arange(tail.shape[-1]) - window.start) / (window.stop - window.start), 0, 1) * (np.pi / 2)
    total = np.einsum("b,bct->ct", level, tail) * np.sin(ramp)
    kept = min(size, len(ramp))
    total[:, :kept] += shaped.sum(axis=0)[:, :kept] * np.cos(ramp[:kept])
    return np.asarray(total, dtype=np.float32)
