"""Teachers as one model: what `python -m benchmarks.teachers` scores."""

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.teachers import ensemble
from edgeseld.core.errors import TrainingError
from edgeseld.core.recipe import ModelFile
from edgeseld.core.spec import HeadSpec, SignalSpec
from edgeseld.core.structs import to_toml
from edgeseld.nn.network import SeldNetwork
from edgeseld.nn.weights import WEIGHTS_FILE, save_weights
from edgeseld.runtime.model import load
from tests.train.conftest import RECIPE

AUDIO = np.random.default_rng(0).normal(0.0, 0.1, (4, 60_000)).astype(np.float32)


def write_model(folder: Path, seed: int, n_fft: int = 512, head: HeadSpec | None = None) -> Path:
    """A network with random weights in which every parameter matters."""
    folder.mkdir()
    spec = ModelFile(
        id=folder.name,
        version="0.0.1",
        description="for tests",
        signal=SignalSpec(n_fft=n_fft, window_samples=n_fft, mel_bands=16, window_frames=10),
        network=RECIPE.network,
        head=head or RECIPE.head,
        train=RECIPE.train,
    )
    torch.manual_seed(seed)
    network = SeldNetwork(spec)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    (folder / "model.toml").write_bytes(to_toml(spec))
    save_weights(network, folder / WEIGHTS_FILE)
    return folder


def test_one_teacher_that_is_heard_once_is_the_model(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "one", seed=1)
    alone, taught = load(folder, backend="torch").predict(AUDIO), ensemble([folder], turns=1).predict(AUDIO)
    np.testing.assert_allclose(taught.activity, alone.activity, atol=1e-5)
    np.testing.assert_allclose(taught.direction, alone.direction, atol=1e-3)


def test_frontends_of_other_lengths_hear_windows_that_end_together(tmp_path: Path) -> None:
    short, long = write_model(tmp_path / "short", 1, n_fft=512), write_model(tmp_path / "long", 1, n_fft=1024)
    both = ensemble([short, long], turns=1)
    assert both.interface.context_samples == ensemble([long], turns=1).interface.context_samples
    twice = ensemble([short, short, long], turns=1).predict(AUDIO).activity
    alone = ensemble([short], turns=1).predict(AUDIO).activity
    # The more often a teacher is named, the nearer is the mean to it.
    mixed = both.predict(AUDIO).activity
    assert 0.0 < np.abs(twice - alone).mean() < np.abs(mixed - alone).mean()


def test_teachers_that_cannot_be_averaged_are_refused(tmp_path: Path) -> None:
    tracks = write_model(tmp_path / "tracks", 1)
    branches = write_model(tmp_path / "branches", 1, head=HeadSpec(hidden=8, format="sed-doa"))
    with pytest.raises(TrainingError, match="share channels, windows and the format multi-accdoa"):
        ensemble([tracks, branches], turns=1)
