"""edgeseld infer with a released model: what it writes, what it refuses, and what it leaves behind when it fails."""

import errno
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile
import soxr

from edgeseld.cli import main
from edgeseld.core.events import EventList
from edgeseld.metrics.label_files import read_labels
from edgeseld.metrics.rules import RULES
from tests.conftest import ROOT

MODEL = "student-xs"
BUNDLE = ROOT / "models" / MODEL / "bundles" / f"{MODEL}-onnx-fp32.seld.zip"
SCENE = ROOT / "examples" / "sample_scene.wav"


# Arguments of `edgeseld infer` to exit code, stdout and stderr.
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """`edgeseld infer` in this process."""

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(["infer", *map(str, arguments)])
        captured = capsys.readouterr()
        return int(stopped.value.code or 0), captured.out, captured.err

    return call


def events(output: str) -> EventList:
    return msgspec.json.decode(output, type=EventList)


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    audio, rate = soundfile.read(SCENE, dtype="float32")
    assert rate == 24_000
    return audio


def test_events_as_json_and_table(run: Run) -> None:
    code, out, _ = run(MODEL, SCENE, "--json")
    heard = events(out)
    assert code == 0
    assert heard.model == MODEL
    assert heard.events
    assert all(0.0 <= event.onset_s < event.offset_s <= heard.duration_s for event in heard.events)
    code, out, _ = run(MODEL, SCENE)
    assert code == 0
    assert f"{len(heard.events)} event" in out
    assert heard.events[0].class_name in out


def test_id_zip_and_folder_hear_the_same(run: Run, tmp_path: Path) -> None:
    with zipfile.ZipFile(BUNDLE) as archive:
        archive.extractall(tmp_path)
    outputs = [run(model, SCENE, "--json") for model in (MODEL, BUNDLE, tmp_path / BUNDLE.stem)]
    assert outputs[0][0] == 0
    assert outputs[0] == outputs[1] == outputs[2]


def test_csv_is_the_dcase_form_and_the_plot_a_picture(run: Run, tmp_path: Path) -> None:
    import matplotlib.image

    csv, plot = tmp_path / "heard.csv", tmp_path / "heard.png"
    assert run(MODEL, SCENE, "--csv", csv, "--plot", plot)[0] == 0
    labels = read_labels(csv, RULES["dcase2023"], "prediction")
    assert len(labels.frame) > 0
    assert matplotlib.image.imread(plot).std() > 0.05


def test_other_rates_and_formats_hear_the_same_sounds(run: Run, scene: np.ndarray, tmp_path: Path) -> None:
    expected = {event.class_name for event in events(run(MODEL, SCENE, "--json")[1]).events}
    for rate, suffix in ((48_000, "flac"), (44_100, "wav"), (48_000, "ogg")):
        path = tmp_path / f"{rate}.{suffix}"
        soundfile.write(path, soxr.resample(scene, 24_000, rate), rate)
        code, out, err = run(MODEL, path, "--json")
        assert code == 0, err
        heard = {event.class_name for event in events(out).events}
        assert len(heard & expected) >= 0.75 * len(expected)


def test_fuma_order_is_turned_round(run: Run, scene: np.ndarray, tmp_path: Path) -> None:
    fuma = scene[:, [0, 3, 1, 2]] * np.array([0.5**0.5, 1.0, 1.0, 1.0], np.float32)
    soundfile.write(tmp_path / "fuma.wav", fuma, 24_000, subtype="FLOAT")
    soundfile.write(tmp_path / "acn.wav", scene, 24_000, subtype="FLOAT")
    ours = events(run(MODEL, tmp_path / "fuma.wav", "--json", "--foa-order", "fuma")[1])
    theirs = events(run(MODEL, tmp_path / "acn.wav", "--json")[1])
    assert [(e.class_name, e.onset_s, e.offset_s) for e in ours.events] == [
        (e.class_name, e.onset_s, e.offset_s) for e in theirs.events
    ]


def test_uncertainty_is_seeded(run: Run) -> None:
    first, again, other = (run(MODEL, SCENE, "--json", "--mc-samples", 4, "--seed", seed) for seed in (1, 1, 2))
    assert first == again
    assert first[1] != other[1]
    assert all(event.uncertainty is not None for event in events(first[1]).events)


def test_silence_is_heard_as_nothing(run: Run, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros((48_000, 4)), 24_000)
    code, out, _ = run(MODEL, tmp_path / "silence.wav", "--json")
    assert code == 0
    assert json.loads(out)["events"] == []


def nan_file(path: Path) -> None:
    audio = np.zeros((4_800, 4), np.float32)
    audio[100, 2] = np.nan
    soundfile.write(path, audio, 24_000, subtype="FLOAT")


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("two.wav", lambda path: soundfile.write(path, np.zeros((4_800, 2)), 24_000), "needs 4 channels, got 2"),
        ("nan.wav", nan_file, "samples must be finite, got 1"),
        ("empty.wav", lambda path: path.write_bytes(b""), "empty.wav"),
        ("none.wav", lambda path: soundfile.write(path, np.zeros((0, 4)), 24_000), "at least one sample, got none"),
        ("cut.wav", lambda path: path.write_bytes(SCENE.read_bytes()[:60_000]), "cut.wav"),
        ("text.wav", lambda path: path.write_text("I am no sound"), "text.wav"),
        ("missing.wav", lambda path: None, "missing.wav"),
    ],
)
def test_what_cannot_be_heard_gets_one_line(
    run: Run, tmp_path: Path, name: str, make: Callable[[Path], object], message: str
) -> None:
    path = tmp_path / name
    make(path)
    before = sorted(tmp_path.iterdir())
    code, out, err = run(MODEL, path, "--csv", tmp_path / "out.csv", "--plot", tmp_path / "out.png")
    assert code == 1
    assert out == ""
    assert err.startswith("error: ")
    assert len(err.splitlines()) == 1
    assert message in err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["student-xxl", SCENE], 1, "ids here: "),
        ([MODEL, SCENE, "--backend", "tpu"], 2, "'onnx', 'tflite'"),
        ([MODEL, SCENE, "--time-shifts", "2"], 1, "odd"),
        ([MODEL, SCENE, "--precision", "int4"], 1, "no released bundle student-xs-onnx-int4"),
        ([MODEL], 2, "Missing argument 'AUDIO'"),
    ],
)
def test_wrong_wishes_are_explained(run: Run, arguments: list[object], code: int, message: str) -> None:
    found, out, err = run(*arguments)
    assert (found, out) == (code, "")
    assert message in err


def test_a_full_disk_leaves_nothing(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", no_space)
    monkeypatch.setattr(Path, "write_text", no_space)
    code, _, err = run(MODEL, SCENE, "--csv", tmp_path / "out.csv")
    assert code == 1
    assert f"no space left on the disk of {tmp_path}" in err
    assert not list(tmp_path.iterdir())
