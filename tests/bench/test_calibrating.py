"""edgeseld evaluate: scores, and a calibration that is tried on groups it was not fitted on."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

import edgeseld
from edgeseld.bench.calibrating import macro_f, try_on_groups
from edgeseld.cli import main
from tests.export.test_calibration import INTERFACE, scenes
from tests.small_bundle import write_small_bundle

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(["evaluate", *map(str, arguments)])
        captured = capsys.readouterr()
        return int(stopped.value.code or 0), captured.out, captured.err

    return call


def make_data(root: Path) -> Path:
    """Three rooms of ten seconds: bells are loud seconds, knocks are nowhere."""
    (root / "audio").mkdir(parents=True)
    (root / "classes.txt").write_text("bell\nknock\n")
    for room in (1, 2, 3):
        generator = np.random.default_rng(room)
        loud = generator.random(10) < 0.5
        audio = generator.normal(0.0, 1.0, (240_000, 4)) * np.repeat(np.where(loud, 0.3, 0.001), 24_000)[:, np.newaxis]
        soundfile.write(root / f"audio/fold4_room{room}_mix001.wav", np.clip(audio, -1, 1), 24_000, subtype="PCM_16")
        rows = [f"{frame},0,0,30,0" for frame in range(100) if loud[frame // 10]]
        (root / f"audio/fold4_room{room}_mix001.csv").write_text("\n".join(rows) + "\n")
    return root


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_data(tmp_path / "own")


def test_scores_of_a_data_set(run: Run, data: Path, tmp_path: Path) -> None:
    bundle = write_small_bundle(tmp_path)
    code, output, _ = run(bundle, data, "--rules", "dcase2023", "--json")
    assert code == 0
    report = json.loads(output)
    assert (report["files"], report["rules"]) == (3, "dcase2023")
    assert len(report["classwise"]["F"]) == 2
    assert "calibration" not in report


def test_a_calibrated_bundle_is_written_and_tried_on_other_rooms(run: Run, data: Path, tmp_path: Path) -> None:
    bundle, output = write_small_bundle(tmp_path), tmp_path / "better.seld"
    code, printed, errors = run(
        bundle, data, "--rules", "dcase2023", "--calibrate", "--output", output, "--mc-samples", 3, "--json"
    )
    assert code == 0, errors
    report = json.loads(printed)["calibration"]
    assert (report["scenes"], report["test"]["groups"], report["bundle"]) == (3, 3, str(output))
    assert report["test"]["error_after"] < report["test"]["error_before"]
    fitted = edgeseld.load(output, check="strict").interface
    assert fitted.calibration is not None
    assert fitted.calibration.data == "own, 3 scenes"
    assert set(fitted.calibration.temperature) == {"bell"}
    code, printed, _ = run(output, data, "--rules", "dcase2023", "--calibrate", "--output", tmp_path / "again.seld")
    assert code == 0
    assert "tried in turn on 3" in printed
    assert f"{tmp_path / 'again.seld'}: fitted on all scenes" in printed.replace("\n", "")


@pytest.mark.parametrize("options", [["--calibrate"], ["--output", "b.seld"]])
def test_calibrating_and_its_output_belong_together(run: Run, data: Path, options: list[str]) -> None:
    code, _, errors = run("small", data, "--rules", "dcase2023", *options)
    assert code == 2
    assert "--calibrate and --output belong together" in errors


def test_other_classes_are_refused(run: Run, data: Path, tmp_path: Path) -> None:
    (data / "classes.txt").write_text("bell\ncat\n")
    code, _, errors = run(write_small_bundle(tmp_path), data, "--rules", "dcase2023")
    assert code == 1
    assert "a model is scored on data with its own classes" in errors


def test_groups_are_left_out_in_turn() -> None:
    predictions, references = scenes(3, 0.4, 1.0)
    test = try_on_groups(INTERFACE, predictions, references)
    assert test is not None
    assert test.groups == 2
    # Doors never sound: their error stays.
    assert test.error_after < 0.75 * test.error_before
    assert test.f_after > test.f_before
    one = {"a": predictions["a"]}
    assert try_on_groups(INTERFACE, one, {"a": references["a"]}) is None
    # Two scenes of one room are one group.
    renamed = {f"fold4_room7_mix00{n}": p for n, p in enumerate(predictions.values())}
    assert try_on_groups(INTERFACE, renamed, dict(zip(renamed, references.values(), strict=True))) is None


def test_frame_wise_f_of_the_classes_that_sound() -> None:
    active = np.array([[1, 1, 0], [1, 0, 1], [0, 0, 0]], bool)
    presence = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]], bool)
    assert macro_f(active, presence) == pytest.approx(2 / 3)
    assert macro_f(active, np.zeros((3, 3), bool)) == 0.0
