"""How predictions leave the command line."""

from pathlib import Path

from edgeseld.cli.results import draw
from tests.runtime.parts import made_up_model, noise


def test_a_picture_or_a_page_by_the_suffix(tmp_path: Path) -> None:
    prediction = made_up_model().predict(noise(9 * 2400), mc_samples=3)
    draw(prediction, tmp_path / "a.png", "noise")
    draw(prediction, tmp_path / "a.html", "noise & more")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert "<title>noise &amp; more</title>" in (tmp_path / "a.html").read_text()
