"""Built-in bells and telephones."""

import numpy as np

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
)

# Partials of a tuned church bell: hum, prime, tierce, quint, nominal and above.
CHURCH = np.array([0.5, 1.0, 1.2, 1.5, 2.0, 2.5, 2.67, 3.0, 4.0, 5.33])
# Free bar (glockenspiel, chime): roots of the Euler-Bernoulli equation.
BAR = np.array([1.0, 2.756, 5.404, 8.933])
# Small cast and pressed bells (hand, bicycle, shop, desk): nearly circular shells.
SHELL = np.array([1.0, 2.32, 4.25, 6.63, 9.38])


def bell(rng: Random) -> Mono:
    """Church, hand, shop, bicycle and door bells, and chimes, struck once or more often."""
    kind = rng.choice(["church", "hand", "bicycle", "doorbell", "chime"])
    if kind == "church":
        return _strokes(rng, CHURCH, log_uniform(rng, 160, 700), log_uniform(rng, 2.0, 5.5), (1, 4), (1.0, 2.2))
    if kind == "hand":
        return _strokes(rng, SHELL, log_uniform(rng, 700, 2_600), log_uniform(rng, 0.7, 2.5), (1, 9), (0.12, 0.5))
    if kind == "bicycle":
        return _strokes(rng, SHELL, log_uniform(rng, 1_500, 3_200), rng.uniform(0.6, 1.6), (4, 22), (0.035, 0.11))
    if kind == "doorbell":
        return _doorbell(rng)
    return _chime(rng)


def _struck(rng: Random, ratios: Mono, lowest_hz: float, decay_s: float, length_s: float) -> Mono:
    """One stroke: every partial is a close pair (no casting is round), high partials die first."""
    spread = 1 + rng.uniform(0.0002, 0.003, len(ratios))
    decays = decay_s * ratios ** -rng.uniform(0.4, 1.0)
    gains = rng.uniform(0.4, 1.0, len(ratios)) * ratios ** -rng.uniform(0.0, 0.7)
    pair = np.concatenate([ratios, ratios * spread]) * lowest_hz
    ring = modes(length_s, pair, np.tile(decays, 2), np.concatenate([gains, gains * rng.uniform(0.3, 1, len(gains))]))
    clapper = burst(length_s, rng, band(1_500, 8_000), decay_s=0.012)
    return peaked(ring) + rng.uniform(0, 0.15) * peaked(clapper)


def _strokes(
    rng: Random, ratios: Mono, lowest_hz: float, decay_s: float, count: tuple[int, int], gap_s: tuple[float, float]
) -> Mono:
    """The same bell struck several times at about the same pace."""
    one = _struck(rng, ratios * (1 + rng.normal(0, 0.012, len(ratios))), lowest_hz, decay_s, min(6.0, 0.8 * decay_s))
    gap = rng.uniform(*gap_s)
    onsets = np.cumsum(gap * rng.uniform(0.85, 1.15, rng.integers(*count)))
    return place([(float(onset - onsets[0]), rng.uniform(0.6, 1.0) * one) for onset in onsets])


def _doorbell(rng: Random) -> Mono:
    """Ding-dong of two bars a third to a fourth apart, or the buzz of a hammer on a gong."""
    if rng.uniform() < 0.3:
        return _strokes(rng, SHELL, rng.uniform(900, 2_400), rng.uniform(0.4, 1.0), (15, 50), (0.03, 0.06))
    high = log_uniform(rng, 500, 1_100)
    interval = rng.choice([1.189, 1.26, 1.335])
    pieces = []
    for number in range(rng.integers(1, 3)):
        start = number * rng.uniform(1.0, 1.6)
        pieces.append((start, _struck(rng, BAR, high, 1.6, 1.4)))
        pieces.append((start + rng.uniform(0.35, 0.6), _struck(rng, BAR, high / interval, 2.0, 1.6)))
    return place(pieces)


def _chime(rng: Random) -> Mono:
    """Several bars of a scale touched at random."""
    scale = log_uniform(rng, 500, 1_400) * 2 ** (np.array([0, 2, 4, 7, 9, 12]) / 12)
    onsets = np.cumsum(rng.exponential(0.22, rng.integers(3, 14)))
    return place(
        [(float(t - onsets[0]), rng.uniform(0.3, 1) * _struck(rng, BAR, rng.choice(scale), 1.8, 1.6)) for t in onsets]
    )


def telephone(rng: Random) -> Mono:
    """Bell and electronic ringers, ring tones, signalling tones, dialling, vibration and a rotary dial."""
    kinds = [_ringer, _ringer, _warble, _warble, _melody, _melody, _beeps, _dial_tones, _vibration, _rotary]
    sound: Mono = kinds[rng.integers(len(kinds))](rng)
    return sound


def _cadence(rng: Random, ring: Mono, pause_s: float) -> Mono:
    """A ring repeated with pauses, as exchanges send it."""
    period = len(ring) / 24_000 + pause_s
    return place([(number * period, ring) for number in range(rng.integers(1, 4))])


