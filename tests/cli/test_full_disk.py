"""A disk that is really full: one line that names it, exit code 1, nothing half-written."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_train_killed import start
from tests.train.conftest import recipe_file, write_scenes

SCENE = Path("examples/sample_scene.wav").absolute()
ZIP = Path("models/student-s/bundles/student-s-onnx-fp32.seld.zip").absolute()
MOUNTED = "needs the right to mount a disk of its own"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "edgeseld", place]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip(MOUNTED)
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.fixture
def temporary(disk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small disk as that of temporary files."""
    monkeypatch.setenv("TMPDIR", str(disk))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return disk


def told(*arguments: str | Path) -> str:
    """The one line of a command that fails."""
    command = [sys.executable, "-c", "from edgeseld.cli import main; main()", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return lines[0]


def files(disk: Path) -> set[str]:
    """Names of all files in its folders."""
    return {path.name for path in disk.glob("*/**/*") if path.is_file()}


@pytest.mark.slow
def test_scenes_stop_at_the_last_whole_one(disk: Path) -> None:
    assert f"no space left on the disk of {disk}" in told("synth", disk / "scenes", "--hours", "0.02")
    assert not {name for name in files(disk) if name.endswith(".wav") or name.startswith(".")}


@pytest.mark.export
def test_an_export_asks_for_its_space_first(disk: Path) -> None:
    line = told("export", "student-xs", "--target", "onnx", "--output", disk / "bundles")
    assert f"25 MB are needed on the disk of {disk / 'bundles'}, 2 MB are free" in line
    assert not files(disk)


@pytest.mark.parametrize("verb", ["infer", "inspect", "verify"])
def test_a_zip_finds_no_room_to_be_unpacked(temporary: Path, verb: str) -> None:
    line = told(verb, ZIP, *([SCENE] if verb == "infer" else []))
    assert f"no space left on the disk of {temporary}" in line
    assert "TMPDIR" in line
    assert not files(temporary)


@pytest.mark.slow
def test_a_training_goes_on_when_there_is_space_again(disk: Path, tmp_path: Path) -> None:
    scenes = write_scenes(tmp_path / "scenes", 2)
    recipe = recipe_file(tmp_path, steps=4, validate_every_steps=1)
    run = disk / "run"
    filler = disk / "filler"
    filler.write_bytes(bytes((2 << 20) - (96 << 10)))
    process = start(recipe, scenes, run)
    words, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    assert f"no space left on the disk of {run}" in words
    assert not (run / "weights.safetensors").exists()
    filler.unlink()
    process = start(recipe, scenes, run)
    words, _ = process.communicate(timeout=300)
    assert process.returncode == 0, words
    assert (run / "weights.safetensors").exists()
