"""Built-in sounds of bodies that hit each other: knocks, doors, footsteps, hands."""

import numpy as np

from edgeseld.data.synth.builtin.shaping import (
    Mono,
    Random,
    band,
    burst,
    curve,
    filtered,
    gated,
    log_uniform,
    modes,
    noise,
    peaked,
    place,
    resonances,
    seconds,
)


def knock(rng: Random) -> Mono:
    """Knuckles on a panel: a few evenly spaced hits on the same wood, glass or metal, sometimes in two groups."""
    panel = _panel(rng)
    spacing = rng.uniform(0.11, 0.32)
    pieces: list[tuple[float, Mono]] = []
    onset = 0.0
    for _ in range(rng.integers(1, 3)):
        for _ in range(rng.integers(2, 6)):
            pieces.append((onset, rng.uniform(0.6, 1.0) * _hit(rng, panel)))
            onset += spacing * rng.uniform(0.9, 1.1)
        onset += rng.uniform(0.3, 0.7)
    return place(pieces)


def _panel(rng: Random) -> tuple[Mono, Mono, Mono]:
    """Frequencies, decay times and gains of a plate of random size and material."""
    lowest = log_uniform(rng, 70, 420)
    order = np.sort(rng.uniform(1.0, 9.0, 14))
    decay = log_uniform(rng, 0.05, 0.22) * order ** -rng.uniform(0.3, 0.9)
    return lowest * order, decay, rng.uniform(0.3, 1.0, 14) * order ** -rng.uniform(0.2, 1.0)


def _hit(rng: Random, panel: tuple[Mono, Mono, Mono]) -> Mono:
    """One contact: modes excited at a slightly different place each time, and the click of the contact itself."""
    frequencies, decays, gains = panel
    place_on_panel = np.abs(np.sin(rng.uniform(0.5, 2.6, len(gains)))) + 0.2
    body = modes(0.35, frequencies, decays, gains * place_on_panel)
    click = burst(0.35, rng, band(900, log_uniform(rng, 2_500, 7_000)), decay_s=rng.uniform(0.008, 0.03))
    return peaked(body) + rng.uniform(0.05, 0.4) * peaked(click)


def door(rng: Random) -> Mono:
    """A door: slam, latch, handle or creak, in the orders in which they happen."""
    kind = rng.integers(4)
    if kind == 0:
        return _slam(rng)
    if kind == 1:
        return place([(0.0, _latch(rng)), (rng.uniform(0.12, 0.5), _slam(rng))])
    if kind == 2:
        return _creak(rng)
    creak = _creak(rng)
    return place([(0.0, 0.4 * _latch(rng)), (0.2, 0.6 * creak), (0.2 + len(creak) / 24_000, _slam(rng))])


def _slam(rng: Random) -> Mono:
    """Leaf and frame: a thud of low modes, a broadband crack, and the rattle of loose fittings."""
    low = rng.uniform(45, 120) * np.sort(rng.uniform(1.0, 8.0, 12))
    thud = modes(0.7, low, rng.uniform(0.1, 0.5, 12), rng.uniform(0.3, 1.0, 12))
    crack = burst(0.7, rng, band(150, log_uniform(rng, 1_500, 6_000)), decay_s=rng.uniform(0.05, 0.2))
    rattle = place([(rng.uniform(0.02, 0.25), rng.uniform(0.02, 0.2) * _latch(rng)) for _ in range(rng.integers(1, 5))])
    mix = peaked(thud) + rng.uniform(0.3, 0.9) * peaked(crack)
    return place([(0.0, mix), (0.0, rattle)])


def _latch(rng: Random) -> Mono:
    """Small metal parts: two or three clicks with short high modes."""
    pieces = []
    onset = 0.0
    for _ in range(rng.integers(2, 4)):
        frequencies = rng.uniform(900, 7_000, 10)
        click = modes(0.12, frequencies, rng.uniform(0.01, 0.07, 10), rng.uniform(0.2, 1.0, 10))
        snap = burst(0.12, rng, band(1_200, 8_000), decay_s=0.012)
        pieces.append((onset, rng.uniform(0.5, 1.0) * (peaked(click) + 0.5 * peaked(snap))))
        onset += rng.uniform(0.02, 0.12)
    return place(pieces)


def _creak(rng: Random) -> Mono:
    """Stick-slip friction of a hinge: pulses whose rate drifts, through the resonances of the leaf."""
    duration = rng.uniform(0.6, 2.6)
    rate = log_uniform(rng, 25, 160) * np.exp(np.cumsum(rng.standard_normal(len(seconds(duration)))) * 0.0018)
    phase = np.cumsum(rate) / 24_000
    pulses = np.diff(np.floor(phase), prepend=0.0) * rng.uniform(0.4, 1.0, len(phase))
    centres = log_uniform(rng, 350, 1_100) * np.sort(rng.uniform(1.0, 7.0, 7))
    wood = filtered(pulses, resonances(centres, centres * rng.uniform(0.03, 0.15), rng.uniform(0.3, 1.0, 7)))
    swell = curve(duration, [0, 0.15, 0.5, 0.8, 1], [0.1, *rng.uniform(0.4, 1.0, 3), 0.05])
    return gated(wood * swell, 0.02)


