"""Windows cut in a device's memory are those that are read from disk."""

from pathlib import Path

import msgspec
import pytest
import torch

from edgeseld.train.batches import Batch, Place
from edgeseld.train.feature_store import FeatureStore, open_store, without_progress
from edgeseld.train.taught_windows import TaughtWindows
from edgeseld.train.teacher_store import open_taught, same_scenes
from edgeseld.train.teachers import load_teacher
from edgeseld.train.windows import RandomWindows
from tests.train.conftest import RECIPE, write_scenes
from tests.train.test_distill import TEACHER, write_teacher

CPU = torch.device("cpu")


def assert_equal(one: Batch, other: Batch) -> None:
    assert one.places == other.places
    for name in ("features", "target"):
        assert torch.equal(getattr(one, name), getattr(other, name)), name
    assert set(one.taught) == set(other.taught)
    for name in one.taught:
        torch.testing.assert_close(one.taught[name], other.taught[name], rtol=0, atol=0)
    for mine, theirs in zip(one.heard, other.heard, strict=True):
        assert torch.equal(mine, theirs)


@pytest.fixture
def stores(scenes: Path, tmp_path: Path) -> list[FeatureStore]:
    """A set with some of its scenes left out, in another order, and one whose scenes are longer."""
    longer = write_scenes(tmp_path / "longer", 2, seconds=4)
    return [open_store(scenes, RECIPE.signal).select([4, 0, 3]), open_store(longer, RECIPE.signal)]


def make_windows(stores: list[FeatureStore]) -> RandomWindows:
    return RandomWindows(stores, 13, batch_size=16, steps=4, seed=3, balanced_share=0.5)


def test_batches_are_the_same(stores: list[FeatureStore]) -> None:
    on_disk, kept = make_windows(stores), make_windows(stores)
    kept.move_to(CPU)
    for step in range(4):
        assert_equal(on_disk.batch(step), kept.batch(step))


def test_the_last_window_of_every_scene_ends_with_it(stores: list[FeatureStore]) -> None:
    on_disk, kept = make_windows(stores), make_windows(stores)
    kept.move_to(CPU)
    places = [Place(0, 2, 20), Place(1, 0, 0), Place(1, 1, 30)]
    assert_equal(on_disk.load(places), kept.load(places))


@pytest.mark.parametrize("live", [False, True])
def test_so_is_what_teachers_said_and_hear(scenes: Path, tmp_path: Path, live: bool) -> None:
    store = open_store(scenes, RECIPE.signal)
    # A longer window than the student's: its scenes of three seconds are padded, the teacher's are not.
    longer = msgspec.structs.replace(RECIPE.signal, window_frames=40)
    padded = open_store(scenes, longer)
    teachers = [
        load_teacher(write_teacher(tmp_path / f"t{seed}", open_store(scenes, TEACHER.signal), seed=seed))
        for seed in (1, 2)
    ]
    student = store if live else padded
    pair = []
    for _ in range(2):
        windows = TaughtWindows([student], 13, batch_size=4, steps=4, seed=0)
        heard = [same_scenes(student, open_store(scenes, teacher.spec.signal)) for teacher in teachers]
        if live:
            windows.heard = [[of_teacher] for of_teacher in heard]
        else:
            windows.taught = [[open_taught(t, s, without_progress)] for t, s in zip(teachers, heard, strict=True)]
        pair.append(windows)
    pair[1].move_to(CPU)
    for step in range(4):
        assert_equal(pair[0].batch(step), pair[1].batch(step))


def test_windows_stay_on_disk_where_memory_is_short(
    stores: list[FeatureStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = make_windows(stores)
    workers = windows.workers = 3
    frames = 3 * 30 + 2 * 40
    # 7 maps of 16 bands at 50 hops a second in half precision, and 6 slots of 5 values of 13 classes.
    assert windows.resident_bytes == frames * (5 * 7 * 16 * 2 + 6 * 5 * 13 * 4)
    free = 2 * windows.resident_bytes
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, free))
    windows.keep_on(CPU)
    assert windows.features is None
    assert windows.workers == workers
    free += 2
    windows.keep_on(CPU)
    assert windows.features is not None
    assert windows.workers == 0
