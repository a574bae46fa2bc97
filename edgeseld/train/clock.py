"""Where the time of a training goes."""

import time
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback


class StepClock(Callback):
    """Adds up the time of training steps and, within it, the wait for data; goes on where a resumed run stopped."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.loading_s = 0.0
        self._last_end = time.perf_counter()

    @property
    def loading_share(self) -> float:
        """Share of the steps' time spent waiting for data."""
        return self.loading_s / max(self.seconds, 1e-9)

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Validation between epochs is no part of a step."""
        self._last_end = time.perf_counter()

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """The data has arrived."""
        self.loading_s += time.perf_counter() - self._last_end

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """The step is done."""
        now = time.perf_counter()
        self.seconds += now - self._last_end
        self._last_end = now

    def state_dict(self) -> dict[str, float]:
        """Sums so far."""
        return {"seconds": self.seconds, "loading_s": self.loading_s}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        """Sums of the run that is resumed."""
        self.seconds, self.loading_s = state_dict["seconds"], state_dict["loading_s"]
