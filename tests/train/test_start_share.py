"""Weights of the end averaged with those of the start (WiSE-FT)."""

from pathlib import Path

import msgspec
import pytest
import torch
from safetensors.torch import load_file

from edgeseld.core.errors import TrainingError
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import read_toml, to_toml
from edgeseld.nn.weights import WEIGHTS_FILE, load_network
from edgeseld.train.feature_store import open_store
from edgeseld.train.supervised import Sources, train
from edgeseld.train.task import SeldTask, scored
from edgeseld.train.validation import ValidationScenes
from tests.train.conftest import RECIPE, PowerCut, recipe_file


@pytest.fixture
def start(scenes: Path, tmp_path: Path) -> Path:
    """A run of another seed."""
    train(recipe_file(tmp_path, seed=5), Sources((scenes,), scenes), tmp_path / "start")
    return tmp_path / "start"


def trained(scenes: Path, tmp_path: Path, start: Path, share: float, name: str) -> dict[str, torch.Tensor]:
    recipe = recipe_file(tmp_path, start_share=share)
    train(recipe, Sources((scenes,), scenes), tmp_path / name, init_from=start)
    return load_file(tmp_path / name / WEIGHTS_FILE)


def test_the_end_is_averaged_with_the_start(scenes: Path, tmp_path: Path, start: Path) -> None:
    began = load_file(start / WEIGHTS_FILE)
    plain = trained(scenes, tmp_path, start, 0.0, "plain")
    quarter = trained(scenes, tmp_path, start, 0.25, "quarter")
    assert not all(torch.equal(tensor, began[name]) for name, tensor in plain.items())
    for name, tensor in quarter.items():
        if tensor.is_floating_point():
            torch.testing.assert_close(tensor, 0.75 * plain[name] + 0.25 * began[name])
        else:
            assert torch.equal(tensor, plain[name])


def test_a_share_of_one_is_the_start(scenes: Path, tmp_path: Path, start: Path) -> None:
    began = load_file(start / WEIGHTS_FILE)
    for name, tensor in trained(scenes, tmp_path, start, 1.0, "whole").items():
        assert not tensor.is_floating_point() or torch.equal(tensor, began[name]), name


def test_the_scores_are_those_of_the_average(scenes: Path, tmp_path: Path, start: Path) -> None:
    results = train(
        recipe_file(tmp_path, start_share=0.5), Sources((scenes,), scenes), tmp_path / "run", init_from=start
    )
    spec = read_toml(tmp_path / "run" / "model.toml", ModelFile)
    network = load_network(spec, tmp_path / "run" / WEIGHTS_FILE)
    task = SeldTask(network, spec, ValidationScenes([open_store(scenes, spec.signal)], spec, spec.train.batch_size))
    assert results.validation == scored(task)


def test_a_broken_run_ends_with_the_average_of_an_unbroken_one(
    scenes: Path, tmp_path: Path, start: Path, power_cut: PowerCut
) -> None:
    whole = trained(scenes, tmp_path, start, 0.5, "whole")
    recipe = recipe_file(tmp_path, start_share=0.5)
    with power_cut(at_step=5):
        train(recipe, Sources((scenes,), scenes), tmp_path / "broken", init_from=start)
    train(recipe, Sources((scenes,), scenes), tmp_path / "broken", init_from=start, resume=True)
    resumed = load_file(tmp_path / "broken" / WEIGHTS_FILE)
    assert all(torch.equal(tensor, resumed[name]) for name, tensor in whole.items())


def test_a_start_that_is_no_whole_model_is_refused(scenes: Path, tmp_path: Path, start: Path) -> None:
    recipe = recipe_file(tmp_path, start_share=0.5)
    with pytest.raises(TrainingError, match=r"--init-from names, got none, of which 0 of \d+ tensors fit"):
        train(recipe, Sources((scenes,), scenes), tmp_path / "none")
    wider = msgspec.structs.replace(RECIPE, head=msgspec.structs.replace(RECIPE.head, hidden=12))
    wider = msgspec.structs.replace(wider, train=msgspec.structs.replace(wider.train, start_share=0.5))
    recipe.write_bytes(to_toml(wider))
    with pytest.raises(TrainingError, match=r"name one of this shape, or set start_share = 0"):
        train(recipe, Sources((scenes,), scenes), tmp_path / "wider", init_from=start)
    assert not (tmp_path / "wider").exists()
