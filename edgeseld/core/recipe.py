"""How a model is trained: the [train] table of model.toml."""

from typing import Annotated, Literal

from msgspec import Meta

from edgeseld.core.spec import ModelSpec, Positive, Rate, require
from edgeseld.core.structs import Frozen

Count = Annotated[int, Meta(ge=0)]


class SpecAugmentSpec(Frozen, frozen=True, kw_only=True):
    """Bands and spans of features set to their mean (Park et al. 2019)."""

    time_masks: Count = 2
    time_hops: Count = 25
    frequency_masks: Count = 2
    frequency_bands: Count = 8


class AugmentSpec(Frozen, frozen=True, kw_only=True):
    """Augmentation of feature batches."""

    channel_swap: bool = True
    spec_augment: SpecAugmentSpec = SpecAugmentSpec()


class TrainSpec(Frozen, frozen=True, kw_only=True):
    """One training, in optimiser steps; a step sees batch_size windows."""

    steps: Positive
    batch_size: Positive = 32
    learning_rate: Annotated[float, Meta(gt=0.0)] = 2e-3
    weight_decay: Annotated[float, Meta(ge=0.0)] = 0.01
    schedule: Literal["cosine", "tri-stage"] = "cosine"
    warmup_steps: Count = 300
    gradient_clip: Annotated[float, Meta(gt=0.0)] = 5.0
    ema_decay: Rate = 0.999
    precision: Literal["bf16", "fp32"] = "bf16"
    validate_every_steps: Positive = 500
    patience: Positive = 20
    seed: Count = 0
    augment: AugmentSpec = AugmentSpec()

    def __post_init__(self) -> None:
        require(
            self.warmup_steps < self.steps, f"warmup_steps must be below steps, got {self.warmup_steps}, {self.steps}"
        )


class ModelFile(ModelSpec, frozen=True, kw_only=True):
    """`model.toml`: the model and its training."""

    train: TrainSpec
