"""Built-in sounds that carry no label: directional interference and backgrounds."""

import numpy as np

from edgeseld.data.synth.builtin.shaping import (
    Mono,
    Random,
    band,
    bubble,
    burst,
    curve,
    filtered,
    gated,
    levelled,
    log_uniform,
    noise,
    place,
    resonances,
    seconds,
    tone,
    wander,
)


def interference(rng: Random) -> Mono:
    """Birds, insects, a barking-like burst, a horn, a scrape, paper: sounds that no class of STARSS claims."""
    kinds = [_bird, _bird, _cricket, _bark, _horn, _scrape, _rustle]
    sound: Mono = kinds[rng.integers(len(kinds))](rng)
    return sound


def _bird(rng: Random) -> Mono:
    """Whistled syllables: fast sweeps of a nearly pure tone."""
    pieces, onset = [], 0.0
    centre = log_uniform(rng, 2_000, 6_000)
    for _ in range(rng.integers(2, 12)):
        length = rng.uniform(0.04, 0.2)
        sweep = centre * curve(length, [0, 0.5, 1], rng.uniform(0.75, 1.3, 3))
        pieces.append((onset, gated(tone(sweep, length, [1.0, 0.1]), 0.01)))
        onset += length + rng.exponential(0.08)
    return place(pieces)


def _cricket(rng: Random) -> Mono:
    duration = rng.uniform(1.0, 4.0)
    pulses = np.clip(np.sin(2 * np.pi * rng.uniform(20, 45) * seconds(duration)), 0, 1)
    chirps = (np.sin(2 * np.pi * rng.uniform(1.0, 3.5) * seconds(duration)) > -0.2).astype(np.float64)
    return gated(tone(rng.uniform(3_000, 6_000), duration, [1.0]) * pulses * chirps, 0.02)


def _bark(rng: Random) -> Mono:
    """Short voiced bursts with a falling pitch and a rough spectrum."""
    pitch = log_uniform(rng, 180, 700)
    one = tone(pitch * curve(0.22, [0, 0.2, 1], [0.9, 1.15, 0.7]), 0.22, 1 / np.arange(1, 16) ** 0.6)
    rough = one * (1 + 0.6 * noise(0.22, rng, band(50, 300)))
    centres = np.array([700.0, 1_300.0, 2_600.0]) * rng.uniform(0.7, 1.4)
    shaped = filtered(rough, resonances(centres, centres * 0.3)) * curve(0.22, [0, 0.1, 0.6, 1], [0, 1, 0.6, 0])
    gap = rng.uniform(0.28, 0.6)
    return place([(n * gap, rng.uniform(0.6, 1.0) * shaped) for n in range(rng.integers(1, 6))])


def _horn(rng: Random) -> Mono:
    length = rng.uniform(0.2, 0.9)
    low = rng.uniform(280, 480)
    both = tone(low, length, 1 / np.arange(1, 20) ** 0.5) + tone(low * 1.25, length, 1 / np.arange(1, 20) ** 0.5)
    honk = gated(both, 0.02)
    return place([(n * (length + 0.15), honk) for n in range(rng.integers(1, 3))])


def _scrape(rng: Random) -> Mono:
    duration = rng.uniform(0.4, 2.0)
    centres = log_uniform(rng, 700, 3_500) * np.sort(rng.uniform(1.0, 3.0, 4))
    rub = noise(duration, rng, resonances(centres, centres * 0.15)) * np.clip(1 + wander(duration, rng, 9.0), 0, 3)
    return gated(rub, 0.05)


def _rustle(rng: Random) -> Mono:
    """Paper or plastic: clusters of tiny cracks."""
    pieces = []
    for _ in range(rng.integers(20, 120)):
        crack = burst(0.02, rng, band(1_500, 10_000), decay_s=rng.uniform(0.003, 0.015))
        pieces.append((rng.beta(2, 2) * 1.5, rng.uniform(0.05, 1) ** 2 * crack))
    return place(pieces)


def ambience(rng: Random) -> Mono:
    """Ten seconds of background: room tone, ventilation, wind, rain, or distant traffic."""
    kinds = [_room_tone, _room_tone, _wind, _rain, _traffic]
    sound: Mono = kinds[rng.integers(len(kinds))](rng)
    return sound


def _room_tone(rng: Random) -> Mono:
    """Ventilation: noise that falls by 3 to 9 dB an octave, and a faint hum."""
    slope, corner = rng.uniform(0.5, 1.5), rng.uniform(60, 250)
    air = noise(10.0, rng, lambda f: (1 + f / corner) ** -slope * (f > 20))
    mains = float(rng.choice([50, 60]))
    hum = tone(mains, 10.0, rng.uniform(0, 1, 8))
    return air + rng.uniform(0, 0.15) * levelled(hum)


def _wind(rng: Random) -> Mono:
    gusts: Mono = np.exp(0.5 * wander(10.0, rng, 0.6))
    whistle = noise(10.0, rng, resonances([rng.uniform(300, 900)], [120.0], floor=0.0))
    return noise(10.0, rng, lambda f: (1 + f / 120) ** -1.6 * (f > 20)) * gusts + 0.1 * whistle * gusts**2


def _rain(rng: Random) -> Mono:
    hiss = noise(10.0, rng, band(1_500, 10_000, slope=1.0))
    drops = [(rng.uniform(0, 9.7), rng.uniform(0.1, 1) * bubble(rng, log_uniform(rng, 0.4, 2.0))) for _ in range(400)]
    cloud = place([(0.0, np.zeros(len(hiss))), *drops])[: len(hiss)]
    return hiss + rng.uniform(0.2, 1.5) * levelled(cloud)


def _traffic(rng: Random) -> Mono:
    passing: Mono = np.exp(0.6 * wander(10.0, rng, 0.3))
    engine = tone(rng.uniform(50, 110) * (1 + 0.02 * wander(10.0, rng, 0.5)), 10.0, 1 / np.arange(1, 9))
    return noise(10.0, rng, lambda f: (1 + f / 300) ** -1.3 * (f > 25)) * passing + 0.2 * levelled(engine) * passing
