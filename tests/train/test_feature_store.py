"""Stored features: those of the frontend, for scenes of any length and every data set, in one run or several."""

import multiprocessing
import os
import signal as signals
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from edgeseld.core.errors import AudioFormatError, DataError
from edgeseld.core.spec import ChannelFormat, SignalSpec
from edgeseld.data.layout import SceneFiles
from edgeseld.nn.frontend import Frontend
from edgeseld.signal.audio import read_audio
from edgeseld.train import feature_building, feature_store
from edgeseld.train.feature_building import scene_features
from edgeseld.train.feature_store import FOLDER, open_store
from tests.data.made_sets import maestro, plain, stereo2025, write_text, write_wav
from tests.train.conftest import RECIPE, write_scenes

SMALL = RECIPE.signal


def lengths(root: Path, *seconds: float) -> Path:
    """Scenes of these lengths in the STARSS layout."""
    for scene, length in enumerate(seconds):
        key = f"dev-train-tau/fold3_room1_mix{scene:03d}"
        write_wav(root / f"foa_dev/{key}.wav", 4, length)
        write_text(root / f"metadata_dev/{key}.csv", "0,1,0,30,0,150\n")
    return root


def test_stored_features_are_those_of_the_frontend(tmp_path: Path) -> None:
    root = write_scenes(tmp_path / "scenes", 2)
    store = open_store(root, SMALL)
    audio = read_audio(root / "foa_dev" / "dev-train-made" / "fold3_room1_mix001.npy", "foa")
    expected = scene_features(audio, Frontend(SMALL)).numpy()[:, 50:100]
    np.testing.assert_allclose(store.window(1, 10, 10), expected, atol=0.01)
    assert open_store(root, SMALL).index == store.index


