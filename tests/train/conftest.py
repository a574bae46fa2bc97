"""A data set of a minute and a network of a few hundred weights: enough to train for real."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
import pytest
import torch

from edgeseld.core.recipe import ModelFile, TrainSpec
from edgeseld.core.spec import ContextSpec, HeadSpec, NetworkSpec, SignalSpec, StageSpec, StemSpec
from edgeseld.core.structs import to_toml
from edgeseld.train.batches import Batch
from edgeseld.train.task import SeldTask

RECIPE = ModelFile(
    id="tiny",
    version="0.0.1",
    description="for tests",
    signal=SignalSpec(n_fft=512, window="tapered", window_samples=512, mel_bands=16, window_frames=10),
    network=NetworkSpec(
        stem=StemSpec(channels=4, kernel=(5, 2), stride=(5, 2)),
        stages=(StageSpec(channels=6, blocks=1, pool=(1, 2)),),
        context=ContextSpec(blocks=1, width=8, heads=2, kernel_frames=3),
    ),
    head=HeadSpec(hidden=8),
    train=TrainSpec(steps=8, batch_size=2, warmup_steps=2, validate_every_steps=2, precision="fp32"),
)


def write_scenes(root: Path, scenes: int, seconds: int = 3) -> Path:
    """Noise from two directions with labels, in the STARSS layout."""
    audio_folder, label_folder = root / "foa_dev" / "dev-train-made", root / "metadata_dev" / "dev-train-made"
    for folder in (audio_folder, label_folder):
        folder.mkdir(parents=True)
    for scene in range(scenes):
        generator = np.random.default_rng(scene)
        gains = np.array([[1.0], [0.5], [0.0], [0.8]])
        audio = gains * generator.normal(0.0, 3000.0, seconds * 24_000)
        np.save(audio_folder / f"fold3_room1_mix{scene:03d}.npy", audio.astype(np.int16))
        rows = [f"{frame},{scene % 13},0,30,0,150\n" for frame in range(5, 25)]
        (label_folder / f"fold3_room1_mix{scene:03d}.csv").write_text("".join(rows))
    return root


class PowerCut(Protocol):
    """A context in which training breaks at a step."""

    def __call__(self, at_step: int) -> AbstractContextManager[None]:
        """Expects the break."""


@pytest.fixture
def power_cut(monkeypatch: pytest.MonkeyPatch) -> PowerCut:
    """Breaks a training at a step, as often as asked."""

    @contextmanager
    def cut(at_step: int) -> Iterator[None]:
        step = SeldTask.training_step

        def breaking_step(task: SeldTask, batch: Batch, index: int) -> torch.Tensor:
            if task.global_step == at_step:
                raise OSError("power cut")
            return step(task, batch, index)

        with monkeypatch.context() as patch:
            patch.setattr(SeldTask, "training_step", breaking_step)
            with pytest.raises(OSError, match="power cut"):
                yield

    return cut


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    """Six scenes of three seconds."""
    return write_scenes(tmp_path / "scenes", 6)


def recipe_file(folder: Path, **changes: object) -> Path:
    """RECIPE on disk with changes to its [train] table."""
    path = folder / "tiny.toml"
    train = msgspec.structs.replace(RECIPE.train, **changes)
    path.write_bytes(to_toml(msgspec.structs.replace(RECIPE, train=train)))
    return path
