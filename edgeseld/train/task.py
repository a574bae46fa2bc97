"""The training task: Lightning runs it, this says what a step is."""

from dataclasses import replace
from typing import Any

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from edgeseld.core.errors import TrainingError
from edgeseld.core.recipe import ModelFile
from edgeseld.core.spec import SignalSpec
from edgeseld.nn.flow import Flow
from edgeseld.nn.network import Inference, SeldNetwork
from edgeseld.train.augment import augment_batch, cutout, spec_augment
from edgeseld.train.batches import Batch
from edgeseld.train.losses import task_loss
from edgeseld.train.mixing import Mixture, draw_mixture, mixed_losses
from edgeseld.train.schedule import learning_rate_factor
from edgeseld.train.self_distillation import self_distillation_loss
from edgeseld.train.validation import ValidationScenes

MONITOR = "validation/SELD"


class SeldTask(L.LightningModule):
    """Supervised training of one network."""

    def __init__(self, network: SeldNetwork, spec: ModelFile, validation: ValidationScenes) -> None:
        super().__init__()
        # Twice as fast on CPUs, and what tensor cores want.
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.spec = spec
        self.validation = validation
        self.scores: dict[str, float] = {}
        self._pass, self._mixed_pass = self._one_pass, self._one_mixed_pass
        if spec.train.compile:
            self._pass, self._mixed_pass = torch.compile(self._pass), torch.compile(self._mixed_pass)

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Loss of one batch; everything random in it follows from seed and step."""
        torch.manual_seed(self.spec.train.seed * 1_000_003 + self.global_step)
        loss = self.batch_loss(augment_batch(batch, self.spec.train.augment, self.signals)).mean()
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the loss must be finite, got {loss.item()} at step {self.global_step}, batch of "
                f"{', '.join(batch.places)}; lower learning_rate, or look at these scenes"
            )
        self.log("loss", loss, prog_bar=True)
        return loss

    @property
    def signals(self) -> list[SignalSpec]:
        """What the features of a batch are: those of this network first."""
        return [self.spec.signal]

    def batch_loss(self, batch: Batch) -> Tensor:
        """Loss per item."""
        augment = self.spec.train.augment
        features = self.network.frontend.standardise(batch.features)
        features = cutout(spec_augment(features, augment.spec_augment), augment.cutout)
        mixture = draw_mixture(augment.mix, len(features), len(self.network.stages))
        # Names differ from batch to batch, and compiled code is made for what it is given.
        batch, features = replace(batch, places=()), features.to(memory_format=torch.channels_last)
        if mixture is None:
            return self._pass(features, batch)
        return self._mixed_pass(features, batch, mixture.to(features.device))

    def _one_pass(self, features: Tensor, batch: Batch) -> Tensor:
        """Loss per item of standardised features."""
        return self.item_losses(self.network.infer_all(features, Flow()), batch)

    def _one_mixed_pass(self, features: Tensor, batch: Batch, mixture: Mixture) -> Tensor:
        """Loss per item of standardised features that are mixed on their way."""
        features = mixture(0, features)
        inference = self.network.infer_all(features, Flow(), mixture)
        own_share = mixture.own_share(features if mixture.layer == 0 else inference.maps[mixture.layer])
        return mixed_losses(lambda chosen: self.item_losses(inference, chosen), batch, mixture.order, own_share)

    def item_losses(self, inference: Inference, batch: Batch) -> Tensor:
        """Loss per item against the references of a batch, those of the teaching heads and early exits included."""
        loss = task_loss(inference.output, batch.target, self.spec.head)
        for output, head in zip(inference.taught, self.spec.teaching_heads, strict=True):
            loss = loss + task_loss(output, batch.target, head)
        recipe = self.spec.train.self_distill
        return loss + self_distillation_loss(inference, batch.target, self.spec.head, recipe)

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Collect outputs; they are scored together at the end."""
        features = self.network.frontend.standardise(batch.features)
        self.validation.add(batch_index, self.network.infer(features.to(memory_format=torch.channels_last)))

    def on_validation_epoch_end(self) -> None:
        """Log ER, F, LE, LR and SELD of the validation set."""
        self.scores = self.validation.scores()
        for name, value in self.scores.items():
            self.log(f"validation/{name}", value, prog_bar=name in ("F", "SELD"))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """The scores travel with the weights that earned them."""
        checkpoint["scores"] = self.scores

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW without decay on biases, norms and positions, and the recipe's schedule."""
        recipe = self.spec.train
        parameters = [p for p in self.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": recipe.weight_decay},
            {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate)
        schedule = LambdaLR(optimizer, lambda step: learning_rate_factor(step, recipe))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


@torch.no_grad()
def scored(task: SeldTask) -> dict[str, float]:
    """ER, F, LE, LR and SELD of a task's validation set with the weights it has now."""
    task.eval()
    for number, batch in enumerate(task.validation):
        task.validation_step(batch.to(task.device), number)
    return task.validation.scores()
