"""Trainings as users meet them: broken, resumed, refused."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from edgeseld.core.errors import ConfigError, DataError, TrainingError
from edgeseld.core.recipe import TrainSpec
from edgeseld.core.structs import read_json
from edgeseld.nn.weights import WEIGHTS_FILE
from edgeseld.train.run import RESULTS_FILE, TrainingResults
from edgeseld.train.schedule import learning_rate_factor
from edgeseld.train.supervised import train
from edgeseld.train.task import SeldTask
from tests.train.conftest import recipe_file


def test_a_run_leaves_weights_and_results(scenes: Path, tmp_path: Path) -> None:
    results = train(recipe_file(tmp_path), [scenes], scenes, tmp_path / "run")
    assert results == read_json(tmp_path / "run" / RESULTS_FILE, TrainingResults)
    assert results.steps == 8
    # Eight steps of two windows of one second.
    assert results.hours_seen == round(16 / 3600, 2)
    assert set(results.validation) == {"ER", "F", "LE", "LR", "SELD"}
    assert "frontend.mean" in load_file(tmp_path / "run" / WEIGHTS_FILE)


@pytest.mark.parametrize("broken_at", [1, 5])
def test_a_broken_run_resumes_to_the_weights_of_an_unbroken_one(
    scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken_at: int
) -> None:
    recipe = recipe_file(tmp_path)
    train(recipe, [scenes], scenes, tmp_path / "whole")
    step = SeldTask.training_step

    def breaking_step(task: SeldTask, batch: object, index: int) -> torch.Tensor:
        if task.global_step == broken_at:
            raise OSError("power cut")
        return step(task, batch, index)  # type: ignore[arg-type]

    monkeypatch.setattr(SeldTask, "training_step", breaking_step)
    with pytest.raises(OSError, match="power cut"):
        train(recipe, [scenes], scenes, tmp_path / "broken")
    monkeypatch.undo()
    train(recipe, [scenes], scenes, tmp_path / "broken", resume=True)
    whole = torch.load(tmp_path / "whole" / "checkpoints" / "last.ckpt", weights_only=True)
    resumed = torch.load(tmp_path / "broken" / "checkpoints" / "last.ckpt", weights_only=True)
    assert whole["global_step"] == resumed["global_step"] == 8
    for name, tensor in whole["current_model_state"].items():
        assert torch.equal(tensor, resumed["current_model_state"][name]), name
    assert (tmp_path / "whole" / WEIGHTS_FILE).read_bytes() == (tmp_path / "broken" / WEIGHTS_FILE).read_bytes()


def test_a_loss_that_is_not_finite_names_step_and_scenes(scenes: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"got nan at step \d.*fold3_room1_mix00\d at"):
        train(recipe_file(tmp_path, learning_rate=1e30, steps=8), [scenes], scenes, tmp_path / "run")


def test_a_folder_that_holds_a_run_is_not_written_over(scenes: Path, tmp_path: Path) -> None:
    recipe = recipe_file(tmp_path, steps=2, warmup_steps=1)
    train(recipe, [scenes], scenes, tmp_path / "run")
    with pytest.raises(TrainingError, match="continue it with --resume"):
        train(recipe, [scenes], scenes, tmp_path / "run")


def test_resuming_needs_a_run_and_its_recipe(scenes: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="leave it out"):
        train(recipe_file(tmp_path), [scenes], scenes, tmp_path / "run", resume=True)
    train(recipe_file(tmp_path, steps=2, warmup_steps=1), [scenes], scenes, tmp_path / "run")
    with pytest.raises(TrainingError, match="differs: restore it"):
        train(recipe_file(tmp_path, seed=5), [scenes], scenes, tmp_path / "run", resume=True)


def test_wrong_recipe_keys_are_named(scenes: Path, tmp_path: Path) -> None:
    recipe = recipe_file(tmp_path)
    recipe.write_text(recipe.read_text().replace("batch_size", "batchsize"))
    with pytest.raises(ConfigError, match=r"unknown field `batchsize`.*did you mean 'batch_size'"):
        train(recipe, [scenes], scenes, tmp_path / "run")


def test_data_without_labels_is_refused(scenes: Path, tmp_path: Path) -> None:
    for path in (scenes / "metadata_dev" / "dev-train-made").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="labels"):
        train(recipe_file(tmp_path), [scenes], scenes, tmp_path / "run")


def test_windows_depend_on_seed_and_step_alone(scenes: Path, tmp_path: Path) -> None:
    from edgeseld.core.recipe import ModelFile
    from edgeseld.core.structs import read_toml
    from edgeseld.train.feature_store import open_store
    from edgeseld.train.supervised import random_windows

    spec = read_toml(recipe_file(tmp_path), ModelFile)
    store = open_store(scenes, spec.signal)
    one, other = random_windows([store], spec), random_windows([store], spec)
    one.batch(3)
    assert torch.equal(one.batch(5).features, other.batch(5).features)
    assert one.batch(5).places != one.batch(6).places


def test_schedules_rise_hold_and_fall() -> None:
    cosine = TrainSpec(steps=100, warmup_steps=10)
    assert [learning_rate_factor(step, cosine) for step in (0, 9, 10, 55, 100)] == pytest.approx([0.1, 1, 1, 0.5, 0])
    tri = TrainSpec(steps=100, warmup_steps=10, schedule="tri-stage")
    assert [learning_rate_factor(step, tri) for step in (0, 10, 69, 85, 100)] == pytest.approx(
        [0.01, 1, 1, 0.05**0.5, 0.05], rel=1e-6
    )
