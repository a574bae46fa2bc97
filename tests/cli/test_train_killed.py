"""edgeseld train, killed at any moment: the run goes on and ends with the weights of an unbroken one."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from edgeseld.nn.weights import WEIGHTS_FILE
from tests.train.conftest import recipe_file, write_scenes

KILLS = 2


def start(recipe: Path, scenes: Path, output: Path) -> subprocess.Popen[str]:
    resume = ["--resume"] if (output / "model.toml").exists() else []
    arguments = ["train", recipe, "--data", scenes, "--validation", scenes, "--output", output, *resume]
    code = f"from edgeseld.cli import main; main({[str(a) for a in arguments]})"
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process: subprocess.Popen[str]) -> None:
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output


@pytest.mark.slow
def test_kills_at_random_moments_change_nothing(tmp_path: Path) -> None:
    scenes = write_scenes(tmp_path / "scenes", 4)
    # A checkpoint with every step, so that kills meet checkpoints half written.
    recipe = recipe_file(tmp_path, steps=30, validate_every_steps=1, patience=100)
    started = time.monotonic()
    finish(start(recipe, scenes, tmp_path / "whole"))
    whole_s = time.monotonic() - started
    moments = random.Random()
    for _ in range(KILLS):
        process = start(recipe, scenes, tmp_path / "killed")
        time.sleep(moments.uniform(0.4, 0.9) * whole_s)
        process.kill()
        process.communicate()
        for checkpoint in (tmp_path / "killed").glob("checkpoints/*.ckpt"):
            if not checkpoint.name.startswith("."):
                torch.load(checkpoint, weights_only=True)
    if not (tmp_path / "killed" / WEIGHTS_FILE).exists():
        finish(start(recipe, scenes, tmp_path / "killed"))
    assert (tmp_path / "whole" / WEIGHTS_FILE).read_bytes() == (tmp_path / "killed" / WEIGHTS_FILE).read_bytes()
