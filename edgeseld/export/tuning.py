"""`edgeseld export --tune DATA`: a short training in which the network is rounded as int8 rounds.

Quantisation-aware training by straight-through gradients (Jacob et al. 2018) with torchao's fake quantisers, towards
what the network says in float: labels would teach it the scenes of DATA, and cost it sounds that are not among them.
It is the one network that trains and leaves: hooks and weights exchanged for the length of a pass round.
"""

import copy
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torchao.quantization.pt2e import FakeQuantize
from torchao.quantization.pt2e.fake_quantize import default_dynamic_fake_quant
from torchao.quantization.pt2e.observer import MinMaxObserver, MovingAveragePerChannelMinMaxObserver

from edgeseld.core.disk import temporary_folder
from edgeseld.core.errors import DataError, ExportError
from edgeseld.core.locate import MODEL_FILE
from edgeseld.core.manifest import CALIBRATION_FILE, CARD_FILE
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import read_toml
from edgeseld.data.layout import dataset_classes
from edgeseld.export.recipe import ExportRecipe
from edgeseld.export.representative import calibration_windows
from edgeseld.export.sensitivity import layers_with_weights
from edgeseld.nn.flow import Flow
from edgeseld.nn.heads import Output
from edgeseld.nn.network import Inference, SeldNetwork
from edgeseld.nn.weights import WEIGHTS_FILE, load_network
from edgeseld.train.batches import Batch
from edgeseld.train.feature_store import Progress, without_progress
from edgeseld.train.response import response_loss
from edgeseld.train.run import fit
from edgeseld.train.supervised import Sources, open_data, window_settings
from edgeseld.train.task import SeldTask
from edgeseld.train.validation import ValidationScenes
from edgeseld.train.windows import RandomWindows

T = TypeVar("T")

PRECISIONS = ("int8", "int8-dynamic")
# Windows seen in a step, and steps between two looks at the held-out scenes.
STEPS, BATCH_SIZE, ROUND_STEPS = 200, 16, 40
# A twentieth of what students are distilled with: the network is at its goal already.
LEARNING_RATE = 1e-4
# Parts that static int8 keeps in integers with ranges learnt beforehand.
STATIC_PARTS = ("stem.", "stages.")


@dataclass(frozen=True, slots=True)
class Heard:
    """Held-out scenes in float and in simulated int8: F and SELD of both, and the mean distance of the outputs."""

    F_float: float
    SELD_float: float
    F: float
    SELD: float
    tensor_error: float


@dataclass(frozen=True, slots=True)
class Tuning:
    """What tuning on a data set brought; where it did not help, the plain weights were kept."""

    precision: str
    data: str
    before: Heard
    after: Heard

    @property
    def kept(self) -> bool:
        """Whether the tuned weights lose less to int8 than the plain ones, and score as well in it."""
        return self.after.tensor_error < self.before.tensor_error and self.after.SELD <= self.before.SELD

    def line(self) -> str:
        """One sentence for people."""
        before, after = self.before, self.after
        return (
            f"tuned for {self.precision} on {self.data}, scores on its held-out scenes: F in simulated int8 "
            f"{before.F:.3f} -> {after.F:.3f} (in float {before.F_float:.3f} -> {after.F_float:.3f}), SELD "
            f"{before.SELD:.3f} -> {after.SELD:.3f} ({before.SELD_float:.3f} -> {after.SELD_float:.3f}), tensor error "
            f"{before.tensor_error:.1e} -> {after.tensor_error:.1e}; the {'tuned' if self.kept else 'plain'} weights "
            "are kept"
        )


