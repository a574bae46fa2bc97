"""An export is whole, proven and repeatable, or it is not there."""

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from edgeseld.cli import main
from edgeseld.core.errors import BackendMissingError, BundleError, ExportError, ParityError
from edgeseld.core.manifest import ToleranceSpec
from edgeseld.core.structs import to_toml
from edgeseld.export.bundle_writer import zip_bundle
from edgeseld.export.recipe import read_recipe, recipe_path, supported_pairs
from edgeseld.runtime.bundle import open_bundle
from tests.tiny import make_bundle

TARGETS = ("onnx", "tflite", "executorch", "coreml")
# What no float export can meet.
IMPOSSIBLE = ToleranceSpec(raw_max=1e-12, raw_mean=1e-12, changed_frames=0.0, direction_deg=1e-9)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


@pytest.mark.parametrize("pair", supported_pairs())
def test_every_recipe_is_named_after_what_it_says(pair: str) -> None:
    target, _, precision = pair.partition("-")
    recipe = read_recipe(recipe_path(target, precision))
    assert (recipe.target, recipe.precision) == (target, precision)


def test_every_target_has_float_half_and_some_int8_recipe() -> None:
    pairs = set(supported_pairs())
    assert {f"{target}-{precision}" for target in TARGETS for precision in ("fp32", "fp16")} < pairs
    assert all(pairs & {f"{target}-int8", f"{target}-int8-dynamic"} for target in TARGETS)


def test_pairs_that_are_not_supported_are_named_beside_those_that_are() -> None:
    with pytest.raises(ExportError, match=r"onnx at palette is not supported; supported are coreml-fp16, .*onnx-fp32"):
        recipe_path("onnx", "palette")


@pytest.mark.export
@pytest.mark.parametrize("target", TARGETS)
def test_two_exports_give_the_same_bytes(tiny_model: Path, tmp_path: Path, target: str) -> None:
    first = make_bundle(tiny_model, target, tmp_path / "first")
    second = make_bundle(tiny_model, target, tmp_path / "second")
    assert contents(first) == contents(second)
    zip_bundle(first, tmp_path / "first.zip")
    zip_bundle(second, tmp_path / "second.zip")
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()
    zip_bundle(first, tmp_path / "small.zip", compressed=True)
    assert (tmp_path / "small.zip").stat().st_size < (tmp_path / "first.zip").stat().st_size
    assert contents(open_bundle(tmp_path / "small.zip").folder) == contents(first)
    for graph in open_bundle(first).manifest.graphs.values():
        assert str(tmp_path).encode() not in b"".join(contents(first).values()), graph.file


