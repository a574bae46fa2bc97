"""Building blocks of the built-in sounds: decaying modes, shaped noise, bubbles, resonances. Mono, 24 kHz, float64."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgeseld.core.frames import SAMPLE_RATE_HZ

Mono = NDArray[np.float64]
Random = np.random.Generator
Response = Callable[[Mono], Mono]


def seconds(duration_s: float) -> Mono:
    """Times of the samples of a sound, (samples,)."""
    return np.arange(max(1, round(duration_s * SAMPLE_RATE_HZ))) / SAMPLE_RATE_HZ


def modes(duration_s: float, frequencies_hz: ArrayLike, decays_s: ArrayLike, gains: ArrayLike) -> Mono:
    """Sum of struck modes: sinusoids that fall by 60 dB in their decay time; those above 11 kHz are left out."""
    time = seconds(duration_s)
    total = np.zeros_like(time)
    for frequency, decay, gain in np.broadcast(frequencies_hz, decays_s, gains):
        if frequency < 11_000:
            total += gain * np.exp(-6.9 * time / decay) * np.sin(2 * np.pi * frequency * time)
    return total


def filtered(signal: Mono, response: Response) -> Mono:
    """Signal after a zero-phase filter given by its magnitude over frequency in Hz."""
    size = len(signal)
    frequency: Mono = np.fft.rfftfreq(size, 1 / SAMPLE_RATE_HZ).astype(np.float64)
    return np.fft.irfft(np.fft.rfft(signal) * response(frequency), size)


def noise(duration_s: float, rng: Random, response: Response) -> Mono:
    """Gaussian noise of unit level, then filtered."""
    shaped = filtered(rng.standard_normal(len(seconds(duration_s))), response)
    return levelled(shaped)


def band(low_hz: float, high_hz: float, slope: float = 2.0) -> Response:
    """Magnitude of a band with edges of `slope` x 6 dB an octave."""
    return lambda f: (
        1 / np.sqrt(1 + (low_hz / np.maximum(f, 1.0)) ** (2 * slope)) / np.sqrt(1 + (f / high_hz) ** (2 * slope))
    )


def resonances(centres_hz: ArrayLike, widths_hz: ArrayLike, gains: ArrayLike = 1.0, floor: float = 0.02) -> Response:
    """Magnitude of parallel resonances over a flat floor."""
    peaks = list(np.broadcast(centres_hz, widths_hz, gains))
    return lambda f: (
        floor
        + sum(
            (gain / np.sqrt(1 + ((f - centre) / (width / 2)) ** 2) for centre, width, gain in peaks), np.zeros_like(f)
        )
    )


def burst(duration_s: float, rng: Random, response: Response, decay_s: float, attack_s: float = 0.001) -> Mono:
    """Noise that rises within the attack and falls by 60 dB in the decay time."""
    time = seconds(duration_s)
    return noise(duration_s, rng, response) * np.minimum(1, time / attack_s) * np.exp(-6.9 * time / decay_s)


def tone(frequency_hz: ArrayLike, duration_s: float, harmonics: ArrayLike) -> Mono:
    """Harmonic tone; the frequency is one number or one for every sample; the gains are those of partials 1, 2, ..."""
    time = seconds(duration_s)
    frequency = np.broadcast_to(np.asarray(frequency_hz, dtype=np.float64), time.shape)
    phase = 2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE_HZ
    total = np.zeros_like(time)
    for order, gain in enumerate(np.atleast_1d(harmonics), start=1):
        total += np.where(frequency * order < 11_000, gain, 0.0) * np.sin(order * phase)
    return total


def curve(duration_s: float, times: ArrayLike, values: ArrayLike) -> Mono:
    """Piecewise linear envelope; times are fractions of the duration."""
    time = seconds(duration_s)
    return np.interp(time / max(duration_s, 1e-9), np.asarray(times, np.float64), np.asarray(values, np.float64))


def wander(duration_s: float, rng: Random, rate_hz: float) -> Mono:
    """Slow random curve of about unit spread that turns `rate_hz` times a second."""
    knots = max(4, round(duration_s * rate_hz) + 3)
    return np.interp(np.linspace(0, knots - 1, len(seconds(duration_s))), np.arange(knots), rng.standard_normal(knots))


def gated(signal: Mono, edge_s: float = 0.004) -> Mono:
    """Signal with short linear fades at both ends."""
    edge = min(round(edge_s * SAMPLE_RATE_HZ), len(signal) // 2)
    result = signal.copy()
    if edge:
        ramp = np.arange(edge) / edge
        result[:edge] *= ramp
        result[-edge:] *= ramp[::-1]
    return result


def place(pieces: list[tuple[float, Mono]]) -> Mono:
    """Pieces added at their onsets in seconds."""
    onsets = [round(onset * SAMPLE_RATE_HZ) for onset, _ in pieces]
    total = np.zeros(max(onset + len(piece) for onset, (_, piece) in zip(onsets, pieces, strict=True)))
    for onset, (_, piece) in zip(onsets, pieces, strict=True):
        total[onset : onset + len(piece)] += piece
    return total


def bubble(rng: Random, radius_mm: float) -> Mono:
    """One air bubble in water: Minnaert's frequency, 3 m/s over the radius, rising as it nears the surface.

    Damping as in van den Doel, "Physically based models for liquid sounds" (2005), eq. 5.
    """
    frequency = min(3.0 / (radius_mm / 1000), 9_000)
    damping = 0.13 * 1000 / radius_mm + 0.0072 * (1000 / radius_mm) ** 1.5
    time = seconds(min(0.25, 6 / damping))
    rise = rng.uniform(0, 0.12) * damping
    decay = np.exp(-damping * time) * (radius_mm / 3) ** 0.75
    return np.asarray(decay * np.sin(2 * np.pi * frequency * time * (1 + rise * time)))


def peaked(signal: Mono) -> Mono:
    """Signal scaled to a peak of one; silence stays silence."""
    return np.asarray(signal / (np.abs(signal).max() + 1e-12))


def levelled(signal: Mono) -> Mono:
    """Signal scaled to unit level; silence stays silence."""
    return np.asarray(signal / (np.std(signal) + 1e-12))


def recorded(signal: Mono, rng: Random) -> Mono:
    """Sound as a microphone delivers it: no rumble, a tilt of up to 3 dB an octave, often no top, a noise floor."""
    rumble, tilt = log_uniform(rng, 20, 120), rng.uniform(-0.5, 0.5)
    top = log_uniform(rng, 5_000, 30_000)
    limits = band(rumble, top)
    heard = filtered(signal, lambda f: limits(f) * (np.maximum(f, 50.0) / 1_000) ** tilt)
    floor = noise(len(signal) / SAMPLE_RATE_HZ, rng, lambda f: (1 + f / log_uniform(rng, 100, 3_000)) ** -0.7)
    return peaked(heard) + 10 ** (-rng.uniform(45, 75) / 20) * gated(floor, 0.02)


def log_uniform(rng: Random, low: float, high: float) -> float:
    """A number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
