"""A training run: a folder with model.toml, checkpoints, logs, and in the end weights and results."""

import logging
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch.utils.data import DataLoader

from edgeseld.core.atomic import write_atomic
from edgeseld.core.errors import TrainingError
from edgeseld.core.frames import LABEL_FRAMES_PER_S
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import Frozen, read_toml, to_json, to_toml
from edgeseld.nn.network import SeldNetwork
from edgeseld.nn.weights import WEIGHTS_FILE, save_weights
from edgeseld.train.allocation import keep_freed_memory
from edgeseld.train.averaging import mix_in, weight_average
from edgeseld.train.batches import Batch
from edgeseld.train.checkpoints import AtomicCheckpoints
from edgeseld.train.clock import StepClock
from edgeseld.train.feature_store import FeatureStore
from edgeseld.train.origin import FROM_NOTHING, ORIGIN_FILE, Origin, require_same_origin
from edgeseld.train.progress import RoundProgressBar
from edgeseld.train.task import MONITOR, SeldTask, scored
from edgeseld.train.validation import ValidationScenes
from edgeseld.train.windows import StepWindows

MODEL_FILE = "model.toml"
RESULTS_FILE = "results.json"
CHECKPOINTS = "checkpoints"
START_FILE = "start.safetensors"


class TrainingResults(Frozen, frozen=True, kw_only=True):
    """results.json of a run: what was seen, how long it took, and the scores of the step whose weights were kept."""

    model: str
    steps: int
    hours_seen: float
    seconds: float
    data_loading_share: float
    best_step: int
    validation: dict[str, float]
    device: str
    torch: str
    origin: Origin = FROM_NOTHING


class SeldData(L.LightningDataModule):
    """Training windows from the current step on, and the validation scenes."""

    def __init__(self, windows: StepWindows, validation: ValidationScenes) -> None:
        super().__init__()
        self.windows, self.validation = windows, validation

    def train_dataloader(self) -> DataLoader[Batch]:
        """Called at every epoch, so that a resumed run goes on with the batch that comes next."""
        assert self.trainer is not None
        self.windows.first_step, self.windows.rank = self.trainer.global_step, self.trainer.global_rank
        device = self.trainer.strategy.root_device
        if device.type == "cuda":
            self.windows.keep_on(device)
        return DataLoader(self.windows, batch_size=None, num_workers=self.windows.workers)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Windows side by side."""
        return DataLoader(self.validation, batch_size=None)


def find_checkpoint(output: Path, spec: ModelFile, origin: Origin, *, resume: bool) -> Path | None:
    """The checkpoint to resume from, where there is one.

    TrainingError where the folder holds another training, or there is nothing to resume. Nothing is written before the
    data are known to be good.
    """
    saved, checkpoint = output / MODEL_FILE, output / CHECKPOINTS / "last.ckpt"
    if not resume:
        if saved.exists():
            raise TrainingError(f"{output} holds a training already: continue it with --resume, or name another folder")
        return None
    if not saved.exists():
        raise TrainingError(f"--resume needs a run that was started, and {output} holds no {MODEL_FILE}: leave it out")
    if read_toml(saved, ModelFile) != spec:
        raise TrainingError(f"--resume needs the recipe that the run was started with; {saved} differs: restore it")
    require_same_origin(output, origin)
    return checkpoint if checkpoint.exists() else None


def _begin(output: Path, spec: ModelFile, origin: Origin) -> None:
    """Write what a run is resumed by."""
    write_atomic(output / ORIGIN_FILE, to_json(origin))
    write_atomic(output / MODEL_FILE, to_toml(spec))


def standardise_like(network: SeldNetwork, stores: Sequence[FeatureStore]) -> None:
    """Give the frontend the mean and deviation of the training features, all sets weighted by their length."""
    weights = torch.tensor([sum(store.index.label_frames) for store in stores], dtype=torch.float64)
    weights = (weights / weights.sum()).reshape(-1, 1, 1)
    mean = torch.tensor([store.index.mean for store in stores], dtype=torch.float64)
    square = torch.tensor([store.index.std for store in stores], dtype=torch.float64).square() + mean.square()
    pooled = (weights * mean).sum(dim=0)
    std = ((weights * square).sum(dim=0) - pooled.square()).sqrt()
    network.frontend.mean.copy_(pooled.unsqueeze(1))
    network.frontend.inverse_std.copy_((1.0 / std).unsqueeze(1))


def _silence_lightning() -> None:
    """Lightning's hints on workers, tips and devices are noise beside the progress bar."""
    # TensorBoard writes its files without TensorFlow where it finds this module; loading TensorFlow costs seconds.
    sys.modules.setdefault("tensorboard.compat.notf", ModuleType("tensorboard.compat.notf"))
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module=r"lightning\.")
    warnings.filterwarnings("ignore", message=r"`isinstance\(treespec, LeafSpec\)`")
    # torch.compile loads parts of torch that torch itself calls old.
    warnings.filterwarnings("ignore", message=r"`torch\.jit\.", category=DeprecationWarning)
    # Loader processes are forked; each of them runs torch on one thread.
    warnings.filterwarnings("ignore", message=r".*use of fork\(\) may lead to deadlocks")


