"""Where a run began: the weights it started from, and the teachers it hears."""

import hashlib
from pathlib import Path

from edgeseld.core.errors import ConfigError, TrainingError
from edgeseld.core.locate import MODEL_FILE
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import Frozen, read_json, read_toml
from edgeseld.nn.weights import WEIGHTS_FILE

ORIGIN_FILE = "origin.json"


class Origin(Frozen, frozen=True, kw_only=True):
    """Models by id and the start of the hash of their weights, as `signature` gives them."""

    started_from: str | None = None
    teachers: tuple[str, ...] = ()


FROM_NOTHING = Origin()


def origin_of(init_from: Path | None, teachers: tuple[str, ...] = ()) -> Origin:
    """The origin of a run that starts from the weights in a folder, or from its seed alone."""
    return Origin(started_from=None if init_from is None else signature(init_from), teachers=teachers)


def signature(folder: Path) -> str:
    """Id and start of the hash of the weights in a folder; ConfigError where there are none."""
    for name in (MODEL_FILE, WEIGHTS_FILE):
        if not (folder / name).is_file():
            raise ConfigError(f"no {name} in {folder}: point at a folder that holds {MODEL_FILE} and {WEIGHTS_FILE}")
    digest = hashlib.sha256((folder / WEIGHTS_FILE).read_bytes()).hexdigest()
    return f"{read_toml(folder / MODEL_FILE, ModelFile).id} {digest[:16]}"


def require_same_origin(run: Path, origin: Origin) -> None:
    """TrainingError where a run that is resumed began otherwise."""
    path = run / ORIGIN_FILE
    before = read_json(path, Origin) if path.exists() else FROM_NOTHING
    if before.teachers != origin.teachers:
        raise TrainingError(
            f"--resume needs the teachers that the run was started with, {', '.join(before.teachers) or 'none'}; got "
            f"{', '.join(origin.teachers) or 'none'}: name those"
        )
    if before.started_from != origin.started_from:
        raise TrainingError(
            f"--resume needs the --init-from that the run was started with, {before.started_from or 'none'}; got "
            f"{origin.started_from or 'none'}: name that"
        )
