"""Scoring loads numpy only; what needs more says which extra to install."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeseld.core.errors import BackendMissingError
from edgeseld.metrics.intervals import jackknife
from edgeseld.metrics.plots import plot_direction_errors
from edgeseld.metrics.polyphonic_detection import SCENARIOS, psds
from edgeseld.metrics.rules import RULES
from edgeseld.metrics.score import score
from tests.metrics.scenes import labels, track

HEAVY = "scipy", "matplotlib", "pandas", "sed_scores_eval", "torch", "rich"


def test_scoring_loads_no_heavy_library() -> None:
    program = f"import sys, edgeseld.cli.score; print([name for name in {HEAVY} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_a_jackknife_without_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    files = {name: labels(track(range(11), 0, 0, 0)) for name in "ab"}
    with pytest.raises(BackendMissingError, match=r"the jackknife needs .* pip install 'edgeseld\[metrics\]'"):
        jackknife(score(files, files, RULES["dcase2023"]))


def test_detection_scores_without_their_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sed_scores_eval", None)
    with pytest.raises(BackendMissingError, match=r"pip install 'edgeseld\[metrics\]'"):
        psds({}, {}, {}, ["a"], SCENARIOS[1])


def test_pictures_without_matplotlib(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(BackendMissingError, match=r"a picture needs .* pip install 'edgeseld\[plot\]'"):
        plot_direction_errors(tmp_path / "a.png", {"a": np.zeros(3)})