def footsteps(rng: Random) -> Mono:
    """A walk: heel and toe of each step on one floor with one kind of sole."""
    floor = _floor(rng)
    period = rng.uniform(0.34, 0.68)
    steps = rng.integers(4, 12)
    onsets = period * (np.arange(steps) + rng.uniform(-0.05, 0.05, steps)) + 0.05
    return place([(onset, rng.uniform(0.65, 1.0) * _step(rng, floor)) for onset in onsets])


def _floor(rng: Random) -> dict[str, float]:
    """Hardness, hollowness and grain of floor and sole."""
    return {
        "edge_hz": log_uniform(rng, 300, 5_000),
        "thud_hz": rng.uniform(60, 190),
        "thud": rng.uniform(0.3, 1.5),
        "toe_s": rng.uniform(0.06, 0.16),
        "grain": rng.choice([0.0, 0.0, 0.3, 0.9]),
        "decay_s": rng.uniform(0.02, 0.09),
    }


def _step(rng: Random, floor: dict[str, float]) -> Mono:
    heel = burst(0.3, rng, band(120, floor["edge_hz"]), decay_s=floor["decay_s"])
    toe = burst(0.2, rng, band(250, floor["edge_hz"] * 1.3), decay_s=floor["decay_s"] * 0.8, attack_s=0.006)
    order = np.sort(rng.uniform(1.0, 4.0, 4))
    thud = modes(0.3, floor["thud_hz"] * order, 0.15 / order, 1 / order)
    pieces = [(0.0, peaked(heel)), (0.0, floor["thud"] * peaked(thud))]
    pieces.append((floor["toe_s"] * rng.uniform(0.85, 1.15), rng.uniform(0.3, 0.7) * peaked(toe)))
    if floor["grain"]:
        pieces.append((0.01, floor["grain"] * _gravel(rng)))
    return place(pieces)


def _gravel(rng: Random) -> Mono:
    """Crunch of grains: many tiny clicks under one envelope."""
    time = seconds(0.24)
    clicks = rng.standard_normal(len(time)) * (rng.uniform(size=len(time)) < 0.02)
    crunch = filtered(clicks, band(1_500, 7_000)) * np.sin(np.pi * np.minimum(1, time / 0.24)) ** 0.5
    return peaked(crunch)


def clapping(rng: Random) -> Mono:
    """Hands: one person, or an audience of many with their own pace and hand shape."""
    people = 1 if rng.uniform() < 0.5 else int(rng.integers(4, 30))
    duration = rng.uniform(1.2, 5.0)
    pieces: list[tuple[float, Mono]] = []
    for _ in range(people):
        period = rng.uniform(0.17, 0.42)
        palm = rng.uniform(700, 2_600)
        loudness = 1.0 if people == 1 else rng.uniform(0.15, 1.0)
        onsets = np.arange(rng.uniform(0, period), duration, period)
        onsets = np.maximum(0, onsets + rng.normal(0, 0.012, len(onsets)))
        pieces += [(float(onset), loudness * rng.uniform(0.7, 1.0) * _clap(rng, palm)) for onset in onsets]
    total = place(pieces)
    return total if people == 1 else total * curve(len(total) / 24_000, [0, 0.08, 0.8, 1], [0.4, 1, 0.9, 0.1])


def _clap(rng: Random, palm_hz: float) -> Mono:
    """Air pushed out between the palms: a few milliseconds of noise around the resonance of the cavity."""
    shape = resonances(
        [palm_hz, palm_hz * rng.uniform(1.6, 2.4)], [palm_hz * 0.5, palm_hz], [1.0, rng.uniform(0.2, 0.8)], floor=0.08
    )
    clap = burst(0.08, rng, shape, decay_s=rng.uniform(0.012, 0.05), attack_s=0.0004)
    return peaked(clap)


def dishes(rng: Random) -> Mono:
    """Plates, cups and cutlery: bright modal clinks at irregular times."""
    duration = rng.uniform(1.5, 5.0)
    pieces = [(0.0, 0.01 * noise(duration, rng, band(300, 3_000)))]
    for _ in range(rng.integers(4, 16)):
        lowest = log_uniform(rng, 600, 3_500)
        order = np.sort(rng.uniform(1.0, 5.0, 7))
        clink = modes(0.5, lowest * order, log_uniform(rng, 0.05, 0.4) / order, 1 / order)
        pieces.append((rng.uniform(0, duration), rng.uniform(0.1, 1.0) * peaked(clink)))
    return place(pieces)
