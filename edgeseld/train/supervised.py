"""`edgeseld train`: data sets and a recipe in, a trained run out."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import torch

from edgeseld.core.errors import DataError, TrainingError
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import read_toml
from edgeseld.data.layout import dataset_classes
from edgeseld.nn.network import SeldNetwork
from edgeseld.nn.weights import WEIGHTS_FILE, load_matching
from edgeseld.train.batches import RandomWindows
from edgeseld.train.feature_store import FeatureStore, Progress, open_store, without_progress
from edgeseld.train.run import TrainingResults, fit, prepare_run, standardise_like
from edgeseld.train.task import SeldTask
from edgeseld.train.validation import ValidationScenes


def train(
    model_toml: Path,
    data: Sequence[Path],
    validation: Path,
    output: Path,
    *,
    init_from: Path | None = None,
    resume: bool = False,
    progress: Progress = without_progress,
) -> TrainingResults:
    """Train the network of a recipe on data sets; the class list comes from the data.

    `init_from` is a folder with model.toml and weights, whose tensors are taken over wherever the shapes agree.
    """
    spec = with_classes_of(read_toml(model_toml, ModelFile), [*data, validation])
    checkpoint = prepare_run(output, spec, resume=resume)
    stores = [open_store(root, spec.signal, progress) for root in data]
    scenes = ValidationScenes(open_store(validation, spec.signal, progress), spec, spec.train.batch_size)
    torch.manual_seed(spec.train.seed)
    network = SeldNetwork(spec)
    if init_from is not None:
        load_matching(network, init_from / WEIGHTS_FILE)
    standardise_like(network, stores)
    task = SeldTask(network, spec, scenes)
    return fit(task, random_windows(stores, spec), output, checkpoint)


def random_windows(stores: Sequence[FeatureStore], spec: ModelFile) -> RandomWindows:
    """Training windows by the recipe's seed and batch size."""
    return RandomWindows(
        stores, len(spec.classes), batch_size=spec.train.batch_size, steps=spec.train.steps, seed=spec.train.seed
    )


def with_classes_of(spec: ModelFile, data: Sequence[Path]) -> ModelFile:
    """The recipe with the class list of the data sets, which must share one."""
    lists = {root: dataset_classes(root) for root in data}
    first = next(iter(lists))
    for root, classes in lists.items():
        if classes != lists[first]:
            raise DataError(f"all data sets of a training share one class list; {root} and {first} differ: relabel one")
    if not data:
        raise TrainingError("training needs at least one data set: name it with --data")
    return msgspec.structs.replace(spec, classes=lists[first])
