"""Pictures: what is drawn, the same bytes every time, and what they refuse."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from edgeseld.core.errors import ConfigError
from edgeseld.core.geometry import unit_vector
from edgeseld.core.prediction import Prediction, Uncertainty
from edgeseld.runtime.plots import heard_classes, plot_map, plot_prediction, prediction_figure
from edgeseld.runtime.report import write_report

CLASSES = ("male_speech", "bell", "knock<")


def prediction_of_two_sounds(*, uncertain: bool = True) -> Prediction:
    """A bell behind that passes 180 degrees, and a knock to the right."""
    activity = np.full((30, 3, 3), 0.02, np.float32)
    direction = np.zeros((30, 3, 3, 3), np.float32)
    activity[5:20, 0, 1], direction[5:20, 0, 1] = 0.9, unit_vector(np.linspace(170, 190, 15), 10)
    activity[8:12, 1, 2], direction[8:12, 1, 2] = 0.7, unit_vector(-90, 0)
    arrays = [np.full(activity.shape, value, np.float32) for value in (0.05, 0.3, 0.1, 12.0)]
    return Prediction(activity, direction, CLASSES, None, Uncertainty(*arrays, 10, 3) if uncertain else None)


def silence() -> Prediction:
    return Prediction(np.zeros((10, 1, 3), np.float32), np.zeros((10, 1, 3, 3), np.float32), CLASSES)


@pytest.mark.parametrize("plot", [plot_prediction, plot_map])
@pytest.mark.parametrize("name", ["a.png", "a.svg"])
def test_the_same_prediction_gives_the_same_bytes(tmp_path: Path, plot: type[plot_map], name: str) -> None:
    for folder in ("one", "two"):
        plot(prediction_of_two_sounds(), tmp_path / folder / name)
    content = (tmp_path / "one" / name).read_bytes()
    assert content == (tmp_path / "two" / name).read_bytes()
    assert content.startswith(b"\x89PNG" if name.endswith("png") else b"<?xml")


@pytest.mark.parametrize("prediction", [silence(), prediction_of_two_sounds(uncertain=False)], ids=["silence", "plain"])
def test_pictures_without_events_or_uncertainty(tmp_path: Path, prediction: Prediction) -> None:
    plot_prediction(prediction, tmp_path / "a.png")
    plot_map(prediction, tmp_path / "b.png")
    write_report(prediction, tmp_path / "c.html", "quiet")
    assert all((tmp_path / name).stat().st_size > 1000 for name in ("a.png", "b.png", "c.html"))


def test_only_classes_that_were_heard_have_a_row() -> None:
    prediction = prediction_of_two_sounds()
    assert heard_classes(prediction) == [1, 2]
    timeline = prediction_figure(prediction).axes[0]
    assert [label.get_text() for label in timeline.get_yticklabels()] == ["knock<", "bell"]


def test_the_band_of_one_standard_deviation_is_drawn() -> None:
    prediction = prediction_of_two_sounds()
    plain = prediction_figure(replace(prediction, uncertainty=None)).axes[0]
    assert len(prediction_figure(prediction).axes[0].collections) == len(plain.collections) + 2


def test_other_endings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"written as \.png or \.svg, got a\.pdf"):
        plot_prediction(silence(), tmp_path / "a.pdf")
    assert not list(tmp_path.iterdir())


def test_the_report_stands_alone(tmp_path: Path) -> None:
    write_report(prediction_of_two_sounds(), tmp_path / "r.html", "bells & knocks")
    page = (tmp_path / "r.html").read_text()
    assert "<title>bells &amp; knocks</title>" in page
    assert page.count("<svg") == 2
    assert "<script" not in page
    assert "<img" not in page
    assert "@import" not in page
    cells = "<td>bell</td><td>0.5</td><td>2.0</td><td>0.90</td><td>180</td><td>10</td><td></td><td>0.050</td>"
    assert cells in page.replace("<td>-180</td>", "<td>180</td>")
    assert "<td>knock&lt;</td><td>0.8</td><td>1.2</td>" in page
    start = page.index("<svg")
    ElementTree.fromstring(page[start : page.index("</svg>", start) + 6])


def test_a_report_without_directions_has_no_map(tmp_path: Path) -> None:
    write_report(silence(), tmp_path / "r.html", "nothing")
    assert (tmp_path / "r.html").read_text().count("<svg") == 1
