"""Built-in voices: source and filter, syllable by syllable. Speech-like babble without words, and laughter."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from edgeseld.core.frames import SAMPLE_RATE_HZ
from edgeseld.data.synth.builtin.shaping import Mono, Random, levelled

HOP = 120
WINDOW = 480
# Formants of a man's vowels in Hz (Peterson and Barney 1952); a woman's are about 17 % higher.
VOWELS = np.array(
    [
        [270, 2290, 3010],
        [390, 1990, 2550],
        [530, 1840, 2480],
        [660, 1720, 2410],
        [730, 1090, 2440],
        [570, 840, 2410],
        [440, 1020, 2240],
        [300, 870, 2240],
        [640, 1190, 2390],
        [490, 1350, 1690],
    ]
)
# Fricatives as centre and width of their noise: s, sh, f, h.
FRICATIVES = np.array([[6500, 3000], [3000, 1800], [5000, 6000], [1500, 2500]])


@dataclass(frozen=True, slots=True)
class Track:
    """Control curves in steps of 5 ms: pitch, loudness of voice, breath and friction, formants, friction band."""

    pitch_hz: Mono
    voice: Mono
    breath: Mono
    friction: Mono
    formants_hz: Mono
    friction_band: Mono


def female_speech(rng: Random) -> Mono:
    """Speech-like babble of a woman."""
    return _speech(rng, pitch_hz=rng.uniform(165, 265), tract=rng.uniform(1.12, 1.22))


def male_speech(rng: Random) -> Mono:
    """Speech-like babble of a man."""
    return _speech(rng, pitch_hz=rng.uniform(80, 150), tract=rng.uniform(0.95, 1.04))


def laughter(rng: Random) -> Mono:
    """Bursts of ha, he or ho at four to six a second, falling and fading; often more breath than voice."""
    woman = rng.uniform() < 0.5
    pitch = rng.uniform(220, 480) if woman else rng.uniform(140, 320)
    formants = VOWELS[rng.choice([2, 3, 4, 5, 8])] * (1.17 if woman else 1.0)
    rate = rng.uniform(3.8, 6.5)
    bouts = [
        _bout(rng, formants, pitch * rng.uniform(0.85, 1.15), rate, int(rng.integers(3, 10)))
        for _ in range(rng.integers(1, 4))
    ]
    return _voice(rng, _joined(bouts))


def _bout(rng: Random, formants: Mono, pitch: float, rate: float, count: int) -> Track:
    """One breath of laughter."""
    pieces = []
    breathy = rng.uniform(0.1, 0.9)
    for number in range(count):
        steps = int(200 / rate * rng.uniform(0.85, 1.15))
        position = np.linspace(0, 1, steps)
        fall = 0.93**number
        loud = np.clip(np.sin(np.pi * np.clip((position - 0.25) / 0.5, 0, 1)), 0, 1) ** 0.7 * (0.97**number)
        hiss = np.clip(1 - np.abs(position - 0.18) / 0.25, 0, 1) * 0.25 + breathy * 0.3 * loud
        pieces.append(_steady(pitch * fall * (1.08 - 0.16 * position), loud * (1 - 0.5 * breathy), hiss, formants))
    rest = int(200 * rng.uniform(0.15, 0.6))
    inhale = np.sin(np.linspace(0, np.pi, rest)) * rng.choice([0.0, 0.25])
    pieces.append(_steady(np.full(rest, pitch), np.zeros(rest), inhale, formants * 1.1))
    return _joined(pieces)


def _steady(pitch: Mono, voice: Mono, breath: Mono, formants: Mono) -> Track:
    steps = len(pitch)
    band = np.tile(FRICATIVES[3].astype(np.float64), (steps, 1))
    return Track(pitch, voice, breath, np.zeros(steps), np.tile(formants, (steps, 1)), band)


def _speech(rng: Random, pitch_hz: float, tract: float) -> Mono:
    """One to three phrases of syllables with declining pitch, stressed syllables and pauses."""
    return _voice(rng, _joined([_phrase(rng, pitch_hz, tract) for _ in range(rng.integers(1, 4))]))


def _phrase(rng: Random, pitch_hz: float, tract: float) -> Track:
    count = int(rng.integers(3, 12))
    decline = np.linspace(1.12, 0.86, count + 1)
    pieces = []
    vowel = VOWELS[rng.integers(len(VOWELS))] * tract
    for number in range(count):
        following = VOWELS[rng.integers(len(VOWELS))] * tract * rng.uniform(0.95, 1.05)
        stress = rng.choice([0.92, 1.0, 1.15])
        pitch = pitch_hz * stress * np.linspace(decline[number], decline[number + 1], 2)
        pieces.append(_syllable(rng, pitch, vowel, following, stress))
        vowel = following
    rest = int(200 * rng.uniform(0.15, 0.55))
    pieces.append(_steady(np.full(rest, pitch_hz), np.zeros(rest), np.zeros(rest), vowel))
    return _joined(pieces)


def _syllable(rng: Random, pitch: Mono, start: Mono, end: Mono, stress: float) -> Track:
    """Consonant (fricative, stop, nasal or none), then a vowel that glides into its target."""
    onset = int(rng.integers(8, 22))
    length = int(rng.integers(18, 46) * stress)
    steps = onset + length
    kind = rng.integers(4)
    position = np.clip((np.arange(steps) - onset * 0.6) / (0.6 * length), 0, 1)[:, None]
    formants = start + (end - start) * (1 - np.cos(np.pi * position)) / 2
    vowel = np.clip((np.arange(steps) - onset) / 6, 0, 1) * np.clip((steps - np.arange(steps)) / 8, 0, 1)
    friction = np.zeros(steps)
    if kind == 0:
        friction[:onset] = np.sin(np.linspace(0, np.pi, onset)) * rng.uniform(0.15, 0.5)
    elif kind == 1:
        friction[onset - 3 : onset + 3] = rng.uniform(0.3, 0.8)
    elif kind == 2:
        vowel[:onset] = 0.35 * np.clip(np.arange(onset) / 5, 0, 1)
        formants[:onset] *= [0.5, 0.8, 0.9]
    band = np.tile(FRICATIVES[rng.integers(3)].astype(np.float64), (steps, 1))
    curve = np.interp(np.arange(steps), [0, steps - 1], pitch)
    return Track(curve, stress * vowel, 0.04 * vowel + 0.02, friction, formants, band)


def _joined(tracks: list[Track]) -> Track:
    return Track(*(np.concatenate([getattr(track, name) for track in tracks]) for name in Track.__slots__))


def _voice(rng: Random, track: Track) -> Mono:
    """Sound of the control curves, frame by frame in the frequency domain."""
    steps = len(track.pitch_hz)
    samples = steps * HOP
    frequency: Mono = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE_HZ).astype(np.float64)
    envelope = _formant_gain(track.formants_hz, frequency, rng)
    centre, width = track.friction_band[:, :1], track.friction_band[:, 1:]
    hiss = 1 / np.sqrt(1 + ((frequency - centre) / (width / 2)) ** 2)
    flow = _glottis(rng, track, samples)
    air = rng.standard_normal(samples)
    sound = _framewise(flow, envelope * track.voice[:, None])
    sound += _framewise(air, envelope * track.breath[:, None] * 0.25)
    return sound + _framewise(air, hiss * track.friction[:, None] * 0.15)


def _glottis(rng: Random, track: Track, samples: int) -> Mono:
    """Train of glottal pulses, unit level: a saw with jitter, a little brighter than 1 / f."""
    jitter = 1 + 0.01 * np.interp(np.arange(samples), np.arange(0, samples, HOP), rng.standard_normal(samples // HOP))
    pitch = np.interp(np.arange(samples), np.arange(0, samples, HOP), track.pitch_hz) * jitter
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HZ
    orders = np.arange(1, 46)
    total = np.zeros(samples)
    for order in orders:
        total += np.where(order * pitch < 9_000, order**-0.9, 0.0) * np.cos(order * phase + 0.3 * order)
    return levelled(total)


def _formant_gain(formants_hz: Mono, frequency: Mono, rng: Random) -> Mono:
    """Magnitude (steps, bins) of the vocal tract: three moving formants and two fixed ones above them."""
    steps = len(formants_hz)
    upper = np.tile([3_600.0, 4_700.0], (steps, 1)) * rng.uniform(0.95, 1.15)
    centres = np.concatenate([formants_hz, upper], axis=1)
    widths = np.array([80, 110, 160, 250, 350]) * rng.uniform(0.8, 1.4)
    gain = np.zeros((steps, len(frequency)))
    for index, (width, level) in enumerate(zip(widths, (1.0, 0.6, 0.45, 0.3, 0.25), strict=True)):
        gain += level / np.sqrt(1 + ((frequency - centres[:, index, None]) / (width / 2)) ** 2)
    return gain * np.minimum(1, frequency / 120)


def _framewise(signal: Mono, gain: Mono) -> Mono:
    """Filter with a magnitude (steps, bins) that changes every hop: Hann analysis at 75 % overlap, overlap-add."""
    padded = np.pad(signal, (WINDOW // 2, WINDOW))
    window = np.hanning(WINDOW + 1)[:-1]
    frames = sliding_window_view(padded, WINDOW)[::HOP][: len(gain)] * window
    shaped = np.fft.irfft(np.fft.rfft(frames, axis=1) * gain, WINDOW, axis=1)
    total = np.zeros(len(padded))
    for offset in range(WINDOW // HOP):
        block = shaped[offset :: WINDOW // HOP]
        start = offset * HOP
        total[start : start + block.size] += block.ravel()
    return total[WINDOW // 2 : WINDOW // 2 + len(signal)] / 2