def _ringer(rng: Random) -> Mono:
    """Hammer between two gongs at 16 to 28 strokes a second (an old telephone's bell)."""
    rate = rng.uniform(16, 28)
    first = log_uniform(rng, 900, 2_300)
    ratio = rng.uniform(1.05, 1.35)
    gongs = [_struck(rng, SHELL, hz, rng.uniform(0.3, 0.9), 0.5) for hz in (first, first * ratio)]
    strokes = int(rate * rng.uniform(0.4, 1.6))
    ring = place([(n / rate, rng.uniform(0.8, 1.0) * gongs[n % 2]) for n in range(max(4, strokes))])
    return _cadence(rng, ring, rng.uniform(0.2, 1.2))


def _warble(rng: Random) -> Mono:
    """Electronic ringer: two tones that alternate, with the harmonics of a square wave through a small speaker."""
    low = log_uniform(rng, 450, 1_600)
    high = low * rng.uniform(1.1, 1.5)
    rate = rng.uniform(7, 30)
    duration = rng.uniform(0.4, 1.5)
    samples = int(duration * 24_000)
    switch = np.floor(np.arange(samples) / 24_000 * rate * 2) % 2
    harmonics = np.array([1, 0.05, 0.33, 0.03, 0.2, 0.02, 0.14]) ** rng.uniform(0.7, 1.6)
    return _cadence(rng, gated(tone(low + (high - low) * switch, samples / 24_000, harmonics)), rng.uniform(0.2, 1.0))


def _melody(rng: Random) -> Mono:
    """Ring tone: a short figure of synthetic notes, repeated."""
    root = log_uniform(rng, 400, 1_100)
    beat = rng.uniform(0.08, 0.2)
    scale = 2 ** (rng.choice([0, 2, 4, 5, 7, 9, 11, 12, 14, 16], rng.integers(4, 12)) / 12)
    harmonics = rng.uniform(0, 1, 8) / np.arange(1, 9) ** rng.uniform(0.6, 2.0)
    harmonics[0] = 1.0
    decay = rng.uniform(1.0, 8.0)
    pieces, onset = [], 0.0
    for ratio in scale:
        length = beat * rng.choice([1, 1, 2])
        note = tone(root * ratio, length, harmonics)
        pieces.append((onset, gated(note * np.exp(-decay * np.arange(len(note)) / 24_000))))
        onset += length
    return _cadence(rng, place(pieces), rng.uniform(0.0, 0.6))


def _beeps(rng: Random) -> Mono:
    """Ring-back, busy and attention tones of exchanges."""
    pairs = [(440, 480), (480, 620), (425, 425), (400, 450), (350, 440), (1_400, 2_060)]
    low, high = pairs[rng.integers(len(pairs))]
    on = float(rng.choice([0.1, 0.25, 0.5, 1.0]))
    beep = gated(tone(low, on, [1.0, 0.1]) + tone(high, on, [1.0, 0.1]))
    return place([(n * on * 2, beep) for n in range(int(max(2, rng.uniform(1.0, 4.0) / (2 * on))))])


def _dial_tones(rng: Random) -> Mono:
    """Dual-tone dialling (ITU-T Q.23)."""
    rows, columns = (697, 770, 852, 941), (1_209, 1_336, 1_477, 1_633)
    on, off = rng.uniform(0.07, 0.25), rng.uniform(0.04, 0.2)
    keys = [
        tone(rng.choice(rows), on, [1.0]) + tone(rng.choice(columns), on, [1.0]) for _ in range(rng.integers(3, 12))
    ]
    return place([(n * (on + off), gated(key)) for n, key in enumerate(keys)])


def _vibration(rng: Random) -> Mono:
    """Eccentric motor that makes the phone rattle on a table."""
    on = rng.uniform(0.25, 1.0)
    speed = rng.uniform(120, 210) * curve(on, [0, 0.15, 0.85, 1], [0.5, 1, 1, 0.6])
    buzz = tone(speed, on, 1 / np.arange(1, 24) ** rng.uniform(0.4, 1.2))
    rattle = noise(on, rng, band(800, 5_000)) * (np.sin(np.cumsum(speed) * 2 * np.pi / 24_000) > 0.7)
    return _cadence(rng, gated(peaked(buzz) + rng.uniform(0, 0.3) * rattle, 0.02), rng.uniform(0.2, 0.8))


def _rotary(rng: Random) -> Mono:
    """A rotary dial that runs back: ten clicks a second over the whirr of its governor."""
    pieces, onset = [], 0.0
    for _ in range(rng.integers(2, 6)):
        pulses = rng.integers(2, 11)
        for number in range(pulses):
            click = modes(0.05, rng.uniform(900, 5_000, 6), rng.uniform(0.006, 0.03, 6), rng.uniform(0.3, 1, 6))
            pieces.append((onset + number * 0.1, peaked(click)))
        whirr = gated(noise(pulses * 0.1, rng, band(1_000, 4_000)), 0.02)
        pieces.append((onset, 0.05 * whirr))
        onset += pulses * 0.1 + rng.uniform(0.3, 0.8)
    return place(pieces)
