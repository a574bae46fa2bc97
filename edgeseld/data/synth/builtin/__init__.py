"""Sounds made from nothing but a seed, so that everything works without a recording; they also thicken thin classes."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edgeseld.data.synth.builtin import impacts, machines, music, ringing, surroundings, voices
from edgeseld.data.synth.builtin.shaping import Mono, Random, recorded

VERSION = 1
SOUNDS: dict[str, Callable[[Random], Mono]] = {
    "female_speech": voices.female_speech,
    "male_speech": voices.male_speech,
    "clapping": impacts.clapping,
    "telephone": ringing.telephone,
    "laughter": voices.laughter,
    "domestic_sounds": machines.domestic_sounds,
    "footsteps": impacts.footsteps,
    "door": impacts.door,
    "music": music.music,
    "musical_instrument": music.musical_instrument,
    "water_tap": machines.water_tap,
    "bell": ringing.bell,
    "knock": impacts.knock,
    "interference": surroundings.interference,
    "ambience": surroundings.ambience,
}
PEAK = 10 ** (-3 / 20)


def builtin_sound(kind: str, seed: tuple[int, ...]) -> NDArray[np.float32]:
    """A sound of one kind, (samples,) at 24 kHz, peak -3 dBFS, at most ten seconds; one seed, one sound."""
    rng = np.random.default_rng(seed)
    sound = recorded(SOUNDS[kind](rng)[: 10 * 24_000], rng)
    sound = sound - sound.mean()
    scaled: NDArray[np.float32] = (sound * (PEAK / np.abs(sound).max())).astype(np.float32)
    return scaled
