"""An early exit as a model folder of its own, for everything that takes a model: evaluation, export, benchmarks."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from edgeseld.core.disk import temporary_folder
from edgeseld.core.errors import ConfigError
from edgeseld.core.locate import MODEL_FILE
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import read_toml, to_toml


@contextmanager
def exit_folder(model: Path, exit_name: str | None) -> Iterator[Path]:
    """The folder of a model, or a temporary one whose network ends at an early exit; its id says which.

    ConfigError where the model is a bundle, or has no such exit.
    """
    if exit_name is None:
        yield model
        return
    if not (model / MODEL_FILE).is_file():
        raise ConfigError(f"--exit needs a model id or a training run, got {model}: export the exit from its run")
    spec = read_toml(model / MODEL_FILE, ModelFile)
    if exit_name not in spec.network.exits:
        there = ", ".join(spec.network.exits) or "none"
        raise ConfigError(f"{spec.id} has the exits {there}, got {exit_name!r}: choose one of them")
    network = msgspec.structs.replace(spec.network, exit=exit_name)
    with temporary_folder() as folder:
        spec = msgspec.structs.replace(spec, id=f"{spec.id}-{exit_name}", network=network)
        (folder / MODEL_FILE).write_bytes(to_toml(spec))
        for weights in model.glob("*.safetensors*"):
            (folder / weights.name).symlink_to(weights.resolve())
        yield folder
