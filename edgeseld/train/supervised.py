"""`edgeseld train`: data sets and a recipe in, a trained run out."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

import msgspec
import torch

from edgeseld.core.errors import DataError, TrainingError
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import read_toml
from edgeseld.data.layout import Part, dataset_classes
from edgeseld.data.synth.dataset import Request
from edgeseld.nn.network import SeldNetwork
from edgeseld.nn.weights import WEIGHTS_FILE, load_matching
from edgeseld.train.batches import require_same_signal
from edgeseld.train.feature_store import FeatureStore, Progress, open_store, without_progress
from edgeseld.train.mixed_scenes import MixedWindows, prepare_banks
from edgeseld.train.origin import origin_of
from edgeseld.train.run import TrainingResults, find_checkpoint, fit, standardise_like
from edgeseld.train.task import SeldTask
from edgeseld.train.validation import ValidationScenes, hold_out
from edgeseld.train.windows import RandomWindows


@dataclass(frozen=True, slots=True)
class Sources:
    """Folders of data sets, and which part of each; without a validation set one scene in ten is held out.

    `mixed` asks for scenes mixed on the fly instead; the validation set is then the only folder.
    """

    data: tuple[Path, ...]
    validation: Path | None = None
    part: Part | None = None
    validation_part: Part | None = None
    mixed: Request | None = None

    @property
    def all(self) -> tuple[Path, ...]:
        """Every folder."""
        return self.data if self.validation is None else (*self.data, self.validation)


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Stores of the training scenes, the folders they come from, and the scenes that pick the weights."""

    roots: tuple[Path, ...]
    part: Part | None
    stores: tuple[FeatureStore, ...]
    validation: ValidationScenes

    def standardise(self, network: SeldNetwork) -> None:
        """Give the network's frontend the statistics of the training features."""
        standardise_like(network, self.stores)


def train(
    model_toml: Path,
    sources: Sources,
    output: Path,
    *,
    init_from: Path | None = None,
    resume: bool = False,
    progress: Progress = without_progress,
) -> TrainingResults:
    """Train the network of a recipe on data sets; the class list comes from the data.

    `init_from` is a folder with model.toml and weights, whose layers are taken over wherever the shapes agree.
    """
    if sources.mixed is not None:
        return _train_on_mixed(model_toml, sources, output, init_from, progress, resume=resume)
    spec = read_recipe(model_toml, sources)
    origin = origin_of(init_from)
    checkpoint = find_checkpoint(output, spec, origin, resume=resume)
    data = open_data(sources, spec, progress)
    network = start_network(spec, init_from)
    data.standardise(network)
    windows = RandomWindows(data.stores, len(spec.classes), **window_settings(spec))
    return fit(SeldTask(network, spec, data.validation), windows, output, checkpoint, origin)


def _train_on_mixed(
    model_toml: Path, sources: Sources, output: Path, init_from: Path | None, progress: Progress, *, resume: bool
) -> TrainingResults:
    """Train on scenes that are mixed when they are needed."""
    assert sources.mixed is not None
    if sources.data or sources.validation is None:
        raise TrainingError("scenes mixed on the fly take the place of --data, and need a --validation set: name one")
    spec = read_recipe(model_toml, replace(sources, data=(sources.validation,), validation=None))
    job = prepare_banks(replace(sources.mixed, channel_format=spec.signal.channel_format), progress)
    if job.spec.classes != spec.classes:
        raise DataError(f"sounds and {sources.validation} need one class list, and theirs differ: relabel one")
    origin = origin_of(init_from)
    checkpoint = find_checkpoint(output, spec, origin, resume=resume)
    held_out = [open_store(sources.validation, spec.signal, progress, sources.validation_part)]
    recipe = spec.train
    windows = MixedWindows(
        job,
        spec.signal,
        recipe.augment.waveform,
        batch_size=recipe.batch_size,
        steps=recipe.steps,
        seed=recipe.seed,
    )
    network = start_network(spec, init_from)
    windows.standardise(network)
    task = SeldTask(network, spec, ValidationScenes(held_out, spec, recipe.batch_size))
    return fit(task, windows, output, checkpoint, origin)


def read_recipe(model_toml: Path, sources: Sources) -> ModelFile:
    """The recipe with the class list of the data sets, which must share one."""
    spec = read_toml(model_toml, ModelFile)
    if not sources.data:
        raise TrainingError("training needs at least one data set: name it with --data")
    lists = {root: dataset_classes(root) for root in sources.all}
    first = next(iter(lists))
    for root, classes in lists.items():
        if classes != lists[first]:
            raise DataError(f"all data sets of a training share one class list; {root} and {first} differ: relabel one")
    return msgspec.structs.replace(spec, classes=lists[first])


def open_data(sources: Sources, spec: ModelFile, progress: Progress) -> TrainingData:
    """Features of all sets, computed on first use."""
    stores = [open_store(root, spec.signal, progress, sources.part) for root in sources.data]
    require_same_signal(stores)
    if sources.validation is None:
        stores, held_out = hold_out(stores)
    else:
        held_out = [open_store(sources.validation, spec.signal, progress, sources.validation_part)]
    validation = ValidationScenes(held_out, spec, spec.train.batch_size)
    return TrainingData(sources.data, sources.part, tuple(stores), validation)


def start_network(spec: ModelFile, init_from: Path | None) -> SeldNetwork:
    """A network with weights by the recipe's seed, and those of another model wherever the shapes agree.

    TrainingError where the recipe averages with the start, and that is not a whole model.
    """
    torch.manual_seed(spec.train.seed)
    network = SeldNetwork(spec)
    taken = 0 if init_from is None else load_matching(network, init_from / WEIGHTS_FILE)
    if spec.train.start_share and taken < len(network.state_dict()):
        raise TrainingError(
            f"train.start_share averages with the model that --init-from names, got {init_from or 'none'}, of which "
            f"{taken} of {len(network.state_dict())} tensors fit: name one of this shape, or set start_share = 0"
        )
    return network


class WindowSettings(TypedDict):
    """How a recipe draws its windows."""

    batch_size: int
    steps: int
    seed: int
    balanced_share: float


def window_settings(spec: ModelFile) -> WindowSettings:
    """Batch size, steps, seed and share of balanced windows of a recipe."""
    recipe = spec.train
    return WindowSettings(
        batch_size=recipe.batch_size, steps=recipe.steps, seed=recipe.seed, balanced_share=recipe.balanced_share
    )
