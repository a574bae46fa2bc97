"""Channel swapping: the published table, and that audio, labels, MIC channels and frames turn alike and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeseld.core.errors import AudioFormatError, DataError
from edgeseld.core.geometry import angle_between_deg, unit_vector, wrap_azimuth_deg
from edgeseld.signal.ambisonics import foa_gains
from edgeseld.signal.channel_swap import (
    ALL_SWAPS,
    TABLE_SWAPS,
    TETRAHEDRON,
    ChannelSwap,
    mic_order,
    swap_angles_deg,
    swap_foa,
    swap_frames,
    swap_mic,
    swap_vectors,
)

# Azimuth' and elevation' of (30, 10); Y', Z', X' in terms of Y=1, Z=2, X=3 with signs; MIC order, one-based.
PUBLISHED = [
    (30 - 90, -10, (-3, -2, 1), "3142"),
    (-30 - 90, 10, (-3, 2, -1), "4231"),
    (30, 10, (1, 2, 3), "1234"),
    (-30, -10, (-1, -2, 3), "2143"),
    (30 + 90, -10, (3, -2, -1), "2413"),
    (-30 + 90, 10, (3, 2, 1), "1324"),
    (30 - 180, 10, (-1, 2, -3), "4321"),
    (-30 + 180, -10, (1, -2, -3), "3412"),
]

swaps = st.sampled_from(ALL_SWAPS)
azimuths = st.integers(-180, 179)
elevations = st.integers(-90, 90)


@pytest.mark.parametrize(("swap", "published"), list(zip(TABLE_SWAPS, PUBLISHED, strict=True)))
def test_the_published_table(swap: ChannelSwap, published: tuple[int, int, tuple[int, ...], str]) -> None:
    azimuth, elevation, axes, order = published
    assert [float(angle) for angle in swap_angles_deg(30, 10, swap)] == [azimuth, elevation]
    assert swap_foa(np.arange(4, dtype=np.float32)[:, None], swap)[:, 0].tolist() == [0, *axes]
    assert "".join(str(channel + 1) for channel in mic_order(swap)) == order


def test_sixteen_different_swaps_of_which_eight_suit_a_tetrahedron() -> None:
    assert len(set(ALL_SWAPS)) == 16
    assert {swap for swap in ALL_SWAPS if swap.fits_tetrahedron} == set(TABLE_SWAPS)


@given(swaps, azimuths, elevations)
def test_swapped_audio_equals_a_wave_from_the_swapped_direction(
    swap: ChannelSwap, azimuth: int, elevation: int
) -> None:
    audio = foa_gains(azimuth, elevation)[:, None].astype(np.float32)
    expected = foa_gains(*swap_angles_deg(azimuth, elevation, swap))[:, None]
    assert swap_foa(audio, swap) == pytest.approx(expected, abs=1e-6)


@given(st.sampled_from(TABLE_SWAPS), azimuths, elevations)
def test_swapped_microphones_hear_the_swapped_direction(swap: ChannelSwap, azimuth: int, elevation: int) -> None:
    """Arrival times at a tetrahedron are minus the projections of the capsules on the direction."""

    def arrivals(azimuth_deg: float, elevation_deg: float) -> NDArray[np.float32]:
        return (-TETRAHEDRON @ unit_vector(azimuth_deg, elevation_deg)).astype(np.float32)[:, None]

    swapped = swap_angles_deg(azimuth, elevation, swap)
    expected = arrivals(float(swapped[0]), float(swapped[1]))
    assert swap_mic(arrivals(azimuth, elevation), swap) == pytest.approx(expected, abs=1e-6)


@given(swaps, azimuths, elevations)
def test_the_inverse_brings_everything_back(swap: ChannelSwap, azimuth: int, elevation: int) -> None:
    inverse = swap.inverse()
    assert (inverse.matrix @ swap.matrix == np.eye(3)).all()
    back = swap_angles_deg(*swap_angles_deg(azimuth, elevation, swap), inverse)
    assert [float(angle) for angle in back] == [azimuth, elevation]
    audio = np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32)
    assert (swap_foa(swap_foa(audio, swap), inverse) == audio).all()
    frames = np.arange(2 * 3 * 8).reshape(3, 8, 2)
    assert (swap_frames(swap_frames(frames, swap), inverse) == frames).all()
    if swap.fits_tetrahedron:
        assert (swap_mic(swap_mic(audio, swap), inverse) == audio).all()


@given(swaps, azimuths, elevations)
def test_angles_and_vectors_agree(swap: ChannelSwap, azimuth: int, elevation: int) -> None:
    turned = swap_vectors(unit_vector(azimuth, elevation), swap)
    expected = unit_vector(*swap_angles_deg(azimuth, elevation, swap))
    assert float(angle_between_deg(turned, expected)) == pytest.approx(0, abs=1e-6)


@given(swaps, st.integers(0, 15), st.integers(0, 7))
def test_a_pixel_moves_to_the_swapped_direction(swap: ChannelSwap, column: int, row: int) -> None:
    frames = np.zeros((8, 16, 1), np.uint8)
    frames[row, column] = 255
    azimuth, elevation = swap_angles_deg(180 - (column + 0.5) * 22.5, 90 - (row + 0.5) * 22.5, swap)
    new_row, new_column = np.argwhere(swap_frames(frames, swap)[..., 0])[0]
    assert float(wrap_azimuth_deg(180 - (new_column + 0.5) * 22.5 - azimuth)) == 0
    assert 90 - (new_row + 0.5) * 22.5 == float(elevation)


def test_frames_of_a_video_swap_together() -> None:
    video = np.random.default_rng(0).integers(0, 255, (3, 4, 8, 3), np.uint8)
    swapped = swap_frames(video, TABLE_SWAPS[0])
    assert swapped.dtype == np.uint8
    assert (swapped[1] == swap_frames(video[1], TABLE_SWAPS[0])).all()


@pytest.mark.parametrize("swap", [swap for swap in ALL_SWAPS if not swap.fits_tetrahedron])
def test_microphones_refuse_mirror_images(swap: ChannelSwap) -> None:
    with pytest.raises(AudioFormatError, match=r"signs multiply to \+1, got .*; take one of TABLE_SWAPS"):
        swap_mic(np.zeros((4, 2), np.float32), swap)


@pytest.mark.parametrize("shape", [(2, 9), (4,), (5, 9)])
def test_wrong_channels_are_refused(shape: tuple[int, ...]) -> None:
    for swapped, name in ((swap_foa, "FOA"), (swap_mic, "MIC")):
        with pytest.raises(AudioFormatError, match=f"a swap needs {name} audio"):
            swapped(np.zeros(shape, np.float32), TABLE_SWAPS[2])


@pytest.mark.parametrize("shape", [(4, 10, 3), (8, 16)])
def test_frames_that_cannot_turn_by_quarters_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="width divisible by 4"):
        swap_frames(np.zeros(shape), TABLE_SWAPS[0])
