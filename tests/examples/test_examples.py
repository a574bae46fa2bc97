"""The scripts under examples/ and the pages of the runtime under docs/ run as they stand."""

import doctest
import json
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from edgeseld.core.events import StreamLine
from edgeseld.runtime.bundle import open_bundle
from tests.bench.test_calibrating import make_data
from tests.conftest import ROOT
from tests.runtime.test_masks import KNOWN
from tests.small_bundle import write_small_bundle

SCENE = ROOT / "examples/sample_scene.wav"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_bundle(tmp_path_factory.mktemp("bundle"))


def run(script: str, *arguments: Path) -> str:
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / script, *arguments], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_infer_a_file(bundle: Path) -> None:
    output = run("infer_a_file.py", bundle, SCENE)
    assert re.search(r"most active class: (bell|knock) 0\.\d\d|1\.00", output)


def test_uncertainty(bundle: Path, tmp_path: Path) -> None:
    output = run("uncertainty.py", bundle, SCENE, tmp_path / "a.png")
    assert "keep the surer half" in output
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_live(bundle: Path) -> None:
    output = run("live.py", bundle, SCENE)
    assert output.count(" begins") == output.count(" ends,") > 0


def test_calibrate(bundle: Path, tmp_path: Path) -> None:
    output = run("calibrate.py", bundle, make_data(tmp_path / "own"), tmp_path / "new.seld")
    assert "calibration error on other groups" in output
    assert open_bundle(tmp_path / "new.seld").manifest.calibration is not None


@pytest.mark.parametrize("name", ["masks.md", "uncertainty.md", "streaming.md"])
def test_the_code_of_the_documents(name: str, bundle: Path) -> None:
    result = doctest.testfile(str(ROOT / "docs" / name), module_relative=False, globs={"bundle": bundle})
    assert result.attempted > 0
    assert result.failed == 0


def test_the_known_answers_stand_in_the_document() -> None:
    text = (ROOT / "docs/masks.md").read_text()
    for row in KNOWN:
        assert "| " + " | ".join(f"`{words}`" for words in row) + " |" in text


def test_the_lines_in_the_document_are_lines_of_a_stream() -> None:
    block = re.search(r"```json\n(.*?)```", (ROOT / "docs/streaming.md").read_text(), re.DOTALL)
    assert block is not None
    lines = [msgspec.convert(json.loads(line), StreamLine) for line in block.group(1).splitlines()]  # type: ignore[arg-type]
    assert len(lines) == 4