class TuningTask(SeldTask):
    """Training of a network towards itself in simulated int8, a scale per channel of weights and per tensor of input.

    `ranges` (windows, channels, samples) is the audio that static int8 learns its ranges on.
    """

    def __init__(
        self, network: SeldNetwork, spec: ModelFile, validation: ValidationScenes, recipe: ExportRecipe, ranges: Tensor
    ) -> None:
        super().__init__(network, spec, validation)
        # Beside the task, not in it: what does not learn is in no checkpoint.
        self.plain = (copy.deepcopy(network).requires_grad_(False),)
        self.rounding = False
        self.weights, self.inputs = nn.ModuleDict(), nn.ModuleDict()
        # Names of the weights, by the names of their fake quantisers.
        self.rounds: dict[str, str] = {}
        names = {id(parameter): name for name, parameter in self.named_parameters()}
        kept = tuple(f"{layer}." for layer in recipe.float_layers)
        for name, layer, holder in layers_with_weights(network):
            # Depthwise convolutions over time hold next to no weights, and are float on ONNX.
            if isinstance(layer, nn.Conv1d) or f"{name}.".startswith(kept):
                continue
            key = name.replace(".", "/")
            static = recipe.precision == "int8" and name.startswith(STATIC_PARTS)
            self.rounds[key] = names[id(holder.weight)]
            self.weights[key], self.inputs[key] = _of_weights(), _static() if static else default_dynamic_fake_quant()
            layer.register_forward_pre_hook(partial(self._round_input, key))
        with torch.no_grad():
            self.register_buffer("range_features", network.frontend(ranges), persistent=False)

    def train(self, mode: bool = True) -> "TuningTask":
        """Stay in evaluation mode: an export folds the statistics of BatchNorm as they are, and drops nothing out."""
        super().train(False)
        return self

    def forward(self, work: Callable[[], T]) -> T:
        """Do some work; `functional_call` exchanges weights around it."""
        return work()

    def rounded(self, work: Callable[[], T]) -> T:
        """Do some work with the network rounded; gradients pass as if it were not."""
        weights = {name: self.weights[key](self.get_parameter(name)) for key, name in self.rounds.items()}
        with self._rounding():
            done: T = functional_call(self, weights, (work,))
        return done

    def on_fit_start(self) -> None:
        """The plain network follows to the device."""
        self.plain[0].to(self.device)

    def batch_loss(self, batch: Batch) -> Tensor:
        """Loss per item of every output, rounded and in float, against the plain network in float."""
        features = self._features(batch)
        with torch.no_grad():
            wanted = _outputs(self.plain[0].infer_all(features, Flow()))
        rounded = _outputs(self.rounded(lambda: self.network.infer_all(features, Flow())))
        in_float = _outputs(self.network.infer_all(features, Flow()))
        pairs = [*zip(rounded, wanted, strict=True), *zip(in_float, wanted, strict=True)]
        return torch.stack([response_loss(ours, theirs, batch.target) for ours, theirs in pairs]).sum(dim=0)

    @torch.no_grad()
    def learn_ranges(self) -> None:
        """Give static int8 the ranges that an export of the present weights would learn."""
        static = [one for one in self.inputs.values() if isinstance(one, FakeQuantize) and not one.is_dynamic]
        for quantiser in static:
            quantiser.activation_post_process.reset_min_max_vals()
            quantiser.enable_observer()
            quantiser.disable_fake_quant()
        with self._rounding():
            self.network.infer(self.range_features)
        for quantiser in static:
            quantiser.disable_observer()
            quantiser.enable_fake_quant()

    def on_validation_epoch_start(self) -> None:
        """The ranges follow the weights, round by round."""
        self.learn_ranges()

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Collect outputs of the rounded network; they are scored together at the end."""
        features = self._features(batch)
        self.validation.add(batch_index, self.rounded(lambda: self.network.infer(features)))

    @torch.no_grad()
    def judge(self) -> Heard:
        """The present weights on the held-out scenes."""
        self.learn_ranges()
        errors = []
        for index, batch in enumerate(self.validation):
            features = self._features(batch)
            in_float, output = self.network.infer(features), self.rounded(partial(self.network.infer, features))
            errors += [float((output[name] - in_float[name]).abs().mean()) for name in output]
            self.validation.add(index, in_float)
        plain = self.validation.score().values
        for index, batch in enumerate(self.validation):
            self.validation_step(batch, index)
        scores = self.validation.score().values
        return Heard(
            F_float=plain["F"],
            SELD_float=plain["SELD"],
            F=scores["F"],
            SELD=scores["SELD"],
            tensor_error=float(np.mean(errors)),
        )

    def _features(self, batch: Batch) -> Tensor:
        features: Tensor = self.network.frontend.standardise(batch.features)
        return features.to(memory_format=torch.channels_last)

    @contextmanager
    def _rounding(self) -> Iterator[None]:
        self.rounding = True
        try:
            yield
        finally:
            self.rounding = False

    def _round_input(self, key: str, layer: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
        return (self.inputs[key](inputs[0]), *inputs[1:]) if self.rounding else None


def _outputs(inference: Inference) -> list[Output]:
    return [inference.output, *inference.taught, *inference.exits.values()]


def _of_weights() -> FakeQuantize:
    """int8 per output channel, symmetric: the scale of a BatchNorm that is folded in later changes nothing."""
    return FakeQuantize(
        MovingAveragePerChannelMinMaxObserver,
        quant_min=-127,
        quant_max=127,
        dtype=torch.qint8,
        qscheme=torch.per_channel_symmetric,
        averaging_constant=1.0,
    )


def _static() -> FakeQuantize:
    """One range for a tensor, learnt beforehand."""
    return FakeQuantize(MinMaxObserver, quant_min=0, quant_max=255, dtype=torch.quint8)


@contextmanager
def tuned(
    model: Path,
    recipe: ExportRecipe,
    data: Path,
    *,
    calibration: Path | None = None,
    progress: Progress = without_progress,
) -> Iterator[tuple[Path, Tuning]]:
    """A folder with the model tuned on a labelled data set for the precision of a recipe, and what that brought.

    One scene in ten is held out; its scores in simulated int8 pick between the plain weights and those of every round.
    The weights serve every target at that precision. ExportError for precisions that are not int8, DataError where the
    data set is not whole or knows other classes.
    """
    if recipe.precision not in PRECISIONS:
        raise ExportError(
            f"--tune trains a network to bear int8, got {recipe.precision}: choose {' or '.join(PRECISIONS)}, or leave "
            "it out"
        )
    spec = read_toml(model / MODEL_FILE, ModelFile)
    if dataset_classes(data) != spec.classes:
        raise DataError(f"tuning needs scenes with the classes of {spec.id}, those of {data} differ: name another set")
    with temporary_folder() as place:
        folder, run = place / "model", place / "run"
        short = _short(spec)
        opened = open_data(Sources((data,)), short, progress)
        windows = calibration_windows(calibration, spec.signal, recipe.calibration_windows)
        network = load_network(short, model / WEIGHTS_FILE)
        task = TuningTask(network, short, opened.validation, recipe, torch.from_numpy(windows))
        before = task.judge()
        fit(task, RandomWindows(opened.stores, len(spec.classes), **window_settings(short)), run, None)
        tuning = Tuning(recipe.precision, data.name, before, task.judge())
        _write_model(folder, model, run if tuning.kept else model, tuning)
        yield folder, tuning


def _short(spec: ModelFile) -> ModelFile:
    """The recipe of the tuning: of the model as a whole, which is what its weights are."""
    train = msgspec.structs.replace(
        spec.train,
        steps=STEPS,
        batch_size=min(BATCH_SIZE, spec.train.batch_size),
        learning_rate=LEARNING_RATE,
        weight_decay=0.0,
        schedule="cosine",
        warmup_steps=0,
        ema_decay=0.0,
        precision="fp32",
        validate_every_steps=ROUND_STEPS,
    )
    return msgspec.structs.replace(spec, train=train, network=msgspec.structs.replace(spec.network, exit=None))


def _write_model(folder: Path, model: Path, weights: Path, tuning: Tuning) -> None:
    """The model's folder with the weights of another one; the card says what happened."""
    folder.mkdir()
    for name in (MODEL_FILE, CARD_FILE, CALIBRATION_FILE):
        if (model / name).exists():
            shutil.copyfile(model / name, folder / name)
    shutil.copyfile(weights / WEIGHTS_FILE, folder / WEIGHTS_FILE)
    with (folder / CARD_FILE).open("a") as card:
        card.write(f"\n## Tuning\n{tuning.line()}.\n")
