"""Symmetries of a sound field that only exchange and negate channels: audio, labels and 360-degree frames alike.

Audio channel swapping after Mazzon et al. 2019; Wang et al. 2023 give the eight that a tetrahedral array allows too.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgeseld.core.errors import AudioFormatError, DataError
from edgeseld.core.geometry import Float64, wrap_azimuth_deg

Float32 = NDArray[np.float32]

# Signs of x, y, z of the capsules of the MIC format: azimuth 45, -45, 135, -135, elevation 35, -35, -35, 35 degrees.
TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])


@dataclass(frozen=True, slots=True)
class ChannelSwap:
    """x and y change places or not, then every axis keeps or changes its sign (+1 or -1)."""

    exchange_xy: bool
    sign_x: int
    sign_y: int
    sign_z: int

    @property
    def matrix(self) -> NDArray[np.int64]:
        """(3, 3), new direction = matrix @ old direction, in the order x, y, z."""
        axes = [1, 0, 2] if self.exchange_xy else [0, 1, 2]
        return np.diag([self.sign_x, self.sign_y, self.sign_z])[:, axes]

    @property
    def azimuth_sign(self) -> int:
        """New azimuth = azimuth_sign x old azimuth + azimuth_offset_deg."""
        return self.sign_x * self.sign_y * (-1 if self.exchange_xy else 1)

    @property
    def azimuth_offset_deg(self) -> int:
        """A multiple of 90, so that whole degrees stay whole."""
        if self.exchange_xy:
            return 90 * self.sign_y
        return 0 if self.sign_x == 1 else 180

    @property
    def fits_tetrahedron(self) -> bool:
        """Whether the capsules of the MIC format fall upon each other."""
        return self.sign_x * self.sign_y * self.sign_z == 1

    def inverse(self) -> "ChannelSwap":
        """The swap that undoes this one."""
        if self.exchange_xy:
            return ChannelSwap(True, self.sign_y, self.sign_x, self.sign_z)
        return self


# The eight of the published tables, in their order; the third leaves everything as it is.
TABLE_SWAPS = (
    ChannelSwap(True, 1, -1, -1),
    ChannelSwap(True, -1, -1, 1),
    ChannelSwap(False, 1, 1, 1),
    ChannelSwap(False, 1, -1, -1),
    ChannelSwap(True, -1, 1, -1),
    ChannelSwap(True, 1, 1, 1),
    ChannelSwap(False, -1, -1, 1),
    ChannelSwap(False, -1, 1, -1),
)
# FOA allows every combination.
ALL_SWAPS = tuple(ChannelSwap(exchange, *signs) for exchange in (False, True) for signs in product((1, -1), repeat=3))


def swap_foa(audio: Float32, swap: ChannelSwap) -> Float32:
    """FOA audio (4, samples) of the swapped sound field."""
    _require_channels(audio, "FOA")
    w, y, z, x = audio
    if swap.exchange_xy:
        x, y = y, x
    return np.stack([w, swap.sign_y * y, swap.sign_z * z, swap.sign_x * x])


def swap_mic(audio: Float32, swap: ChannelSwap) -> Float32:
    """MIC audio (4, samples) of the swapped sound field; AudioFormatError for a swap that the array does not allow."""
    _require_channels(audio, "MIC")
    if not swap.fits_tetrahedron:
        raise AudioFormatError(
            f"MIC audio needs a swap whose signs multiply to +1, got {swap.sign_x}, {swap.sign_y}, {swap.sign_z}; "
            "take one of TABLE_SWAPS"
        )
    return audio[list(mic_order(swap))]


def mic_order(swap: ChannelSwap) -> tuple[int, ...]:
    """Old channel (0 to 3) that each new channel takes: the capsule where the new one was before the swap."""
    before = TETRAHEDRON @ swap.matrix
    return tuple(int(np.flatnonzero((TETRAHEDRON == capsule).all(axis=1))[0]) for capsule in before)


def _require_channels(audio: Float32, name: str) -> None:
    if audio.ndim != 2 or audio.shape[0] != 4:
        raise AudioFormatError(f"a swap needs {name} audio (4, samples), got {audio.shape}; convert the format first")


def swap_angles_deg(azimuth_deg: ArrayLike, elevation_deg: ArrayLike, swap: ChannelSwap) -> tuple[Float64, Float64]:
    """Azimuth in [-180, 180) and elevation of labels in the swapped field; whole degrees stay whole.

    >>> [angle.tolist() for angle in swap_angles_deg([10, 170], [5, -5], TABLE_SWAPS[0])]
    [[-80.0, 80.0], [-5.0, 5.0]]
    """
    azimuth = wrap_azimuth_deg(swap.azimuth_sign * np.asarray(azimuth_deg, np.float64) + swap.azimuth_offset_deg)
    return azimuth, swap.sign_z * np.asarray(elevation_deg, np.float64)


def swap_vectors(vectors: ArrayLike, swap: ChannelSwap) -> Float64:
    """Directions or positions (..., 3), x, y, z, in the swapped field."""
    return np.asarray(vectors, np.float64) @ swap.matrix.T


def swap_frames(frames: NDArray[np.generic], swap: ChannelSwap) -> NDArray[np.generic]:
    """Equirectangular frames (..., height, width, colours) of the swapped scene, by flips and a roll: no pixel changes.

    Azimuth falls from +180 at the left edge through 0 in the middle to -180, elevation from +90 at the top. DataError
    where the width is no multiple of four: a quarter turn would need interpolation.
    """
    height_axis, width_axis = frames.ndim - 3, frames.ndim - 2
    if frames.ndim < 3 or frames.shape[width_axis] % 4:
        raise DataError(
            f"frames must be (..., height, width, colours) with a width divisible by 4, got {frames.shape}; resize them"
        )
    signs = ((height_axis, swap.sign_z), (width_axis, swap.azimuth_sign))
    flips = tuple(axis for axis, sign in signs if sign == -1)
    quarter_turns = swap.azimuth_offset_deg // 90
    return np.roll(np.flip(frames, flips), -quarter_turns * frames.shape[width_axis] // 4, axis=width_axis)
