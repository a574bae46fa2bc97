"""Pictures are written, repeat byte by byte, and refuse what they cannot show."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from edgeseld.core.classes import STARSS_CLASSES
from edgeseld.core.errors import ConfigError
from edgeseld.metrics.calibration import reliability
from edgeseld.metrics.direction_errors import angular_coverage
from edgeseld.metrics.plots import (
    plot_angular_coverage,
    plot_classwise,
    plot_differences,
    plot_direction_errors,
    plot_reliability,
)
from edgeseld.metrics.rules import RULES
from edgeseld.metrics.score import Score, score
from edgeseld.metrics.significance import paired_bootstrap
from tests.metrics.scenes import labels, track

GENERATOR = np.random.default_rng(0)
PROBABILITY = GENERATOR.random(500)
DIAGRAM = reliability(PROBABILITY, GENERATOR.random(500) < PROBABILITY)
COVERAGE = angular_coverage(GENERATOR.uniform(0, 40, 500), GENERATOR.uniform(5, 30, 500))


def system(offset_deg: float) -> Score:
    reference = {name: labels(track(range(11), 0, 0, 0)) for name in "abc"}
    return score(reference, {name: labels(track(range(11), 0, 0, offset_deg)) for name in "abc"}, RULES["dcase2023"])


def draw_all(folder: Path, suffix: str) -> list[Path]:
    paths = [folder / f"{index}{suffix}" for index in range(5)]
    plot_reliability(paths[0], {"small": DIAGRAM, "large": DIAGRAM})
    plot_angular_coverage(paths[1], {"small": COVERAGE})
    plot_direction_errors(paths[2], {"small": GENERATOR.permutation(np.linspace(0, 90, 200))})
    plot_classwise(paths[3], {"small": system(5), "large": system(3)}, "F", STARSS_CLASSES)
    plot_differences(paths[4], paired_bootstrap(system(5), system(3), resamples=50))
    return paths


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_every_picture_repeats_byte_by_byte(tmp_path: Path, suffix: str, start: bytes) -> None:
    first, second = draw_all(tmp_path / "a", suffix), draw_all(tmp_path / "b", suffix)
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes().startswith(start)
        assert one.read_bytes() == other.read_bytes()


def test_an_svg_holds_what_it_says(tmp_path: Path) -> None:
    plot_reliability(tmp_path / "a.svg", {"student-xs": DIAGRAM})
    content = (tmp_path / "a.svg").read_text()
    ElementTree.fromstring(content)
    assert f"student-xs, ECE {DIAGRAM.expected_error:.3f}" in content


def test_what_cannot_be_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"written as .png or .svg, got a.jpg"):
        plot_reliability(tmp_path / "a.jpg", {"small": DIAGRAM})
    with pytest.raises(ConfigError, match="1 to 7 systems, got 0"):
        plot_reliability(tmp_path / "a.png", {})
    assert not list(tmp_path.iterdir())
