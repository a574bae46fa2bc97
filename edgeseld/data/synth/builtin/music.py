"""Built-in instruments and music: notes by additive, plucked and struck synthesis; a small band."""

from collections.abc import Callable

import numpy as np

from edgeseld.data.synth.builtin.ringing import BAR
from edgeseld.data.synth.builtin.shaping import (
    Mono,
    Random,
    band,
    burst,
    curve,
    gated,
    log_uniform,
    modes,
    noise,
    peaked,
    place,
    tone,
    wander,
)

MAJOR = np.array([0, 2, 4, 5, 7, 9, 11])
MINOR = np.array([0, 2, 3, 5, 7, 8, 10])
Player = Callable[[Random, Random, float, float], Mono]
PROGRESSIONS = ((0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 4, 4), (1, 4, 0, 0))


def musical_instrument(rng: Random) -> Mono:
    """One instrument alone: a long note, a run of notes, or chords."""
    play = [plucked, struck_string, bowed, blown, brass, mallet][rng.integers(6)]
    timbre = int(rng.integers(2**31))
    root = log_uniform(rng, 90, 700)
    scale = 2 ** ((MAJOR if rng.uniform() < 0.6 else MINOR) / 12)
    beat = rng.uniform(0.16, 0.6)
    count = int(rng.integers(1, 10))
    pieces, onset = [], 0.0
    degree = int(rng.integers(7))
    for _ in range(count):
        length = beat * rng.choice([1, 1, 2]) if count > 1 else rng.uniform(0.8, 3.0)
        degree = int(np.clip(degree + rng.integers(-3, 4), 0, 6))
        ring = length if play in (bowed, blown, brass) else max(length, 0.7)
        note = play(np.random.default_rng(timbre), rng, root * scale[degree], ring)
        pieces.append((onset, rng.uniform(0.6, 1.0) * peaked(note)))
        onset += length
    return place(pieces)


def plucked(timbre: Random, rng: Random, pitch_hz: float, length_s: float) -> Mono:
    """String plucked at one place: partials of a triangle, stiff, the high ones dying first."""
    order = np.arange(1, 26)
    position = timbre.uniform(0.08, 0.45)
    stiffness = log_uniform(timbre, 1e-5, 4e-4)
    decay = log_uniform(timbre, 0.6, 3.5) / order ** timbre.uniform(0.3, 0.9)
    gains = np.abs(np.sin(np.pi * order * position)) / order ** timbre.uniform(0.7, 1.6)
    return gated(modes(length_s, pitch_hz * order * np.sqrt(1 + stiffness * order**2), decay, gains), 0.002)


def struck_string(timbre: Random, rng: Random, pitch_hz: float, length_s: float) -> Mono:
    """Piano-like: three slightly detuned strings a note, a soft hammer and a knock of the keybed."""
    order = np.arange(1, 20)
    stretched = order * np.sqrt(1 + 3e-4 * order**2)
    gains = np.exp(-order * timbre.uniform(0.15, 0.5)) * np.abs(np.sin(np.pi * order / 8.3))
    strings = [
        modes(length_s, pitch_hz * detune * stretched, timbre.uniform(1.5, 4.0) / order**0.5, gains)
        for detune in 1 + timbre.normal(0, 0.0006, 3)
    ]
    knock = burst(length_s, rng, band(100, 900), decay_s=0.05)
    total = sum(strings, np.zeros_like(knock))
    return gated(peaked(total) + 0.05 * peaked(knock), 0.003)


def bowed(timbre: Random, rng: Random, pitch_hz: float, length_s: float) -> Mono:
    """Bowed string: a saw with vibrato through the resonances of a body, a little bow noise."""
    vibrato = 1 + 0.006 * np.sin(2 * np.pi * timbre.uniform(4.5, 6.5) * np.arange(round(length_s * 24_000)) / 24_000)
    order = np.arange(1, 30)
    body = 1 + 1.5 * np.cos(order * timbre.uniform(0.5, 2.5)) ** 2
    voice = tone(pitch_hz * vibrato, length_s, body / order ** timbre.uniform(0.9, 1.3))
    rosin = noise(length_s, rng, band(1_500, 6_000))
    swell = curve(length_s, [0, 0.12, 0.8, 1], [0, 1, 0.8, 0])
    return swell * (peaked(voice) + 0.02 * rosin)


def blown(timbre: Random, rng: Random, pitch_hz: float, length_s: float) -> Mono:
    """Flute, recorder or clarinet: few harmonics (odd ones for a closed pipe), breath noise and a soft attack."""
    order = np.arange(1, 14)
    closed = timbre.uniform() < 0.4
    gains = np.exp(-order * timbre.uniform(0.4, 1.3)) * np.where(closed & (order % 2 == 0), 0.08, 1.0)
    drift = 1 + 0.003 * wander(length_s, rng, 5.0)
    voice = tone(2 * pitch_hz * drift[: round(length_s * 24_000)], length_s, gains)
    breath = noise(length_s, rng, band(600, 5_000)) * timbre.uniform(0.01, 0.08)
    return curve(length_s, [0, 0.08, 0.85, 1], [0, 1, 0.85, 0]) * (peaked(voice) + breath)


