"""Rotations of FOA audio and labels: by hand, against channel swaps, and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseld.core.errors import AudioFormatError, ConfigError
from edgeseld.core.geometry import angle_between_deg, unit_vector
from edgeseld.signal.ambisonics import foa_gains, rotate_foa
from edgeseld.signal.channel_swap import ALL_SWAPS, ChannelSwap, swap_foa
from edgeseld.signal.rotation import rotation_matrix, transform_angles_deg, transform_foa

degrees = st.floats(-360, 360)
azimuths = st.floats(-180, 180)
elevations = st.floats(-90, 90)


@pytest.mark.parametrize(
    ("angles", "before", "after"),
    [
        ((90, 0, 0), (0, 0), (90, 0)),
        ((0, 30, 0), (0, 0), (0, 30)),
        ((0, 0, 20), (90, 0), (90, 20)),
        ((90, 30, 0), (0, 0), (90, 30)),
        ((0, 90, 0), (0, 90), (180, 0)),
    ],
)
def test_yaw_pitch_and_roll_by_hand(
    angles: tuple[float, float, float], before: tuple[float, float], after: tuple[float, float]
) -> None:
    turned = transform_angles_deg(*before, rotation_matrix(*angles))
    assert float(angle_between_deg(unit_vector(*turned), unit_vector(*after))) == pytest.approx(0, abs=1e-6)


@given(degrees, degrees, degrees, azimuths, elevations)
def test_audio_turns_with_its_labels_and_back(
    yaw: float, pitch: float, roll: float, azimuth: float, elevation: float
) -> None:
    matrix = rotation_matrix(yaw, pitch, roll)
    audio = foa_gains(azimuth, elevation)[:, None].astype(np.float32)
    turned = transform_foa(audio, matrix)
    assert turned[:, 0] == pytest.approx(foa_gains(*transform_angles_deg(azimuth, elevation, matrix)), abs=1e-5)
    assert transform_foa(turned, matrix.T) == pytest.approx(audio, abs=1e-5)
    assert np.linalg.det(matrix) == pytest.approx(1)


def test_yaw_is_the_azimuth_rotation() -> None:
    audio = np.random.default_rng(0).standard_normal((4, 100)).astype(np.float32)
    assert transform_foa(audio, rotation_matrix(37, 0, 0)) == pytest.approx(rotate_foa(audio, 37), abs=1e-6)


@pytest.mark.parametrize("swap", ALL_SWAPS)
def test_every_swap_is_an_orthogonal_transform(swap: ChannelSwap) -> None:
    audio = np.random.default_rng(0).standard_normal((4, 10)).astype(np.float32)
    assert (transform_foa(audio, swap.matrix) == swap_foa(audio, swap)).all()


@pytest.mark.parametrize("matrix", [np.eye(2), 2 * np.eye(3), np.ones((3, 3)), np.full((3, 3), np.nan)])
def test_matrices_that_are_not_orthogonal_are_refused(matrix: np.ndarray) -> None:
    with pytest.raises(ConfigError, match=r"must be orthogonal \(3, 3\), got .*; see rotation_matrix"):
        transform_foa(np.zeros((4, 1), np.float32), matrix)


def test_audio_that_is_not_foa_is_refused() -> None:
    with pytest.raises(AudioFormatError, match=r"needs FOA audio \(4, samples\), got \(2, 5\)"):
        transform_foa(np.zeros((2, 5), np.float32), np.eye(3))
