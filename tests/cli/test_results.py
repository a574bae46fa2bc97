"""How predictions leave the command line."""

from pathlib import Path

import numpy as np
import pytest

from edgeseld.cli.results import draw, print_events
from edgeseld.core.geometry import unit_vector
from edgeseld.core.prediction import Prediction
from tests.runtime.parts import made_up_model, noise


def test_a_picture_or_a_page_by_the_suffix(tmp_path: Path) -> None:
    prediction = made_up_model().predict(noise(9 * 2400), mc_samples=3)
    draw(prediction, tmp_path / "a.png", "noise")
    draw(prediction, tmp_path / "a.html", "noise & more")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert "<title>noise &amp; more</title>" in (tmp_path / "a.html").read_text()


def test_straight_ahead_is_no_minus_zero(capsys: pytest.CaptureFixture[str]) -> None:
    activity = np.ones((10, 1, 1), np.float32)
    direction = np.zeros((10, 1, 1, 3), np.float32)
    direction[...] = unit_vector(-0.2, -0.3)
    print_events(Prediction(activity, direction, ("bell",)), "made", 1.0)
    row = next(line for line in capsys.readouterr().out.splitlines() if "bell" in line)
    assert row.count(" 0°") == 2
    assert "-0" not in row
