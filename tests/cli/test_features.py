"""edgeseld features: what it writes, and how it fails."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edgeseld.cli import main
from edgeseld.signal.presets import PRESETS

GOLDEN = Path(__file__).parent.parent / "golden/features"


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["features", *map(str, arguments)])
    return int(stopped.value.code or 0)


def test_official_features_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "f.npz"
    assert run(GOLDEN / "foa_c_clicks_2s.wav", "--preset", "dcase2023-foa", "--output", output) == 0
    assert capsys.readouterr().out == f"{output}: 7 channels x 100 frames x 64 bins\n"
    official = np.load(next(GOLDEN.glob("foa_c_clicks_2s__*.npz")))["feat"]
    with np.load(output) as content:
        assert list(content) == ["features"]
        assert content["features"].shape == (7, 100, 64)
        assert np.moveaxis(content["features"], 0, 1).reshape(100, -1) == pytest.approx(official, abs=2e-5)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_writes_its_shape(tmp_path: Path, preset: str) -> None:
    settings = PRESETS[preset]
    audio = np.random.default_rng(0).uniform(-0.1, 0.1, (4_800, settings.channels))
    soundfile.write(tmp_path / "a.wav", audio, 24_000)
    assert run(tmp_path / "a.wav", "--preset", preset, "--output", tmp_path / "f") == 0
    with np.load(tmp_path / "f") as content:
        assert content["features"].shape == (settings.maps, 4_800 // settings.hop_samples, settings.bins)


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        run(GOLDEN / "foa_c_clicks_2s.wav", "--preset", "hda-foa", "--output", tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_a_failed_job_says_why_in_one_line_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(GOLDEN / "foa_c_clicks_2s.wav", "--preset", "mono", "--output", tmp_path / "f.npz") == 1
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.startswith("error: ")
    assert "format mono needs 1 channels, got 4" in streams.err
    assert streams.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ["a.wav"],
        ["a.wav", "--preset", "dcase2019", "--output", "f"],
        ["a.wav", "--preset", "mono"],
        ["--preset", "mono"],
    ],
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    assert capsys.readouterr().out == ""


def test_missing_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("nowhere.wav", "--preset", "mono", "--output", "f.npz") == 1
    assert "nowhere.wav: there is no such file" in capsys.readouterr().err


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    assert "edgeseld features scene.wav --preset dcase2023-foa --output scene.npz" in capsys.readouterr().out


def test_help_loads_no_audio_library() -> None:
    code = "import atexit, sys, edgeseld.cli; atexit.register(lambda: print(*sys.modules)); edgeseld.cli.main()"
    loaded = subprocess.run(
        [sys.executable, "-c", code, "features", "--help"], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"soundfile", "soxr", "scipy", "librosa", "torch"} & set(loaded)
