"""The table of all targets goes on where it was stopped."""

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from benchmarks import targets, targets_table
from benchmarks.targets_rows import TargetRow, TargetsReport, replaced
from edgeseld.bench.machine import this_machine
from edgeseld.core.structs import read_json, to_json
from edgeseld.data.layout import write_spec
from tests.data.test_synth_layout import SPEC
from tests.tiny import MODEL_TOML

INPUTS = {"weights.safetensors": "a", "sources": "b"}


def row(precision: str = "fp32", **facts: object) -> TargetRow:
    return TargetRow(model="tiny", target="onnx", precision=precision, inputs=INPUTS, **facts)


def test_a_row_is_made_again_where_its_inputs_or_the_sets_changed() -> None:
    made = row(raw_max=0.0)
    assert made.covers("tiny", "onnx-fp32", dict(INPUTS), [])
    assert not made.covers("tiny", "onnx-fp32", INPUTS | {"sources": "c"}, [])
    assert not made.covers("tiny", "onnx-fp32", dict(INPUTS), ["heldout"])
    assert not made.covers("tiny", "onnx-fp16", dict(INPUTS), [])
    assert row(refused="no").covers("tiny", "onnx-fp32", dict(INPUTS), ["heldout"])


def test_a_new_row_takes_the_place_of_the_old_one() -> None:
    report = TargetsReport(machine=this_machine(), versions={}, rows=(row("int8"), row("fp32", raw_max=1.0)))
    rows = replaced(report, row("fp32", raw_max=2.0)).rows
    assert [(one.precision, one.raw_max) for one in rows] == [("fp32", 2.0), ("int8", None)]


def test_a_model_hears_the_sets_of_its_channels(tmp_path: Path) -> None:
    (tmp_path / "model.toml").write_text(MODEL_TOML)
    sets = [tmp_path / channels for channels in ("mono", "foa")]
    for root in sets:
        root.mkdir()
        write_spec(root, replace(SPEC, channel_format=root.name))
    assert targets.sets_for(tmp_path, sets) == [tmp_path / "foa"]


@pytest.mark.export
@pytest.mark.slow
def test_a_second_run_exports_nothing_and_times_nothing(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(tiny_model, tmp_path / "models" / "tiny")
    monkeypatch.setenv("EDGESELD_MODELS", str(tmp_path / "models"))
    arguments = ["tiny", "--pairs", "onnx-fp32", "--work", str(tmp_path), "--rounds", "5"]
    targets.main(arguments, standalone_mode=False)
    first = read_json(tmp_path / "targets.json", TargetsReport)
    assert [(one.verified, sorted(one.timings)) for one in first.rows] == [(True, ["1", "2"])]
    monkeypatch.setattr(targets, "export_model", None)
    monkeypatch.setattr(targets, "bench_host", None)
    targets.main(arguments, standalone_mode=False)
    assert read_json(tmp_path / "targets.json", TargetsReport) == first
    assert "onnx-fp32" in capsys.readouterr().out


@pytest.mark.export
@pytest.mark.slow
def test_times_of_another_machine_are_said_to_be(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_model, tmp_path / "models" / "tiny")
    monkeypatch.setenv("EDGESELD_MODELS", str(tmp_path / "models"))
    first = TargetsReport(machine=replace(this_machine(), processor="another"), versions={}, rows=())
    (tmp_path / "targets.json").write_bytes(to_json(first))
    targets.main(["tiny", "--pairs", "onnx-fp32", "--work", str(tmp_path), "--rounds", "5"], standalone_mode=False)
    second = read_json(tmp_path / "targets.json", TargetsReport)
    assert second.machine.processor == "another"
    assert [one.timed_on for one in second.rows] == [this_machine()]
    monkeypatch.setattr(targets_table, "RESULTS", tmp_path / "targets.json")
    shown = "\n".join(targets_table.precisions_lines())
    assert f"### tiny\nTimed on {this_machine().processor}" in shown
