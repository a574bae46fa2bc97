"""What a model is: `model.toml` as structs. Read by every room, torch or not."""

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edgeseld.core.classes import STARSS_CLASSES
from edgeseld.core.frames import LABEL_FRAME_SAMPLES, SAMPLE_RATE_HZ
from edgeseld.core.structs import Frozen

ChannelFormat = Literal["foa", "mic", "stereo", "mono"]
WindowShape = Literal["hann", "tapered"]
CHANNELS: dict[ChannelFormat, int] = {"foa": 4, "mic": 4, "stereo": 2, "mono": 1}

Identifier = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.-]*$", max_length=64)]
Version = Annotated[str, Meta(pattern=r"^\d+\.\d+\.\d+$")]
Positive = Annotated[int, Meta(ge=1)]
Rate = Annotated[float, Meta(ge=0.0, lt=1.0)]
TimeFrequency = tuple[Positive, Positive]
# Behind which part an early exit sits; the last block has the model's own head.
ExitName = Annotated[str, Meta(pattern=r"^(stage|block)-[1-9]$")]


def require(condition: bool, message: str) -> None:
    """Raise ValueError, which msgspec reports with the place in the file."""
    if not condition:
        raise ValueError(message)


class SignalSpec(Frozen, frozen=True, kw_only=True):
    """From PCM to standardised features; the frontend inside the exported graph follows it."""

    channel_format: ChannelFormat = "foa"
    sample_rate_hz: int = SAMPLE_RATE_HZ
    hop_samples: Positive = 480
    n_fft: Positive = 1024
    window: WindowShape = "hann"
    window_samples: Positive = 960
    mel_bands: Positive = 64
    spatial: Literal["intensity", "band-intensity", "band-phase", "none"] = "band-intensity"
    window_frames: Positive = 50

    def __post_init__(self) -> None:
        require(
            self.sample_rate_hz == SAMPLE_RATE_HZ, f"sample_rate_hz must be {SAMPLE_RATE_HZ}, got {self.sample_rate_hz}"
        )
        require(
            LABEL_FRAME_SAMPLES % self.hop_samples == 0,
            f"hop_samples must divide {LABEL_FRAME_SAMPLES}, got {self.hop_samples}",
        )
        require(
            self.hop_samples <= self.window_samples <= self.n_fft,
            f"need hop_samples <= window_samples <= n_fft, got {self.hop_samples}, {self.window_samples}, {self.n_fft}",
        )

    @property
    def channels(self) -> int:
        """Audio channels of the format."""
        return CHANNELS[self.channel_format]

    @property
    def context_samples(self) -> int:
        """Samples before a window that the causal frontend still sees."""
        return self.n_fft - self.hop_samples

    @property
    def hops_per_label_frame(self) -> int:
        """Feature frames in one label frame of 100 ms."""
        return LABEL_FRAME_SAMPLES // self.hop_samples

    @property
    def window_hops(self) -> int:
        """Feature frames in one inference window."""
        return self.window_frames * self.hops_per_label_frame

    @property
    def window_pcm_samples(self) -> int:
        """Audio samples in one inference window, context apart."""
        return self.window_frames * LABEL_FRAME_SAMPLES


class StageSpec(Frozen, frozen=True, kw_only=True):
    """One convolutional stage: blocks of one width, then pooling (time, frequency)."""

    channels: Positive
    blocks: Positive = 2
    block: Literal["residual", "separable", "conv", "double-conv"] = "residual"
    stride: TimeFrequency = (1, 1)
    pool: TimeFrequency = (1, 1)
    pool_kind: Literal["max", "average"] = "max"


class StemSpec(Frozen, frozen=True, kw_only=True):
    """First convolution; a kernel equal to its stride makes it a patch stem."""

    channels: Positive
    kernel: TimeFrequency = (3, 3)
    stride: TimeFrequency = (1, 1)


class ContextSpec(Frozen, frozen=True, kw_only=True):
    """Sequence model over time."""

    kind: Literal["conformer", "transformer", "convolution", "gru", "gru-attention"] = "conformer"
    blocks: Positive = 3
    width: Positive = 128
    heads: Positive = 4
    kernel_frames: Positive = 15
    expansion: Positive = 1
    feed_forward: Positive = 2
    positions: Literal["bias", "shaw", "none"] = "bias"
    left_frames: Positive | None = None

    def __post_init__(self) -> None:
        require(self.width % self.heads == 0, f"width must be a multiple of heads, got {self.width} and {self.heads}")


