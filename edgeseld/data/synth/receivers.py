"""What a receiver hears of one plane wave: first-order ambisonics, or four capsules on a rigid sphere (STARSS MIC)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import BackendMissingError
from edgeseld.core.frames import SAMPLE_RATE_HZ
from edgeseld.core.geometry import Float64, unit_vector
from edgeseld.signal.ambisonics import vector_foa_gains

SPEED_OF_SOUND_M_S = 343.0
# Tetrahedral array of STARSS: azimuth and elevation of capsules 1 to 4 on a sphere of 4.2 cm.
CAPSULES_DEG = ((45.0, 35.0), (-45.0, -35.0), (135.0, -35.0), (-135.0, 35.0))
SPHERE_RADIUS_M = 0.042
FRACTIONS = 32
FOA_TAPS, FOA_CENTRE = 32, 15
MIC_TAPS, MIC_CENTRE = 64, 24
SPHERE_ORDERS = 24

Complex = NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class Receiver:
    """Four channels.

    `arrivals(delays_samples (waves,), vectors (waves, 3))` gives start samples (waves,) and kernels (waves, 4, taps);
    `diffuse(spectra (4, bins) of independent noises)` gives the spectra of an isotropic field of the same level.
    """

    arrivals: Callable[[Float64, Float64], tuple[NDArray[np.int64], Float64]]
    diffuse: Callable[[Complex], Complex]


def _split(delays_samples: Float64, centre: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First sample of the kernel and index of the fraction."""
    steps = np.rint(delays_samples * FRACTIONS).astype(np.int64)
    return steps // FRACTIONS - centre, steps % FRACTIONS


@cache
def _sinc_table() -> Float64:
    """Fractional delays (fraction, taps): sinc under a Hann window that follows the fraction."""
    position = np.arange(FOA_TAPS) - FOA_CENTRE - np.arange(FRACTIONS)[:, None] / FRACTIONS
    return np.asarray(np.sinc(position) * np.cos(np.pi * position / (FOA_TAPS + 2)) ** 2)


def _foa_arrivals(delays_samples: Float64, vectors: Float64) -> tuple[NDArray[np.int64], Float64]:
    starts, fractions = _split(delays_samples, FOA_CENTRE)
    return starts, vector_foa_gains(vectors)[:, :, None] * _sinc_table()[fractions][:, None, :]


def _foa_diffuse(spectra: Complex) -> Complex:
    """Isotropic noise under SN3D: Y, Z, X each hold a third of the power of W and are uncorrelated."""
    return np.asarray(spectra * np.array([1.0, 3**-0.5, 3**-0.5, 3**-0.5])[:, None])


def _radial(kr: Float64) -> Complex:
    """Modal strength (orders, frequencies) on a rigid sphere, re the free field at its centre, kr > 0.

    b_n = i^(n-1) / ((kr)^2 h_n'(kr)), h_n of the second kind for exp(+i omega t); Rafaely, Fundamentals of Spherical
    Array Processing, sec. 2.6.
    """
    try:
        from scipy.special import spherical_jn, spherical_yn
    except ImportError as error:
        raise BackendMissingError("the rigid-sphere array", "synth") from error
    order = np.arange(SPHERE_ORDERS)[:, None]
    # Orders far above kr contribute nothing and would overflow.
    kr = np.maximum(kr, 0.02)
    hankel = spherical_jn(order, kr, derivative=True) - 1j * spherical_yn(order, kr, derivative=True)
    return np.asarray(1j ** (order - 1.0) / (kr**2 * hankel))


def _legendre(cosine: Float64) -> Float64:
    """(2n + 1) P_n(cosine), (orders, ...)."""
    weights = np.diag(2 * np.arange(SPHERE_ORDERS) + 1.0)
    return np.asarray(np.polynomial.legendre.legval(cosine, weights), dtype=np.float64)


def sphere_response(cosine: Float64, frequency_hz: Float64) -> Complex:
    """Pressure (angles, frequencies) on the sphere re the free field at its centre; cosine 1 faces the wave."""
    kr = 2 * np.pi * frequency_hz * SPHERE_RADIUS_M / SPEED_OF_SOUND_M_S
    return np.asarray(np.einsum("na,nf->af", _legendre(cosine), _radial(kr)))


@cache
def _sphere_table() -> NDArray[np.float64]:
    """Impulse responses (degrees 0..180, fraction, taps) of a capsule by its angle to the wave."""
    size = 256
    frequency = np.fft.rfftfreq(size, 1 / SAMPLE_RATE_HZ).astype(np.float64)
    response = sphere_response(np.cos(np.radians(np.arange(181))), frequency)
    delay = MIC_CENTRE + np.arange(FRACTIONS) / FRACTIONS
    shift = np.exp(-2j * np.pi * frequency / SAMPLE_RATE_HZ * delay[:, None])
    shift[:, -1] = np.cos(np.pi * delay)
    taps = np.fft.irfft(response[:, None] * shift, size)[:, :, :MIC_TAPS]
    fade = np.ones(MIC_TAPS)
    fade[-16:] = np.cos(np.linspace(0, np.pi / 2, 16)) ** 2
    fade[:8] = np.sin(np.linspace(0, np.pi / 2, 8)) ** 2
    return taps * fade


def _mic_arrivals(delays_samples: Float64, vectors: Float64) -> tuple[NDArray[np.int64], Float64]:
    starts, fractions = _split(delays_samples, MIC_CENTRE)
    capsules = unit_vector(*np.transpose(CAPSULES_DEG))
    degrees = np.rint(np.degrees(np.arccos(np.clip(vectors @ capsules.T, -1, 1)))).astype(np.int64)
    return starts, _sphere_table()[degrees, fractions[:, None]]


def _mic_diffuse(spectra: Complex) -> Complex:
    """Isotropic noise on the sphere: all six capsule pairs have one angle, so one mixing serves them all."""
    frequency = np.linspace(0, SAMPLE_RATE_HZ / 2, spectra.shape[-1])
    kr = 2 * np.pi * frequency * SPHERE_RADIUS_M / SPEED_OF_SOUND_M_S
    power = np.abs(_radial(kr)) ** 2
    itself, other = (_legendre(np.array([cosine]))[:, 0] @ power for cosine in (1.0, -1 / 3))
    own = np.sqrt(np.maximum(itself - other, 0))
    common = (np.sqrt(np.maximum(itself + 3 * other, 0)) - own) / 4
    return np.asarray(own * spectra + common * spectra.sum(axis=0))


FOA = Receiver(_foa_arrivals, _foa_diffuse)
MIC = Receiver(_mic_arrivals, _mic_diffuse)