def fit(
    task: SeldTask,
    windows: StepWindows,
    output: Path,
    checkpoint: Path | None,
    origin: Origin = FROM_NOTHING,
) -> TrainingResults:
    """Train until the recipe's last step or until the SELD score stops falling; write weights and results."""
    if not (output / MODEL_FILE).exists():
        _begin(output, task.spec, origin)
    start_share = task.spec.train.start_share
    # Kept in the folder, so that a resumed run ends as an unbroken one.
    if start_share and checkpoint is None:
        save_weights(task.network, output / START_FILE)
    keep_freed_memory()
    clock = StepClock()
    best = ModelCheckpoint(output / CHECKPOINTS, "best", MONITOR, mode="min", enable_version_counter=False)
    trainer = _trainer(task.spec, output, [clock, best])
    trainer.fit(task, datamodule=SeldData(windows, task.validation), ckpt_path=checkpoint)
    if not best.best_model_path:
        raise TrainingError(f"training ended at step {trainer.global_step} before its first validation: raise steps")
    kept = torch.load(best.best_model_path, weights_only=True)
    task.load_state_dict(kept["state_dict"])
    scores = kept["scores"]
    if start_share:
        mix_in(task.network, output / START_FILE, start_share)
        scores = scored(task)
    save_weights(task.network, output / WEIGHTS_FILE)
    windows_seen = trainer.global_step * trainer.world_size * windows.batch_size
    seconds_seen = windows_seen * task.spec.signal.window_frames / LABEL_FRAMES_PER_S
    results = TrainingResults(
        model=task.spec.id,
        steps=trainer.global_step,
        hours_seen=round(seconds_seen / 3600, 2),
        seconds=round(clock.seconds, 1),
        data_loading_share=round(clock.loading_share, 4),
        best_step=kept["global_step"],
        validation=scores,
        device=_device_name(),
        torch=str(torch.__version__),
        origin=origin,
    )
    write_atomic(output / RESULTS_FILE, to_json(results))
    return results


def _trainer(spec: ModelFile, output: Path, callbacks: Sequence[Callback]) -> L.Trainer:
    _silence_lightning()
    recipe = spec.train
    more: list[Callback] = [
        EarlyStopping(MONITOR, patience=recipe.patience, mode="min", check_on_train_epoch_end=False),
        ModelCheckpoint(output / CHECKPOINTS, "last", save_on_train_epoch_end=True, enable_version_counter=False),
        RoundProgressBar(console_kwargs={"stderr": True}),
    ]
    if recipe.ema_decay > 0:
        more.append(weight_average(recipe.ema_decay))
    return L.Trainer(
        max_steps=recipe.steps,
        limit_train_batches=recipe.validate_every_steps,
        reload_dataloaders_every_n_epochs=1,
        precision="bf16-mixed" if recipe.precision == "bf16" else "32-true",
        gradient_clip_val=recipe.gradient_clip,
        num_sanity_val_steps=0,
        benchmark=torch.cuda.is_available(),
        callbacks=[*callbacks, *more],
        plugins=[AtomicCheckpoints()],
        logger=[
            CSVLogger(output, name="history"),
            TensorBoardLogger(output, name="", version="tensorboard"),
        ],
        enable_model_summary=False,
    )


def _device_name() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"CPU, {torch.get_num_threads()} threads"
