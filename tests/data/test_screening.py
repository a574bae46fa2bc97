"""Clips that a first model does not recognise stay out of training."""

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edgeseld.core.errors import AudioFormatError
from edgeseld.core.prediction import Prediction
from edgeseld.data.synth.manifest import read_manifest
from edgeseld.data.synth.screening import screen_clips

ROWS = [("a1.wav", "bell", "a"), ("a2.wav", "bell", "a"), ("b1.wav", "bell", "b"), ("c1.wav", "phone", "c")]


class Loudness:
    """Hears a bell as sure as a clip is long in seconds."""

    def predict(self, audio: np.ndarray) -> Prediction:
        assert audio.shape[0] == 4
        assert np.sqrt(np.square(audio[0]).mean()) == pytest.approx(0.05, rel=0.01)
        np.testing.assert_allclose(audio[[0, 3]], audio[[3, 0]])
        activity = np.full((1, 1, 1), audio.shape[1] / 24_000, np.float32)
        return Prediction(activity=activity, direction=np.zeros((1, 1, 1, 3), np.float32), classes=("bell",))


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    folder = tmp_path / "sounds"
    folder.mkdir()
    for seconds, (name, _, _) in zip((0.9, 0.1, 0.2, 0.5), ROWS, strict=True):
        noise = np.random.default_rng(0).uniform(-0.01, 0.01, round(seconds * 24_000))
        soundfile.write(folder / name, noise, 24_000)
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file", "class", "split_group"), *ROWS])
    return folder


def screened(sounds: Path, output: Path, least: float) -> tuple[int, int]:
    return screen_clips(sounds, Loudness(), "foa", output, least, lambda items, total, text: items)


def test_a_clip_that_is_not_heard_goes_and_the_best_of_a_group_stays(sounds: Path, tmp_path: Path) -> None:
    assert screened(sounds, tmp_path / "out", 0.5) == (3, 4)
    kept = read_manifest(tmp_path / "out")
    # a2 is not heard; b1 is the best of its group; the model knows no phones.
    assert [recording.file for recording in kept.recordings] == ["a1.wav", "b1.wav", "c1.wav"]
    assert (tmp_path / "out" / "a1.wav").read_bytes() == (sounds / "a1.wav").read_bytes()
    with (tmp_path / "out" / "manifest.csv").open() as file:
        assert [row["score"] for row in csv.DictReader(file)] == ["0.900", "0.200", ""]


def test_with_no_demands_all_stay(sounds: Path, tmp_path: Path) -> None:
    assert screened(sounds, tmp_path / "out", 0.0) == (4, 4)


def test_arrays_are_refused(sounds: Path, tmp_path: Path) -> None:
    with pytest.raises(AudioFormatError, match="take a foa or mono model"):
        screen_clips(sounds, Loudness(), "mic", tmp_path / "out", 0.5, lambda items, total, text: items)
    assert not (tmp_path / "out").exists()
