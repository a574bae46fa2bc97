"""Every verb: help with an example, and usage errors that end with 2."""

import importlib.util
import json

import pytest

from edgeseld.cli import VERBS, main
from edgeseld.cli.doctor import EXTRAS
from edgeseld.cli.terminal import print_table, progress


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    return int(stopped.value.code or 0)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_help_has_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(verb, "--help") == 0
    usage, _, rest = capsys.readouterr().out.partition("Options:")
    shown = f"{usage.partition('[OPTIONS]')[2]} {rest}"
    assert "Example" in shown
    assert f"edgeseld {verb} " in f"{' '.join(shown.split())} "


def test_the_list_of_verbs_says_what_each_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert all(f"{verb} {purpose}" in shown for verb, purpose in VERBS.items())


def test_a_verb_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("listen") == 2
    assert "No such command 'listen'" in capsys.readouterr().err


def test_doctor_says_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("doctor") == 0
    shown = capsys.readouterr().out
    assert "onnxruntime" in shown
    assert "student-xs" in shown


def test_doctor_names_the_extra_of_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert run("doctor") == 0
    shown = capsys.readouterr().out
    assert all(f"pip install 'edgeseld[{extra}]'" in shown for extra in EXTRAS)


def test_names_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("set [red]", ["file"], [["[bold]take :bell: [1].wav"]])
    assert list(progress(["one"], 1, "hears [red] :bell:")) == ["one"]
    captured = capsys.readouterr()
    assert "set [red]" in captured.out
    assert "[bold]take :bell: [1].wav" in captured.out
    assert "hears [red] :bell:" in captured.err


def test_models_are_listed_with_their_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("models", "--json") == 0
    entries = {entry["id"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert entries["student-xs"]["results"]["cost"]["macs"] < 0.15e9
    assert entries["student-s"]["results"]["cost"]["macs"] < 0.45e9
    assert "onnx-fp32" in entries["student-xs"]["bundles"]
    assert run("models") == 0
    assert "student-xs" in capsys.readouterr().out