class NetworkSpec(Frozen, frozen=True, kw_only=True):
    """Features to embedding: stem, stages, projection to the context width, context, pooling to label frames."""

    stages: tuple[StageSpec, ...]
    context: ContextSpec
    stem: StemSpec | None = None
    bottleneck: Positive | None = None
    frequency: Literal["flatten", "mean"] = "flatten"
    causal: bool = False
    exits: tuple[ExitName, ...] = ()
    # The exit at which the network ends, where it is not the last one.
    exit: ExitName | None = None

    def __post_init__(self) -> None:
        known = {f"stage-{i + 1}" for i in range(len(self.stages))} | {
            f"block-{i + 1}" for i in range(self.context.blocks - 1)
        }
        require(self.exit is None or self.exit in self.exits, f"exit is one of {self.exits}, got {self.exit}")
        strangers = sorted(set(self.exits) - known)
        require(not strangers, f"exits sit behind one of {sorted(known)}, got {strangers}")

    def time_reduction(self, stages: int | None = None) -> int:
        """Feature frames per frame of the context, or behind the first `stages` stages."""
        factor = self.stem.stride[0] if self.stem else 1
        for stage in self.stages[:stages]:
            factor *= stage.stride[0] * stage.pool[0]
        return factor


class DropoutSpec(Frozen, frozen=True, kw_only=True):
    """Rates of the mask sites, and which of them Monte Carlo dropout draws at inference."""

    projection: Rate = 0.05
    context: Rate = 0.1
    head: Rate = 0.2
    placement: Literal["head", "last-block", "feed-forwards"] = "head"


OutputFormat = Literal["multi-accdoa", "accdoa", "sed-doa", "sed"]


class HeadSpec(Frozen, frozen=True, kw_only=True):
    """Embedding to output; `gated` makes ACCDOA vectors the product of a direction and an activity."""

    format: OutputFormat = "multi-accdoa"
    tracks: Positive = 3
    gated: bool = False
    distance: bool = False
    hidden: Positive = 128
    activation: Literal["relu", "leaky-relu", "none"] = "relu"

    @property
    def axes(self) -> int:
        """x, y, z and, where there is one, distance."""
        return 4 if self.distance else 3


class TrackingSpec(Frozen, frozen=True, kw_only=True):
    """How frames become events; the rules live in the manifest so that every runtime follows the same ones.

    core/tracking.py says what each of them does.
    """

    threshold: Annotated[float, Meta(gt=0.0, lt=1.0)] = 0.5
    class_thresholds: dict[str, Annotated[float, Meta(gt=0.0, lt=1.0)]] = msgspec.field(default_factory=dict)
    release_ratio: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.8
    unify_deg: Annotated[float, Meta(ge=0.0, le=180.0)] = 15.0
    gate_deg: Annotated[float, Meta(gt=0.0, le=180.0)] = 40.0
    max_gap_frames: Annotated[int, Meta(ge=0)] = 2
    min_frames: Positive = 2
    motion_frames: Positive = 5
    smooth_frames: Positive = 5

    def __post_init__(self) -> None:
        require(self.smooth_frames % 2 == 1, f"tracking.smooth_frames must be odd, got {self.smooth_frames}")

    def thresholds(self, class_names: Iterable[str]) -> list[float]:
        """Activation threshold of each class, in the order given."""
        return [self.class_thresholds.get(name, self.threshold) for name in class_names]


class ModelSpec(Frozen, frozen=True, kw_only=True):
    """`model.toml`: identity, signal, network, head; training recipes stand beside it in the same file."""

    id: Identifier
    version: Version
    description: str
    network: NetworkSpec
    licence: str = "MIT"
    classes: tuple[str, ...] = STARSS_CLASSES
    signal: SignalSpec = SignalSpec()
    head: HeadSpec = HeadSpec()
    teaching_heads: tuple[HeadSpec, ...] = ()
    dropout: DropoutSpec = DropoutSpec()
    tracking: TrackingSpec = TrackingSpec()

    def __post_init__(self) -> None:
        require(
            len(self.classes) == len(set(self.classes)) > 0,
            f"classes must be distinct and not empty, got {self.classes}",
        )
        reduction = self.network.time_reduction()
        hops = self.signal.hops_per_label_frame
        require(
            hops % reduction == 0,
            f"stem and stages divide time by {reduction}, which must divide the {hops} feature frames of a label frame",
        )
        strangers = set(self.tracking.class_thresholds) - set(self.classes)
        require(not strangers, f"tracking.class_thresholds names unknown classes {sorted(strangers)}")
