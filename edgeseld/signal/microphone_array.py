"""Described microphone arrays: recordings of open arrays, such as USB ones, encoded to FOA.

Regularised least squares on plane waves (Moreau, Daniel and Bertet 2006), with one filter per microphone and channel.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import AudioFormatError
from edgeseld.core.frames import SAMPLE_RATE_HZ
from edgeseld.core.geometry import Float64
from edgeseld.core.spec import Positive, require
from edgeseld.core.structs import Frozen, read_json
from edgeseld.signal.ambisonics import vector_foa_gains

Float32 = NDArray[np.float32]

SPEED_OF_SOUND_M_S = 343.0
SMALLEST_ARRAY_M = 0.005
LARGEST_ARRAY_M = 1.0
# Plane waves of the fit, evenly spread; the share of their power that counts as noise; how far a channel may be raised
# where the regularisation lowers it.
DIRECTIONS = 1_000
REGULARISATION = 1e-3
LARGEST_EQUALISATION = 10.0 ** (9.0 / 20.0)
FILTER_TAPS = 512
BLOCK_SAMPLES = 8_192


class Microphone(Frozen, frozen=True, kw_only=True):
    """One omnidirectional microphone: its place, x front, y left, z up, and how much louder it is than the others."""

    channel: Positive
    xyz_m: tuple[float, float, float]
    name: str = ""
    microphone: str = ""
    gain_relative_to_centre_db: float = 0.0


class MicrophoneArray(Frozen, frozen=True, kw_only=True):
    """An array in a free field, its channels in the order of the recording."""

    channels: tuple[Microphone, ...]
    sample_rate: Positive = SAMPLE_RATE_HZ
    description: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        numbers = [microphone.channel for microphone in self.channels]
        require(numbers == list(range(1, len(numbers) + 1)), f"channels must be numbered 1, 2, ..., got {numbers}")
        positions = self.positions_m
        require(
            np.linalg.matrix_rank(positions - positions[:1], tol=1e-4) >= 2,
            f"microphones must not lie on one line, got {positions.tolist()}: directions around it sound alike",
        )
        extent_m = float(np.ptp(positions, axis=0).max())
        require(
            SMALLEST_ARRAY_M <= extent_m <= LARGEST_ARRAY_M,
            f"xyz_m must span {SMALLEST_ARRAY_M} to {LARGEST_ARRAY_M} m, got {extent_m:.6g} m: positions are in metres",
        )

    @property
    def positions_m(self) -> Float64:
        """Places (microphones, 3)."""
        return np.array([microphone.xyz_m for microphone in self.channels], np.float64).reshape(-1, 3)

    @property
    def gains(self) -> Float64:
        """Factors (microphones,) that a recording must be divided by."""
        decibels = [microphone.gain_relative_to_centre_db for microphone in self.channels]
        return np.asarray(10.0 ** (np.array(decibels) / 20.0), np.float64)


def read_array(path: Path) -> MicrophoneArray:
    """Read a description such as docs/features.md shows; ConfigError names what is wrong."""
    return read_json(path, MicrophoneArray)


def encoding_filters(array: MicrophoneArray) -> Float64:
    """Filters (4, microphones, 512) at 24 kHz to W, Y, Z, X in SN3D about the origin of the positions; centre tap 256.

    Below about c / (4 r) Hz the channels are those of a plane wave within a few degrees; above, an open array of radius
    r aliases. Where it is too small for a wavelength the regularisation holds noise down. A flat array gives Z = 0.
    """
    fine = 4 * FILTER_TAPS
    spectra = _encoding_spectra(array, np.linspace(0.0, SAMPLE_RATE_HZ / 2.0, fine // 2 + 1))
    impulse = np.roll(np.fft.irfft(spectra, fine, axis=0), FILTER_TAPS // 2, axis=0)[:FILTER_TAPS]
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(FILTER_TAPS) / FILTER_TAPS)
    return np.ascontiguousarray(np.moveaxis(impulse * window[:, None, None], 0, -1)) / array.gains[:, None]


def _encoding_spectra(array: MicrophoneArray, frequencies_hz: Float64) -> NDArray[np.complex128]:
    """Least-squares matrices (frequencies, 4, microphones), each channel raised to unit gain as far as allowed."""
    directions = spread_directions(DIRECTIONS)
    wanted = vector_foa_gains(directions).T
    spectra = np.empty((frequencies_hz.size, 4, len(array.channels)), np.complex128)
    for row, frequency_hz in zip(spectra, frequencies_hz, strict=True):
        heard = steering_matrix(array, directions, frequency_hz)
        power = heard @ heard.conj().T / DIRECTIONS + REGULARISATION * np.eye(len(heard))
        row[:] = np.linalg.solve(power.T, (wanted @ heard.conj().T / DIRECTIONS).T).T
        gain = ((row @ heard).real * wanted).sum(axis=1) / (wanted * wanted).sum(axis=1)
        row *= np.minimum(LARGEST_EQUALISATION, 1.0 / np.maximum(gain, 1e-9))[:, None]
    return spectra


def steering_matrix(array: MicrophoneArray, directions: Float64, frequency_hz: float) -> NDArray[np.complex128]:
    """What the microphones hear of unit plane waves from `directions` (waves, 3): (microphones, waves).

    The phase is relative to the origin; a microphone nearer to the source is ahead.
    """
    lead_s = array.positions_m @ directions.T / SPEED_OF_SOUND_M_S
    phases: NDArray[np.complex128] = np.exp(2j * np.pi * frequency_hz * lead_s)
    return phases


def spread_directions(count: int) -> Float64:
    """Unit vectors (count, 3) evenly over the sphere, on a Fibonacci spiral."""
    index = np.arange(count) + 0.5
    z = 1.0 - 2.0 * index / count
    azimuth = np.pi * (1.0 + 5.0**0.5) * index
    radius = np.sqrt(1.0 - z * z)
    return np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth), z], axis=-1)


def encode_array(audio: Float32, filters: Float64) -> Float32:
    """A recording (microphones, samples) at 24 kHz to FOA (4, samples), without delay."""
    channels, microphones, taps = filters.shape
    if audio.ndim != 2 or audio.shape[0] != microphones:
        raise AudioFormatError(
            f"encoding needs audio of {microphones} microphones (microphones, samples), got {audio.shape}; "
            "check the array's description"
        )
    spectra = np.moveaxis(np.fft.rfft(filters, BLOCK_SAMPLES), -1, 0)
    step = BLOCK_SAMPLES - taps + 1
    samples = audio.shape[1]
    padded = np.pad(audio, ((0, 0), (taps - 1 - taps // 2, BLOCK_SAMPLES)))
    encoded = np.empty((channels, samples), np.float32)
    for first in range(0, samples, step):
        block = np.fft.rfft(padded[:, first : first + BLOCK_SAMPLES].astype(np.float64)).T[:, :, None]
        part = np.fft.irfft((spectra @ block)[:, :, 0].T, BLOCK_SAMPLES)[:, taps - 1 :]
        encoded[:, first : first + step] = part[:, : samples - first]
    return encoded