def brass(timbre: Random, rng: Random, pitch_hz: float, length_s: float) -> Mono:
    """Trumpet to tuba: the louder, the brighter (harmonics open with the envelope)."""
    envelope = curve(length_s, [0, 0.1, 0.25, 0.85, 1], [0, 1, 0.8, 0.75, 0])
    mellow = tone(pitch_hz, length_s, np.exp(-np.arange(8) * 0.7))
    bright = tone(pitch_hz, length_s, np.arange(1, 18) ** timbre.uniform(-0.9, -0.3))
    return envelope * peaked(mellow) + envelope**3 * timbre.uniform(0.3, 1.0) * peaked(bright)


def mallet(timbre: Random, rng: Random, pitch_hz: float, length_s: float) -> Mono:
    """Marimba, xylophone, glockenspiel: a tuned bar and the knock of the mallet."""
    ratios = BAR if timbre.uniform() < 0.4 else np.array([1.0, 3.93, 9.2, 16.3])
    ring = modes(length_s, 2 * pitch_hz * ratios, log_uniform(timbre, 0.3, 1.8) / ratios**0.7, ratios**-0.8)
    knock = burst(length_s, rng, band(400, 4_000), decay_s=0.015)
    return gated(peaked(ring) + 0.15 * peaked(knock), 0.001)


def music(rng: Random) -> Mono:
    """A few bars of a band: chords, bass, a melody and, mostly, drums."""
    beat = 60 / rng.uniform(75, 160)
    tonic = log_uniform(rng, 110, 220)
    scale = MAJOR if rng.uniform() < 0.6 else MINOR
    bars = int(max(1, min(4, 8.0 // (4 * beat))))
    chords = PROGRESSIONS[rng.integers(len(PROGRESSIONS))]
    players = [plucked, struck_string, bowed, blown, brass, mallet]
    harmony, lead = players[rng.integers(6)], players[rng.integers(6)]
    timbre = int(rng.integers(2**31))
    drums = rng.uniform() < 0.75
    pieces: list[tuple[float, Mono]] = []
    for bar in range(bars):
        start = bar * 4 * beat
        degree = chords[bar % 4]
        pieces += _chord(rng, harmony, timbre, tonic, scale, degree, start, beat)
        pieces += _melody(rng, lead, timbre + 1, tonic, scale, start, beat)
        if drums:
            pieces += _drums(rng, start, beat)
    return gated(place(pieces), 0.01)


def _pitch(tonic: float, scale: Mono, degree: int) -> float:
    octave, step = divmod(degree, 7)
    return float(tonic * 2 ** (octave + scale[step] / 12))


def _chord(
    rng: Random, play: Player, timbre: int, tonic: float, scale: Mono, degree: int, start: float, beat: float
) -> list[tuple[float, Mono]]:
    """Triad held or repeated through the bar, and its root in the bass."""
    repeats = int(rng.choice([1, 2, 4]))
    length = 4 * beat / repeats
    pieces = []
    for number in range(repeats):
        for step in (0, 2, 4):
            note = play(np.random.default_rng(timbre), rng, _pitch(2 * tonic, scale, degree + step), length)
            pieces.append((start + number * length, 0.25 * peaked(note)))
        bass = tone(_pitch(tonic, scale, degree) / 2, length, [1, 0.6, 0.3, 0.15]) * curve(
            length, [0, 0.02, 1], [0, 1, 0.2]
        )
        pieces.append((start + number * length, 0.3 * bass))
    return pieces


def _melody(
    rng: Random, play: Player, timbre: int, tonic: float, scale: Mono, start: float, beat: float
) -> list[tuple[float, Mono]]:
    pieces, position = [], 0.0
    degree = int(rng.integers(7))
    while position < 4:
        length = float(rng.choice([0.5, 0.5, 1.0, 1.5]))
        length = min(length, 4 - position)
        degree = int(np.clip(degree + rng.integers(-2, 3), 0, 9))
        if rng.uniform() < 0.85:
            note = play(np.random.default_rng(timbre), rng, _pitch(4 * tonic, scale, degree), length * beat)
            pieces.append((start + position * beat, 0.45 * peaked(note)))
        position += length
    return pieces


def _drums(rng: Random, start: float, beat: float) -> list[tuple[float, Mono]]:
    """Bass drum on one and three, snare on two and four, cymbal on every eighth."""
    pieces = []
    for eighth in range(8):
        onset = start + eighth * beat / 2
        hat = burst(0.1, rng, band(6_000, 11_000), decay_s=0.06)
        pieces.append((onset, 0.1 * rng.uniform(0.5, 1) * peaked(hat)))
        if eighth in (0, 4):
            sweep = 50 + 110 * np.exp(-np.arange(4_800) / 700)
            pieces.append((onset, 0.6 * tone(sweep, 0.2, [1.0]) * curve(0.2, [0, 0.02, 1], [0, 1, 0])))
        if eighth in (2, 6):
            snare = burst(0.2, rng, band(200, 7_000), decay_s=0.15)
            pieces.append((onset, 0.35 * peaked(snare)))
    return pieces
