"""Built-in household sounds: motors, fans, water in machines, pots and dishes; and the water tap."""

import numpy as np

from edgeseld.data.synth.builtin.impacts import dishes
from edgeseld.data.synth.builtin.shaping import (
    Mono,
    Random,
    band,
    bubble,
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


def domestic_sounds(rng: Random) -> Mono:
    """Vacuum cleaner, hair dryer, blender, washing machine, fan, refrigerator, boiling pot, frying pan, dishes."""
    kinds = [_vacuum, _vacuum, _dryer, _blender, _washer, _fan, _boiling, _frying, dishes]
    sound: Mono = kinds[rng.integers(len(kinds))](rng)
    return sound


def _motor(rng: Random, speed_hz: Mono, brightness: float) -> Mono:
    """Universal motor: harmonics of the shaft and of its commutator and blades, with the wobble of a real load."""
    duration = len(speed_hz) / 24_000
    shaft = tone(speed_hz, duration, rng.uniform(0.2, 1.0, 6) / np.arange(1, 7))
    blades = tone(speed_hz * rng.integers(7, 14), duration, rng.uniform(0.2, 1.0, 4) * brightness ** np.arange(4))
    return levelled(shaft) + rng.uniform(0.2, 1.0) * levelled(blades)


def _running(rng: Random, duration_s: float) -> Mono:
    """Relative speed of a motor: steady with a little wander, sometimes switched on or off within the clip."""
    speed = 1 + 0.01 * wander(duration_s, rng, 3.0)
    if rng.uniform() < 0.35:
        speed *= curve(duration_s, [0, rng.uniform(0.1, 0.3), 1], [0.3, 1, 1])
    if rng.uniform() < 0.35:
        speed *= curve(duration_s, [0, rng.uniform(0.7, 0.9), 1], [1, 1, 0.3])
    return speed


def _airflow(rng: Random, duration_s: float, low: float, high: float) -> Mono:
    """Broad noise of moving air, coloured by the nozzle."""
    centres = np.sort(np.exp(rng.uniform(np.log(low), np.log(high), 5)))
    shape = resonances(centres, centres * rng.uniform(0.2, 0.7), rng.uniform(0.3, 1.0, 5), floor=0.15)
    limit = band(low * 0.5, high)
    return noise(duration_s, rng, lambda f: shape(f) * limit(f))


def _vacuum(rng: Random) -> Mono:
    duration = rng.uniform(2.5, 7.0)
    speed = _running(rng, duration)
    strokes = 1 + 0.25 * np.sin(2 * np.pi * rng.uniform(0.3, 1.0) * seconds(duration)) * rng.choice([0, 1])
    air = _airflow(rng, duration, 250, log_uniform(rng, 3_000, 9_000)) * strokes
    whine = _motor(rng, rng.uniform(220, 620) * speed, 0.6)
    return gated((air + rng.uniform(0.05, 0.5) * whine) * np.clip(speed, 0, 1) ** 2, 0.1)


def _dryer(rng: Random) -> Mono:
    duration = rng.uniform(2.0, 6.0)
    speed = _running(rng, duration)
    air = _airflow(rng, duration, 600, log_uniform(rng, 4_000, 10_000))
    whine = _motor(rng, rng.uniform(150, 330) * speed, 0.5)
    return gated((air + rng.uniform(0.05, 0.3) * whine) * np.clip(speed, 0, 1) ** 2, 0.06)


def _blender(rng: Random) -> Mono:
    duration = rng.uniform(1.5, 5.0)
    load = 1 + 0.06 * wander(duration, rng, 8.0)
    speed = _running(rng, duration) * load
    whine = _motor(rng, rng.uniform(180, 420) * speed, 0.8)
    chop = noise(duration, rng, band(400, 6_000)) * (0.5 + 0.5 * np.abs(wander(duration, rng, 18.0)))
    return gated(whine + rng.uniform(0.4, 1.2) * chop, 0.03)


def _washer(rng: Random) -> Mono:
    """Drum that turns at one to fifteen revolutions a second: hum, thump of the load, slosh."""
    duration = rng.uniform(3.0, 8.0)
    turn = log_uniform(rng, 0.8, 15.0)
    angle = 2 * np.pi * turn * seconds(duration)
    hum = tone(100 * (1 + 0.002 * wander(duration, rng, 2.0)), duration, rng.uniform(0.1, 1.0, 9))
    slosh = noise(duration, rng, band(150, 1_800)) * (0.3 + np.clip(np.sin(angle), 0, 1) ** 2)
    thump = noise(duration, rng, band(30, 160)) * np.clip(np.sin(angle + 0.6), 0, 1) ** 6
    return gated(0.3 * levelled(hum) + slosh + rng.uniform(0.5, 2.0) * thump, 0.1)


def _fan(rng: Random) -> Mono:
    """Fan or refrigerator: mains hum, blade tone and soft air."""
    duration = rng.uniform(2.5, 7.0)
    mains = float(rng.choice([50, 60]))
    hum = tone(mains, duration, rng.uniform(0.0, 1.0, 10) / np.arange(1, 11) ** 0.5)
    blades = tone(rng.uniform(70, 260) * (1 + 0.004 * wander(duration, rng, 1.0)), duration, [1, 0.5, 0.25])
    air = _airflow(rng, duration, 120, 2_500)
    return gated(
        rng.uniform(0.1, 1) * levelled(hum) + rng.uniform(0.05, 0.5) * levelled(blades) + rng.uniform(0.3, 1) * air,
        0.15,
    )


def _boiling(rng: Random) -> Mono:
    duration = rng.uniform(2.0, 6.0)
    count = int(duration * rng.uniform(15, 70))
    pieces = [(0.0, rng.uniform(0.02, 0.1) * noise(duration, rng, band(200, 3_000)))]
    pieces += [
        (rng.uniform(0, duration), rng.uniform(0.1, 1) * bubble(rng, log_uniform(rng, 1.5, 9.0))) for _ in range(count)
    ]
    return gated(place(pieces), 0.05)


def _frying(rng: Random) -> Mono:
    """Sizzle: steady hiss with dense crackle."""
    duration = rng.uniform(2.0, 6.0)
    time = seconds(duration)
    impulses = rng.standard_normal(len(time)) * (rng.uniform(size=len(time)) < rng.uniform(0.002, 0.02))
    crackle = filtered(impulses, band(1_500, 9_000))
    hiss = noise(duration, rng, band(2_000, 9_000)) * (1 + 0.2 * wander(duration, rng, 2.0))
    return gated(hiss + rng.uniform(0.5, 2.5) * levelled(crackle), 0.05)


def water_tap(rng: Random) -> Mono:
    """Running tap in a sink: jet and splash noise, a cloud of bubbles, the resonance of the basin; or a drip."""
    return _drips(rng) if rng.uniform() < 0.15 else _running_tap(rng)


def _running_tap(rng: Random) -> Mono:
    duration = rng.uniform(2.0, 8.0)
    flow = np.clip(1 + 0.12 * wander(duration, rng, 1.5), 0.2, 2.0)
    if rng.uniform() < 0.6:
        flow *= curve(duration, [0, rng.uniform(0.03, 0.15), rng.uniform(0.8, 0.95), 1], [0.05, 1, 1, 0.02])
    jet = noise(duration, rng, band(log_uniform(rng, 800, 3_000), log_uniform(rng, 5_000, 11_000), slope=1.0))
    basin = log_uniform(rng, 180, 700) * np.sort(rng.uniform(1.0, 6.0, 5))
    splash = noise(duration, rng, resonances(basin, basin * 0.25, rng.uniform(0.3, 1.0, 5), floor=0.1))
    count = int(duration * log_uniform(rng, 40, 260))
    bubbles = place(
        [(0.0, np.zeros(len(jet)))]
        + [
            (rng.uniform(0, duration), rng.uniform(0.1, 1) * bubble(rng, log_uniform(rng, 0.4, 5.0)))
            for _ in range(count)
        ]
    )[: len(jet)]
    parts = jet + rng.uniform(0.2, 1.2) * splash + rng.uniform(0.3, 1.8) * levelled(bubbles)
    return gated(parts * flow, 0.05)


def _drips(rng: Random) -> Mono:
    """Single drops: a short tick, then one or two bubbles."""
    period = rng.uniform(0.15, 0.7)
    pieces = []
    for number in range(rng.integers(4, 14)):
        onset = number * period * rng.uniform(0.9, 1.1)
        tick = noise(0.006, rng, band(2_000, 9_000)) * np.linspace(1, 0, 144)
        pieces.append((onset, 0.15 * tick))
        for _ in range(rng.integers(1, 4)):
            pieces.append((onset + rng.uniform(0.005, 0.05), bubble(rng, log_uniform(rng, 0.8, 4.0))))
    return place(pieces)