@pytest.mark.export
def test_drift_fails_the_export_and_leaves_nothing(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strict = msgspec.structs.replace(read_recipe(recipe_path("onnx", "fp32")), tolerance=IMPOSSIBLE)
    recipe = tmp_path / "strict.toml"
    recipe.write_bytes(to_toml(strict))
    output = tmp_path / "bundles"
    command = ["export", str(tiny_model), "--target", "onnx", "--recipe", str(recipe), "--output", str(output)]
    with pytest.raises(SystemExit) as stopped:
        main(command)
    assert stopped.value.code == 1
    assert "does not hear what the float model hears: raw_max" in capsys.readouterr().err
    assert not list(output.iterdir())


@pytest.mark.export
def test_drift_that_is_allowed_is_marked_and_refused_at_run_time(tiny_model: Path, tmp_path: Path) -> None:
    from edgeseld.export.exporting import export_model

    strict = msgspec.structs.replace(read_recipe(recipe_path("onnx", "fp32")), tolerance=IMPOSSIBLE)
    with pytest.raises(ParityError):
        export_model(tiny_model, strict, tmp_path)
    drifted = export_model(tiny_model, strict, tmp_path, allow_drift=True)
    assert not drifted.report.passed
    assert "**FAILED**: raw_max" in (drifted.path / "README.md").read_text()
    with pytest.raises(BundleError, match="failed its verification"):
        open_bundle(drifted.path)
    assert not open_bundle(drifted.path, allow_drift=True).manifest.verified


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """The system refuses to write more, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.export
def test_a_full_disk_leaves_the_bundle_that_was_there(tiny_bundle: Path, tiny_model: Path) -> None:
    before = contents(tiny_bundle)
    with files_no_larger_than(20_000), pytest.raises(OSError, match="File too large"):
        make_bundle(tiny_model, "onnx", tiny_bundle.parent)
    assert contents(tiny_bundle) == before
    assert [path.name for path in tiny_bundle.parent.iterdir()] == [tiny_bundle.name]


HANGING = """
import sys, time
from pathlib import Path
import edgeseld.export.exporting as exporting
from tests.tiny import make_bundle
exporting.write_sums = lambda folder: time.sleep(600)
make_bundle(Path(sys.argv[1]), "onnx", Path(sys.argv[2]))
"""


@pytest.mark.export
@pytest.mark.slow
def test_a_killed_export_leaves_no_bundle(tiny_model: Path, tmp_path: Path) -> None:
    """Killed when everything but the sums is written."""
    with subprocess.Popen([sys.executable, "-c", HANGING, str(tiny_model), str(tmp_path)]) as process:
        try:
            while process.poll() is None and not list(tmp_path.rglob("README.md")):
                time.sleep(0.1)
        finally:
            process.kill()
    assert list(tmp_path.rglob("README.md"))
    assert not list(tmp_path.glob("*.seld"))


@pytest.mark.export
def test_a_missing_exporter_names_its_extra(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "edgeseld.export.onnx_target", None)
    with pytest.raises(BackendMissingError, match=r"exporting to onnx needs the extra 'export': pip install"):
        make_bundle(tiny_model, "onnx", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.export
def test_an_own_recipe_must_be_for_what_is_asked(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(
            ["export", str(tiny_model), "--target", "tflite", "--recipe", str(recipe_path("onnx", "fp32"))]
            + ["--output", str(tmp_path / "out")]
        )
    assert stopped.value.code == 1
    assert "is a recipe for onnx at fp32, asked for tflite at fp32" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# "Weight and Input should both be quantized", and a pass of ExecuTorch that fails.
@pytest.mark.export
@pytest.mark.slow
@pytest.mark.parametrize("pair", [pair for pair in supported_pairs() if not pair.endswith("fp32")])
def test_lower_precisions_stay_near_the_float_model(tiny_model: Path, tmp_path: Path, pair: str) -> None:
    from edgeseld.export.exporting import export_model

    target, _, precision = pair.partition("-")
    recipe = msgspec.structs.replace(read_recipe(recipe_path(target, precision)), calibration_windows=8)
    exported = export_model(tiny_model, recipe, tmp_path, allow_drift=True)
    assert exported.report.raw_mean < 0.05
    # Half precision in the frontend would be infinite on the full-scale sine.
    assert max(case.raw_max for case in exported.report.cases if case.case == "sine") < 1.0


@pytest.mark.export
@pytest.mark.slow
@pytest.mark.parametrize(
    ("precision", "kind"), [("int8", "constexpr_affine_dequantize"), ("palette", "constexpr_lut_to_dense")]
)
def test_compressed_weights_of_core_ml_are_read_back(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str, kind: str
) -> None:
    from edgeseld.export import coreml_target
    from edgeseld.export.exporting import export_model
    from edgeseld.runtime.backends.mil.program import read_program

    # Weights as small as those of the tiny network are left alone otherwise.
    monkeypatch.setattr(coreml_target, "COMPRESSED_FROM_ELEMENTS", 200)
    exported = export_model(tiny_model, read_recipe(recipe_path("coreml", precision)), tmp_path, allow_drift=True)
    package = exported.path / exported.manifest.graphs["full"].file
    assert kind in {operation.kind for operation in read_program(package).operations}
    assert exported.report.raw_mean < 0.05


@pytest.mark.export
@pytest.mark.slow
def test_named_layers_of_core_ml_stay_in_float(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgeseld.export import coreml_target
    from edgeseld.export.exporting import export_model
    from edgeseld.runtime.backends.mil.program import read_program

    monkeypatch.setattr(coreml_target, "COMPRESSED_FROM_ELEMENTS", 200)
    layer = "stages.0.blocks.1.second"
    recipe = msgspec.structs.replace(read_recipe(recipe_path("coreml", "int8")), float_layers=(layer,))
    exported = export_model(tiny_model, recipe, tmp_path, allow_drift=True)
    operations = read_program(exported.path / exported.manifest.graphs["full"].file).operations
    compressed = [one.outputs[0].name for one in operations if one.kind == "constexpr_affine_dequantize"]
    name = f"p_network_{layer.replace('.', '_')}_"
    assert compressed
    assert not any(one.startswith(name) for one in compressed)
    assert any(one.outputs[0].name.startswith(name) for one in operations if one.kind == "const")
