"""The progress bar of a training: rounds of steps between two looks at the validation set."""

import math
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import RichProgressBar


class RoundProgressBar(RichProgressBar):
    """Rounds are counted from one, of as many as the recipe's steps make."""

    def get_metrics(self, trainer: L.Trainer, pl_module: L.LightningModule) -> dict[str, Any]:
        """Loss and validation scores; where the logs lie is of no interest here."""
        return {name: value for name, value in super().get_metrics(trainer, pl_module).items() if name != "v_num"}

    def _get_train_description(self, current_epoch: int) -> str:
        rounds = math.ceil(self.trainer.max_steps / self.trainer.limit_train_batches)
        return f"Round {current_epoch + 1} of {rounds}"