@pytest.mark.parametrize("samples", [1, 2_399, 120_000, 120_001, 300_123])
def test_features_in_pieces_are_those_of_the_whole(samples: int) -> None:
    audio = np.random.default_rng(0).uniform(-0.3, 0.3, (4, samples)).astype(np.float32)
    extractor = Frontend(SMALL)
    features = scene_features(audio, extractor)
    frames = max(-(-samples // 2_400), SMALL.window_frames)
    padded = np.zeros((1, 4, SMALL.context_samples + 2_400 * frames), np.float32)
    padded[0, :, SMALL.context_samples :][:, :samples] = audio
    with torch.no_grad():
        whole = extractor.features(torch.from_numpy(padded))[0]
    torch.testing.assert_close(features, whole, atol=1e-6, rtol=1e-6)


def test_scenes_of_many_lengths_lie_in_a_row(tmp_path: Path) -> None:
    root = lengths(tmp_path, 0.3, 2.25, 1.0, 7.31)
    store = open_store(root, SMALL)
    # A scene shorter than the window of 10 frames is padded; a started frame counts.
    assert store.index.label_frames == (10, 23, 10, 74)
    assert store.first_frames.tolist() == [0, 10, 33, 43]
    extractor = Frontend(SMALL)
    for scene, name in enumerate(store.names):
        audio = read_audio(root / f"foa_dev/dev-train-tau/{name}.wav", "foa")
        expected = scene_features(audio, extractor).half().numpy()
        assert (store.window(scene, 0, store.index.label_frames[scene]) == expected).all()


def test_statistics_are_those_of_the_stored_features(tmp_path: Path) -> None:
    store = open_store(lengths(tmp_path, 1.5, 3.0), SMALL)
    values = store.features.astype(np.float64)
    assert np.array(store.index.mean) == pytest.approx(values.mean(axis=0), abs=1e-5)
    assert np.array(store.index.std) == pytest.approx(np.maximum(values.std(axis=0), 1e-3), abs=1e-5)


def test_a_part_has_its_own_store(tmp_path: Path) -> None:
    root = lengths(tmp_path, 1.0, 2.0)
    write_wav(root / "foa_dev/dev-test-sony/fold4_room2_mix001.wav", 4, 3.0)
    write_text(root / "metadata_dev/dev-test-sony/fold4_room2_mix001.csv", "")
    assert open_store(root, SMALL, part="dev-train").index.label_frames == (10, 20)
    assert open_store(root, SMALL, part="dev-test").names == ("fold4_room2_mix001",)


@pytest.mark.parametrize(
    ("make", "channel_format", "frames"),
    [(stereo2025, "stereo", (10, 10)), (maestro, "stereo", (30,)), (maestro, "mono", (30,)), (plain, "foa", (10, 12))],
)
def test_every_data_set(tmp_path: Path, make: object, channel_format: ChannelFormat, frames: tuple[int, ...]) -> None:
    spatial = "band-intensity" if channel_format == "foa" else "band-phase" if channel_format == "stereo" else "none"
    signal = SignalSpec(
        channel_format=channel_format,
        spatial=spatial,
        n_fft=512,
        window="tapered",
        window_samples=512,
        window_frames=10,
    )
    store = open_store(make(tmp_path), signal)  # type: ignore[operator]
    assert store.index.label_frames == frames
    assert np.isfinite(store.features).all()
    assert len(store.targets) == len(store.labels) == len(frames)


def test_distances_reach_the_targets(tmp_path: Path) -> None:
    store = open_store(lengths(tmp_path, 1.0), SMALL)
    assert store.targets[0].values[0].tolist() == pytest.approx([1, 3**0.5 / 2, 0.5, 0, 1.5])


class Killed(Exception):
    """The run ends here."""


@pytest.mark.parametrize("killed_at", [0, 1, 3])
def test_a_broken_computation_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    broken, whole = lengths(tmp_path / "broken", 1.0, 0.5, 2.0, 1.5), lengths(tmp_path / "whole", 1.0, 0.5, 2.0, 1.5)

    def dying(scenes: Iterable[SceneFiles], total: int, description: str) -> Iterator[SceneFiles]:
        for number, scene in enumerate(scenes):
            if number == killed_at:
                raise Killed
            yield scene

    with pytest.raises(Killed):
        open_store(broken, SMALL, dying)
    computed: list[SceneFiles] = []

    def watching(scenes: Iterable[SceneFiles], total: int, description: str) -> Iterator[SceneFiles]:
        assert (total, description) == (4 - killed_at, "features of broken")
        for scene in scenes:
            computed.append(scene)
            yield scene

    resumed, expected = open_store(broken, SMALL, watching), open_store(whole, SMALL)
    assert len(computed) == 4 - killed_at
    assert (resumed.features == expected.features).all()
    assert resumed.index == expected.index
    assert {path.suffix for path in (broken / FOLDER).iterdir()} == {".f16", ".json", ".lock"}


@pytest.mark.parametrize("damage", ["torn journal", "torn features", "altered features", "no journal", "no features"])
def test_what_a_killed_run_left_half_written_is_computed_again(tmp_path: Path, damage: str) -> None:
    broken, whole = lengths(tmp_path / "broken", 1.0, 0.5, 2.0), lengths(tmp_path / "whole", 1.0, 0.5, 2.0)

    def dying(scenes: Iterable[SceneFiles], total: int, description: str) -> Iterator[SceneFiles]:
        for number, scene in enumerate(scenes):
            if number == 2:
                raise Killed
            yield scene

    with pytest.raises(Killed):
        open_store(broken, SMALL, dying)
    (growing,), (journal,) = (list((broken / FOLDER).glob(f"*{suffix}")) for suffix in (".growing", ".journal"))
    content = growing.read_bytes()
    if damage == "torn journal":
        journal.write_bytes(journal.read_bytes()[:-5])
    elif damage == "torn features":
        growing.write_bytes(content[:-1])
    elif damage == "altered features":
        growing.write_bytes(content[:100] + bytes(100) + content[200:])
    else:
        (journal if damage == "no journal" else growing).unlink()
    assert (open_store(broken, SMALL).features == open_store(whole, SMALL).features).all()


def _compute_until_killed(root: str) -> None:
    def dying(scenes: Iterable[SceneFiles], total: int, description: str) -> Iterator[SceneFiles]:
        for number, scene in enumerate(scenes):
            if number == 2:
                os.kill(os.getpid(), signals.SIGKILL)
            yield scene

    open_store(Path(root), SMALL, dying)


@pytest.mark.slow
def test_a_killed_process_leaves_no_store_and_frees_its_lock(tmp_path: Path) -> None:
    broken, whole = lengths(tmp_path / "broken", 1.0, 0.5, 2.0), lengths(tmp_path / "whole", 1.0, 0.5, 2.0)
    process = multiprocessing.get_context("spawn").Process(target=_compute_until_killed, args=(str(broken),))
    process.start()
    process.join()
    assert process.exitcode == -signals.SIGKILL
    assert not list((broken / FOLDER).glob("*.json"))
    assert (open_store(broken, SMALL).features == open_store(whole, SMALL).features).all()


def test_a_run_killed_after_its_last_scene_computes_nothing_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = lengths(tmp_path, 1.0, 0.5)

    def killed(features: object) -> None:
        raise Killed

    monkeypatch.setattr(feature_store, "_statistics", killed)
    with pytest.raises(Killed):
        open_store(root, SMALL)
    monkeypatch.undo()
    monkeypatch.setattr(feature_building, "scene_features", killed)
    assert open_store(root, SMALL).index.label_frames == (10, 10)


def test_the_number_of_threads_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stores = []
    for count in (1, 3):
        monkeypatch.setattr(feature_building.os, "cpu_count", lambda count=count: count)
        stores.append(open_store(lengths(tmp_path / str(count), 1.0, 0.5, 2.0, 1.5, 3.0), SMALL))
    assert (stores[0].features == stores[1].features).all()
    assert torch.get_num_threads() == 1


def test_a_recording_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    root = lengths(tmp_path, 1.0, 1.0)
    path = root / "foa_dev/dev-train-tau/fold3_room1_mix001.wav"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(AudioFormatError, match=r"fold3_room1_mix001\.wav: the file must be as long"):
        open_store(root, SMALL)
    write_wav(path, 4, 1.0)
    assert open_store(root, SMALL).index.label_frames == (10, 10)


def test_labels_are_checked_before_features_are_computed(tmp_path: Path) -> None:
    root = lengths(tmp_path, 1.0)
    write_text(root / "metadata_dev/dev-train-tau/fold3_room1_mix000.csv", "0,13,0,30,0,150\n")
    with pytest.raises(DataError, match=r"a class must be in 0\.\.12, got 13"):
        open_store(root, SMALL)
    assert not (root / FOLDER).exists()


def test_a_new_recording_gets_a_new_store(tmp_path: Path) -> None:
    root = lengths(tmp_path, 1.0)
    open_store(root, SMALL)
    write_wav(root / "foa_dev/dev-train-tau/fold3_room1_mix000.wav", 4, 2.0)
    assert open_store(root, SMALL).index.label_frames == (20,)
