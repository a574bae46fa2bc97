"""Stereo views of FOA scenes: what left and right hear, and where labels go."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseld.signal.ambisonics import foa_gains
from edgeseld.signal.stereo import stereo_azimuth_deg, stereo_view

azimuths = st.floats(-180, 180)


@pytest.mark.parametrize(
    ("azimuth", "view", "left", "right"),
    [(90, 0, 1, 0), (-90, 0, 0, 1), (0, 0, 0.5, 0.5), (180, 0, 0.5, 0.5), (30, -60, 1, 0), (30, 30, 0.5, 0.5)],
)
def test_cardioids_by_hand(azimuth: float, view: float, left: float, right: float) -> None:
    audio = foa_gains(azimuth, 0)[:, None].astype(np.float32)
    assert stereo_view(audio, view)[:, 0] == pytest.approx([left, right], abs=1e-6)


@pytest.mark.parametrize(
    ("azimuth", "view", "expected"),
    [(0, 0, 0), (90, 0, 90), (91, 0, 89), (180, 0, 0), (-180, 0, 0), (-91, 0, -89), (170, -100, -90), (10, 350, 20)],
)
def test_folding_by_hand(azimuth: float, view: float, expected: float) -> None:
    assert float(stereo_azimuth_deg(azimuth, view)) == expected


@given(azimuths, azimuths)
def test_a_folded_label_sounds_like_the_original(azimuth: float, view: float) -> None:
    """Front and back are one to a stereo pair: a source at the folded azimuth gives the same left and right."""
    folded = float(stereo_azimuth_deg(azimuth, view))
    assert -90 <= folded <= 90
    seen = stereo_view(foa_gains(azimuth, 0)[:, None].astype(np.float32), view)
    assert stereo_view(foa_gains(folded, 0)[:, None].astype(np.float32)) == pytest.approx(seen, abs=1e-5)


@given(azimuths)
def test_folding_twice_changes_nothing(azimuth: float) -> None:
    once = stereo_azimuth_deg(azimuth)
    assert stereo_azimuth_deg(once) == pytest.approx(once, abs=1e-9)
