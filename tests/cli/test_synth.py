"""`edgeseld synth`: usage, summary and exit codes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edgeseld.cli import main
from edgeseld.cli.synth import command
from edgeseld.data.layout import list_scenes, read_spec
from tests.conftest import ROOT
from tests.data.synth_parts import write_clips, write_rooms

HELDOUT = ["--heldout", str(ROOT / "benchmarks" / "heldout.toml")]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def test_help_has_an_example() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "edgeseld synth scenes --hours 0.1" in result.output


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["--split", "train"], "give --heldout FILE"),
        (["--set", "simulated"], "give --heldout FILE"),
        (HELDOUT, "needs --set NAME or --split"),
        ([*HELDOUT, "--split", "train"], "give their folder with --sounds"),
        ([*HELDOUT, "--set", "simulated", "--sounds", "x", "--hours", "3"], "the set fixes --hours"),
        ([*HELDOUT, "--set", "measured", "--sounds", "x"], "give their folder with --rooms"),
        (["--rooms", "a", "--rooms", "b"], "one folder of measured responses"),
        (["--channel-format", "binaural"], "'foa', 'mic', 'stereo', 'mono'"),
        (["--hours", "0"], "--hours"),
    ],
)
def test_wrong_usage_is_explained(tmp_path: Path, arguments: list[str], remedy: str) -> None:
    result = run(str(tmp_path / "out"), *arguments)
    assert result.exit_code == 2
    assert remedy in result.output
    assert not (tmp_path / "out").exists()


def test_scenes_of_own_clips_and_rooms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EDGESELD_CACHE", str(tmp_path / "cache"))
    sounds = write_clips(tmp_path / "clips", {"alarm": 2, "interference": 1, "ambience": 1})
    rooms = write_rooms(tmp_path / "rooms", [0, 90, 180, -90])
    out = tmp_path / "out"
    inputs = ["--sounds", str(sounds), "--rooms", str(rooms)]
    arguments = ["synth", str(out), *inputs, "--hours", "0.003", "--scene-s", "5"]
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 0
    printed = capsys.readouterr()
    assert "2 scenes, 0.00 h, foa" in printed.out
    assert "alarm" in printed.out
    assert "sources at a time: 0:" in printed.out
    assert "scenes" in printed.err
    assert len(list_scenes(out, "foa")) == 2
    with pytest.raises(SystemExit) as end:
        main([*arguments, "--json"])
    summary = json.loads(capsys.readouterr().out)
    assert summary["scenes"] == 2
    assert list(summary["events"]) == ["alarm"]
    with pytest.raises(SystemExit) as end:
        main([*arguments, "--seed", "1"])
    assert end.value.code == 1
    assert "error: " in capsys.readouterr().err


@pytest.mark.slow
def test_nothing_is_needed_but_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGESELD_CACHE", str(tmp_path / "cache"))
    result = run(str(tmp_path / "out"), "--hours", "0.002", "--scene-s", "6")
    assert result.exit_code == 0
    spec = read_spec(tmp_path / "out")
    assert spec is not None
    assert len(spec.classes) == 13
    assert set(spec.provenance.builtin_share.values()) == {1.0}
    assert len(list_scenes(tmp_path / "out", "foa")) == 1
