"""What `edgeseld export` says on stdout and what on stderr."""

import json
from pathlib import Path

import msgspec
import pytest

from edgeseld.cli import main
from edgeseld.cli.export_table import print_exported
from edgeseld.export.exporting import Exported
from edgeseld.export.proof import Proof
from edgeseld.runtime.bundle import open_bundle
from tests.small_bundle import write_small_bundle


@pytest.fixture
def exported(tmp_path: Path) -> Exported:
    """A bundle at the end of a path longer than any terminal is wide."""
    path = write_small_bundle(tmp_path.joinpath(*["a-folder-among-many"] * 8))
    manifest = open_bundle(path).manifest
    report = Proof(
        passed=False,
        failures=("raw_max 1 is above 0.1",),
        raw_max=1.0,
        raw_mean=0.1,
        changed_frames=0.5,
        direction_deg=90.0,
        tolerance=manifest.tolerance,
        cases=(),
    )
    return Exported(path, manifest, report, {"conversion": 12.34, "verification": 5.0})


def test_paths_are_whole_and_steps_stand_on_stderr(exported: Exported, capsys: pytest.CaptureFixture[str]) -> None:
    print_exported([exported], ["tflite at palette is not supported"], as_json=False)
    shown = capsys.readouterr()
    assert str(exported.path) in shown.out.splitlines()
    assert "left out: tflite at palette is not supported" in shown.out.splitlines()
    assert "small-onnx-fp32: conversion 12.3 s, verification 5.0 s" in shown.err
    assert "NO" in shown.out


def test_json_holds_the_proof_and_the_seconds(exported: Exported, capsys: pytest.CaptureFixture[str]) -> None:
    print_exported([exported], ["why"], as_json=True)
    answer = json.loads(capsys.readouterr().out)
    (bundle,) = answer["bundles"]
    assert bundle["path"] == str(exported.path)
    assert bundle["verification"]["failures"] == ["raw_max 1 is above 0.1"]
    assert bundle["seconds"] == {"conversion": 12.34, "verification": 5.0}
    assert answer["left_out"] == ["why"]


@pytest.mark.export
@pytest.mark.slow
def test_all_targets_write_what_is_supported_and_nothing_else_on_stdout(
    tiny_model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["export", str(tiny_model), "--target", "all", "--precision", "palette", "--output", str(tmp_path)]
             + ["--allow-drift", "--json"])  # fmt: skip
    shown = capfd.readouterr()
    assert stopped.value.code == 0, shown.err
    answer = json.loads(shown.out)
    assert [Path(bundle["path"]).name for bundle in answer["bundles"]] == ["tiny-coreml-palette.seld"]
    assert answer["left_out"] == [f"{name} at palette is not supported" for name in ("onnx", "tflite", "executorch")]


@pytest.mark.export
@pytest.mark.slow
def test_a_target_that_fails_does_not_keep_the_others_back(tiny_model: Path, tmp_path: Path) -> None:
    from edgeseld.export.recipe import read_recipe, recipe_path
    from edgeseld.export.several import export_several

    good = read_recipe(recipe_path("onnx", "fp32"))
    impossible = msgspec.structs.replace(good.tolerance, raw_max=1e-12)
    strict = msgspec.structs.replace(good, tolerance=impossible, input="features")
    exported, failed = export_several(tiny_model, [strict, good], tmp_path, calibration=None, allow_drift=False)
    assert [item.path.name for item in exported] == ["tiny-onnx-fp32.seld"]
    assert len(failed) == 1
    assert "does not hear what the float model hears: raw_max" in failed[0]
