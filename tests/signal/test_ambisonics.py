"""Ambisonic gains, rotation and the stereo pair."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseld.core.errors import AudioFormatError
from edgeseld.signal.ambisonics import foa_gains, foa_to_stereo, rotate_foa, vector_foa_gains

AZIMUTHS = st.floats(-360, 360)
ELEVATIONS = st.floats(-90, 90)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "gains"),
    [
        (0, 0, [1, 0, 0, 1]),
        (90, 0, [1, 1, 0, 0]),
        (-90, 0, [1, -1, 0, 0]),
        (180, 0, [1, 0, 0, -1]),
        (0, 90, [1, 0, 1, 0]),
    ],
)
def test_plane_waves_from_the_axes(azimuth: float, elevation: float, gains: list[float]) -> None:
    np.testing.assert_allclose(foa_gains(azimuth, elevation), gains, atol=1e-12)


@given(AZIMUTHS, ELEVATIONS)
def test_first_order_gains_are_a_unit_vector(azimuth: float, elevation: float) -> None:
    gains = foa_gains(azimuth, elevation)
    assert gains[0] == 1
    assert np.linalg.norm(gains[1:]) == pytest.approx(1)


def test_gains_of_many_vectors_keep_their_shape() -> None:
    assert vector_foa_gains(np.ones((2, 5, 3))).shape == (2, 5, 4)


@given(AZIMUTHS, ELEVATIONS, st.floats(-360, 360))
def test_turning_the_field_turns_the_source(azimuth: float, elevation: float, turn: float) -> None:
    field = foa_gains(azimuth, elevation).astype(np.float32)[:, None] * np.ones((1, 3), np.float32)
    turned = rotate_foa(field, turn)
    np.testing.assert_allclose(turned[:, 1], foa_gains(azimuth + turn, elevation), atol=1e-5)


def test_a_source_on_the_left_is_in_the_left_channel_only() -> None:
    left, right = foa_to_stereo(foa_gains(90, 0).astype(np.float32)[:, None])
    assert left[0] == pytest.approx(1)
    assert right[0] == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("change", [lambda audio: rotate_foa(audio, 10.0), foa_to_stereo])
def test_other_formats_are_refused(change: object) -> None:
    with pytest.raises(AudioFormatError, match=r"\(2, 100\)"):
        change(np.zeros((2, 100), np.float32))  # type: ignore[operator]
