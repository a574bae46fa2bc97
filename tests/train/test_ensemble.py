"""The ensemble that learns how to weigh its teachers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest
import torch
from torch import Tensor

from edgeseld.core.errors import TrainingError
from edgeseld.core.recipe import DistillSpec
from edgeseld.nn.weights import WEIGHTS_FILE
from edgeseld.train import ensemble
from edgeseld.train.distillation import distill
from edgeseld.train.ensemble import TrackEnsemble, train_ensemble
from edgeseld.train.feature_store import open_store, without_progress
from edgeseld.train.losses import adpit_loss
from edgeseld.train.supervised import Sources
from edgeseld.train.teachers import averaged
from tests.train.test_distill import TEACHER, student_file, write_teacher

FRAMES, CLASSES = 6, 2


def vectors(items: int, seed: int) -> Tensor:
    """Multi-ACCDOA of three tracks, (items, frames, 3, 3, classes), none longer than 1."""
    drawn = torch.rand(items, FRAMES, 3, 3, CLASSES, generator=torch.Generator().manual_seed(seed)) - 0.5
    return drawn.clamp(-0.5, 0.5)


def test_untrained_it_says_the_mean_of_the_aligned_tracks() -> None:
    outputs = [{"accdoa": vectors(4, seed)} for seed in (1, 2, 3)]
    torch.manual_seed(0)
    said = TrackEnsemble(3, 3, CLASSES)(outputs)["accdoa"]
    torch.testing.assert_close(said, averaged(outputs)["accdoa"], rtol=1e-4, atol=1e-5)


def test_distances_are_the_mean() -> None:
    outputs = [
        {"accdoa": torch.cat([vectors(2, 5), torch.full((2, FRAMES, 3, 1, CLASSES), far)], dim=3)} for far in (1.0, 3.0)
    ]
    said = TrackEnsemble(2, 3, CLASSES)(outputs)["accdoa"]
    torch.testing.assert_close(said[:, :, :, 3], torch.full((2, FRAMES, 3, CLASSES), 2.0))


def lesson(step: int) -> tuple[Sequence[Mapping[str, Tensor]], Tensor]:
    """One class sounds somewhere; the first teacher hears it, the second hears nothing at all."""
    generator = torch.Generator().manual_seed(step)
    place = torch.randn(8, 3, generator=generator)
    place = place / place.norm(dim=1, keepdim=True)
    target = torch.zeros(8, FRAMES, 6, 5, CLASSES)
    target[:, :, 0, 0, 0] = 1.0
    target[:, :, 0, 1:4, 0] = place.unsqueeze(1)
    heard = torch.zeros(8, FRAMES, 3, 3, CLASSES)
    heard[..., 0] = 0.9 * place.reshape(8, 1, 1, 3)
    return [{"accdoa": heard}, {"accdoa": torch.zeros_like(heard)}], target


def test_it_learns_whom_to_believe() -> None:
    network = train_ensemble(lesson, "foa", 0, without_progress)
    said, target = lesson(10_000)
    with torch.no_grad():
        trained = adpit_loss(network(said)["accdoa"], target).mean()
    mean = adpit_loss(averaged(said)["accdoa"], target).mean()
    assert trained < 0.1 * mean


def test_the_same_lessons_make_the_same_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensemble, "STEPS", 4)
    one, two = (train_ensemble(lesson, "foa", 3, without_progress).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(
    "said",
    [
        [{"accdoa": vectors(1, 0)}],
        [{"accdoa": vectors(1, 0)}, {"accdoa": vectors(1, 0)[:, :, :1]}],
        [{"accdoa": vectors(1, 0)}, {"activity": torch.zeros(1, FRAMES, CLASSES)}],
    ],
    ids=["one teacher", "other tracks", "no tracks"],
)
def test_what_cannot_be_weighed_is_refused(said: list[dict[str, Tensor]]) -> None:
    with pytest.raises(TrainingError, match="two teachers or more"):
        train_ensemble(lambda step: (said, torch.zeros(1, FRAMES, 6, 5, CLASSES)), "foa", 0, without_progress)


def test_a_student_learns_from_it(scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensemble, "STEPS", 3)
    store = open_store(scenes, TEACHER.signal)
    teachers = [write_teacher(tmp_path / f"teacher-{seed}", store, seed=seed) for seed in (1, 2)]
    weights = []
    for kind in ("mean", "trained"):
        recipe = student_file(tmp_path, DistillSpec(ensemble=kind))  # type: ignore[arg-type]
        distill(recipe, teachers, Sources((scenes,), scenes), tmp_path / kind)
        weights.append((tmp_path / kind / WEIGHTS_FILE).read_bytes())
    assert weights[0] != weights[1]


def test_one_teacher_is_refused_before_it_hears_anything(scenes: Path, tmp_path: Path) -> None:
    teacher = write_teacher(tmp_path / "teacher", open_store(scenes, TEACHER.signal))
    recipe = student_file(tmp_path, DistillSpec(ensemble="trained"))
    with pytest.raises(TrainingError, match=r"two teachers or more, got 1: name another one with --teacher"):
        distill(recipe, [teacher], Sources((scenes,), scenes), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert not list(scenes.glob(".features/*-taught-*"))


def test_it_needs_outputs_that_are_kept() -> None:
    with pytest.raises(ValueError, match=r"set distill\.teacher = 'cached'"):
        msgspec.structs.replace(DistillSpec(), teacher="live", ensemble="trained")
