"""From a plan to audio: clips through room responses, background, noise, channel format and level."""

import numpy as np

from edgeseld.core.spec import ChannelFormat
from edgeseld.data.synth.background import ambience, sensor_noise
from edgeseld.data.synth.clips import ClipBank
from edgeseld.data.synth.convolution import Float32, convolve
from edgeseld.data.synth.plan import Event, ScenePlan
from edgeseld.data.synth.rooms import Room
from edgeseld.signal.ambisonics import foa_to_stereo, rotate_foa

EDGE_SAMPLES = 96


def render_scene(plan: ScenePlan, room: Room, clips: ClipBank, channel_format: ChannelFormat) -> Float32:
    """Audio (channels, samples) in [-1, 1]; the room's responses are ambisonics, or capsules for `mic`."""
    mix = np.zeros((4, plan.samples), dtype=np.float32)
    for event in plan.events:
        _add_event(mix, event, room, clips)
    if plan.rotation_deg and channel_format != "mic":
        mix = rotate_foa(mix, plan.rotation_deg)
    if plan.background.clip is not None:
        clip = clips.clips[plan.background.clip]
        sound = clips.read(plan.background.clip, 0, clip.samples)
        gain = np.float32(10 ** (plan.background.ambience_db / 20))
        mix += gain * ambience(sound, plan.background.waves, plan.samples, channel_format)
    noise_rng = np.random.default_rng((*plan.seed, 1))
    mix += sensor_noise(noise_rng, plan.samples, 10 ** (plan.background.noise_db / 20), channel_format)
    return _at_level(_in_format(mix, channel_format), plan.peak_dbfs)


def _in_format(mix: Float32, channel_format: ChannelFormat) -> Float32:
    if channel_format == "stereo":
        return foa_to_stereo(mix)
    return mix[:1] if channel_format == "mono" else mix


def _at_level(audio: Float32, peak_dbfs: float) -> Float32:
    peak = float(np.abs(audio).max())
    return audio * np.float32(10 ** (peak_dbfs / 20) / max(peak, 1e-9))


def _add_event(mix: Float32, event: Event, room: Room, clips: ClipBank) -> None:
    """Add the sound of an event on its way; the response's direct sound falls on the event's onset."""
    dry = _dry(event, clips)
    onset = event.onset - room.record.direct_sample
    if event.first_point == event.last_point:
        _add(mix, onset, convolve(dry, _response(room, int(event.first_point))))
        return
    position = np.linspace(event.first_point, event.last_point, len(dry), dtype=np.float32)
    lowest, highest = sorted((event.first_point, event.last_point))
    for point in range(int(np.floor(lowest)), int(np.ceil(highest)) + 1):
        weight = 1 - np.abs(position - point)
        sounding = np.flatnonzero(weight > 0)
        if len(sounding):
            part = slice(int(sounding[0]), int(sounding[-1]) + 1)
            _add(mix, onset + part.start, convolve(dry[part] * weight[part], _response(room, point)))


def _response(room: Room, point: int) -> Float32:
    response: Float32 = room.responses[point].astype(np.float32)
    return response


def _add(mix: Float32, onset: int, wet: Float32) -> None:
    """Add (channels, samples) at an onset that may lie before the start; what lies outside the scene is cut off."""
    first, last = max(0, onset), min(mix.shape[1], onset + wet.shape[1])
    if first < last:
        mix[:, first:last] += wet[:, first - onset : last - onset]


def _dry(event: Event, clips: ClipBank) -> Float32:
    """Clips of an event one after the other, (samples,), with short fades where excerpts were cut."""
    dry = np.zeros(event.samples, dtype=np.float32)
    ramp = np.linspace(0, 1, EDGE_SAMPLES, dtype=np.float32)
    gain = np.float32(10 ** (event.gain_db / 20))
    for piece in event.pieces:
        sound = clips.read(piece.clip, piece.start, piece.samples) * gain
        edge = min(EDGE_SAMPLES, len(sound))
        sound[:edge] *= ramp[:edge]
        sound[-edge:] *= ramp[:edge][::-1]
        dry[piece.offset : piece.offset + len(sound)] += sound
    return dry
