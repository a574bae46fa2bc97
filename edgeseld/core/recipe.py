"""How a model is trained: the tables [train] and [distill] of model.toml."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edgeseld.core.spec import ModelSpec, Positive, Rate, require
from edgeseld.core.structs import Frozen

Count = Annotated[int, Meta(ge=0)]
Weight = Annotated[float, Meta(ge=0.0)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class SpecAugmentSpec(Frozen, frozen=True, kw_only=True):
    """Bands and spans of features set to their mean (Park et al. 2019)."""

    time_masks: Count = 2
    time_hops: Count = 25
    frequency_masks: Count = 2
    frequency_bands: Count = 8


class CutoutSpec(Frozen, frozen=True, kw_only=True):
    """Rectangles of features set to their mean, up to so many hops by so many bands (Kang 2023)."""

    patches: Count = 0
    hops: Positive = 25
    bands: Positive = 8


class ColourSpec(Frozen, frozen=True, kw_only=True):
    """What makes a source sound like another one of its kind, off at 0.

    Gains up to `gain_db`, either way, at `points` bands with straight lines between them (FilterAugment, Nam et al.
    2022); all maps moved up or down by up to `shift_bands` bands (Nguyen et al. 2022).
    """

    gain_db: Weight = 0.0
    points: Annotated[int, Meta(ge=2)] = 6
    shift_bands: Count = 0


class OverlaySpec(Frozen, frozen=True, kw_only=True):
    """A share of the items laid over others as if both sounded at once, labels alike; these by up to +- gain_db."""

    share: Share = 0.0
    gain_db: Weight = 6.0


MixKind = Literal["none", "mixup", "lossmix", "manifold-mixup", "cutmix", "cutlossmix", "pointmix", "patchmix"]


# Kinds that mix at the input, behind stages, or at either; and those that cut a patch instead of blending whole maps.
INPUT_KINDS = ("mixup", "lossmix", "cutmix", "cutlossmix", "pointmix", "patchmix")
HIDDEN_KINDS = ("manifold-mixup", "pointmix", "patchmix")
PATCH_KINDS = ("cutmix", "cutlossmix", "patchmix")


class MixSpec(Frozen, frozen=True, kw_only=True):
    """Items of a batch mixed with others, at one layer drawn per batch (HDA-SELD); the ratio is drawn from Beta(a, a).

    `layers` are those to draw from, 0 for the input and n for stage n; empty means all that the kind allows.
    """

    kind: MixKind = "none"
    alpha: Annotated[float, Meta(gt=0.0)] = 1.0
    layers: tuple[Count, ...] = ()


def mixing_layers(spec: MixSpec, stages: int) -> tuple[int, ...]:
    """Layers that a recipe mixes at, in a network of so many stages; none for the kind "none"."""
    allowed = [0] if spec.kind in INPUT_KINDS else []
    if spec.kind in HIDDEN_KINDS:
        allowed += range(1, stages + 1)
    return tuple(layer for layer in allowed if not spec.layers or layer in spec.layers)


class WaveformSpec(Frozen, frozen=True, kw_only=True):
    """Waveform augmentation of scenes mixed on the fly, each with its probability."""

    gain_share: Share = 0.0
    gain_db: Weight = 6.0
    noise_share: Share = 0.0
    noise_snr_db: tuple[float, float] = (10.0, 40.0)
    clipping_share: Share = 0.0
    clipping_percentile: Annotated[int, Meta(ge=1, le=99)] = 5
    pitch_share: Share = 0.0
    pitch_semitones: Weight = 2.0


class AugmentSpec(Frozen, frozen=True, kw_only=True):
    """Augmentation of feature batches, and of waveforms where these are at hand."""

    channel_swap: bool = True
    rotation: bool = False
    colour: ColourSpec = ColourSpec()
    overlay: OverlaySpec = OverlaySpec()
    spec_augment: SpecAugmentSpec = SpecAugmentSpec()
    cutout: CutoutSpec = CutoutSpec()
    waveform: WaveformSpec = WaveformSpec()
    mix: MixSpec = MixSpec()


class SelfDistillSpec(Frozen, frozen=True, kw_only=True):
    """How early exits learn (Zhang et al. 2019): (1 - a) of the labels, a of the deepest output, b of its features."""

    temperature: Annotated[float, Meta(gt=0.0)] = 3.0
    soft_share: Share = 0.1
    hint_weight: Weight = 1e-6


class DistillSpec(Frozen, frozen=True, kw_only=True):
    """Weights of what a student learns from labels, from its teachers' outputs and from the first teacher's maps.

    `teacher`: "cached" hears every scene once and keeps the outputs beside the features; "live" hears every batch, as
    it is augmented, and is what the feature term needs. That term grows from zero over its warm-up. `stages` are pairs
    (student's, teacher's), both from 1; empty pairs the deepest ones, the ones before them, and so on. A cached teacher
    may hear every scene in `teacher_turns` exact symmetries of its channels (16 of FOA), and say what they average to.
    `ensemble`: what several teachers say together is the mean of aligned tracks, or that of a small network which has
    first learned from the labels how to weigh them, track by track (Kang 2023).
    """

    teacher: Literal["cached", "live"] = "cached"
    teacher_turns: Positive = 1
    ensemble: Literal["mean", "trained"] = "mean"
    label_weight: Weight = 1.0
    response_weight: Weight = 0.5
    feature_weight: Weight = 0.0
    feature_warmup_steps: Count = 0
    stages: tuple[tuple[Positive, Positive], ...] = ()

    def __post_init__(self) -> None:
        require(
            self.feature_weight == 0 or self.teacher == "live",
            "distill.feature_weight above 0 compares maps, which are not cached: set distill.teacher = 'live'",
        )
        require(
            self.teacher_turns == 1 or self.teacher == "cached",
            "distill.teacher_turns above 1 hears every scene many times: set distill.teacher = 'cached'",
        )
        require(
            self.ensemble == "mean" or self.teacher == "cached",
            "distill.ensemble = 'trained' learns from outputs that are kept: set distill.teacher = 'cached'",
        )


class TrainSpec(Frozen, frozen=True, kw_only=True):
    """One training, in optimiser steps; a step sees batch_size windows.

    `balanced_share` of the windows are drawn around a frame of a class drawn before, all classes alike. `compile` has
    torch.compile make machine code of network and losses before the first step. In the end weights are averaged with
    those that the training started from, `start_share` of the latter (WiSE-FT, Wortsman et al. 2022).
    """

    steps: Positive
    batch_size: Positive = 32
    learning_rate: Annotated[float, Meta(gt=0.0)] = 2e-3
    weight_decay: Annotated[float, Meta(ge=0.0)] = 0.01
    schedule: Literal["cosine", "tri-stage"] = "cosine"
    warmup_steps: Count = 300
    gradient_clip: Annotated[float, Meta(gt=0.0)] = 5.0
    ema_decay: Rate = 0.999
    start_share: Share = 0.0
    precision: Literal["bf16", "fp32"] = "bf16"
    compile: bool = False
    validate_every_steps: Positive = 500
    patience: Positive = 20
    seed: Count = 0
    balanced_share: Share = 0.0
    augment: AugmentSpec = AugmentSpec()
    self_distill: SelfDistillSpec = SelfDistillSpec()

    def __post_init__(self) -> None:
        require(
            self.warmup_steps < self.steps, f"warmup_steps must be below steps, got {self.warmup_steps}, {self.steps}"
        )


class ModelFile(ModelSpec, frozen=True, kw_only=True):
    """`model.toml`: the model and its training."""

    train: TrainSpec
    distill: DistillSpec = DistillSpec()

    def __post_init__(self) -> None:
        super().__post_init__()
        augment, mix, stages = self.train.augment, self.train.augment.mix, len(self.network.stages)
        strangers = set(mix.layers) - set(mixing_layers(msgspec.structs.replace(mix, layers=()), stages))
        require(not strangers, f"mix.kind {mix.kind!r} with {stages} stages cannot mix at layers {sorted(strangers)}")
        require(
            not augment.rotation or (self.signal.channel_format == "foa" and self.signal.spatial == "band-intensity"),
            "augment.rotation needs foa features with spatial = 'band-intensity'",
        )
        require(
            augment.overlay.share == 0 or self.signal.spatial != "intensity",
            "augment.overlay adds what sounds in mel bands, and spatial = 'intensity' is normalised before: use "
            "'band-intensity'",
        )
