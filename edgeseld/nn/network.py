"""The assembly: frontend, stem, stages, projection, context, head. Every network of edgeseld is one of these."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from edgeseld.core.spec import HeadSpec, ModelSpec, NetworkSpec, SignalSpec
from edgeseld.nn.context import context_blocks
from edgeseld.nn.convolution import ConvNorm, Stage, Stem
from edgeseld.nn.exits import BlockExit, StageExit
from edgeseld.nn.flow import Flow, MaskSite
from edgeseld.nn.frontend import Frontend, feature_channels
from edgeseld.nn.heads import Output, build_head

# Number of a stage and its maps to the maps that go on.
Mix = Callable[[int, Tensor], Tensor]


class Projection(nn.Module):
    """Maps (batch, channels, frames, frequencies) to the sequence (batch, frames, width)."""

    def __init__(self, channels: int, frequencies: int, spec: NetworkSpec, rate: float) -> None:
        super().__init__()
        self.bottleneck = None
        if spec.bottleneck is not None:
            self.bottleneck = ConvNorm(channels, spec.bottleneck, (1, 1), causal=spec.causal)
            channels = spec.bottleneck
        self.mean = spec.frequency == "mean"
        inputs = channels if self.mean else channels * frequencies
        # The DCASE baseline feeds its flattened maps to the GRU as they are.
        identity = spec.context.kind == "gru-attention" and inputs == spec.context.width
        self.linear = None if identity else nn.Linear(inputs, spec.context.width)
        self.site = MaskSite("projection", spec.context.width, rate)

    def forward(self, x: Tensor, flow: Flow) -> Tensor:
        """Flatten or average the frequencies, then Linear."""
        if self.bottleneck is not None:
            x = F.relu(self.bottleneck(x, flow))
        if self.mean:
            x = F.avg_pool2d(x, (1, x.shape[3]))
        x = x.permute(0, 2, 1, 3)
        x = x.reshape(x.shape[0], x.shape[1], x.shape[2] * x.shape[3])
        return self.site(x if self.linear is None else self.linear(x), flow)


@dataclass(frozen=True, slots=True)
class Inference:
    """Everything one pass computes: outputs, hints (batch, frames, width) of the exits, maps of the stages."""

    output: Output
    taught: list[Output]
    exits: dict[str, Output]
    hints: dict[str, Tensor]
    embedding: Tensor
    maps: list[Tensor]


class SeldNetwork(nn.Module):
    """PCM to output, in parts that uncertainty and distillation can share.

    `trunk` ends where the first mask of Monte Carlo dropout sits (`dropout.placement`), `decide` is the rest.
    """

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.spec = spec
        network, signal = spec.network, spec.signal
        self.frontend = Frontend(signal)
        width = feature_channels(signal)
        self.stem = None
        if network.stem is not None:
            self.stem = Stem(width, network.stem, causal=network.causal)
            width = network.stem.channels
        self.stages = nn.ModuleList()
        for stage in network.stages:
            self.stages.append(Stage(width, stage, causal=network.causal))
            width = stage.channels
        self.projection = Projection(width, frequencies_out(network, signal), network, spec.dropout.projection)
        frames = signal.window_hops // network.time_reduction()
        self.context = context_blocks(network.context, spec.dropout.context, frames)
        # The baseline's GRU stands before the blocks that `context.blocks` counts.
        self.lead_blocks = len(self.context) - network.context.blocks
        self.time_pool = signal.hops_per_label_frame // network.time_reduction()
        self.head = self._build_head(spec.head)
        self.exits = nn.ModuleDict({name: self._build_exit(name) for name in network.exits})
        self.active_exit: str | None = None
        self.teaching_heads = nn.ModuleList(self._build_head(head) for head in spec.teaching_heads)

    def _build_head(self, head: HeadSpec) -> nn.Module:
        return build_head(self.spec.network.context.width, head, len(self.spec.classes), self.spec.dropout.head)

    def _build_exit(self, name: str) -> nn.Module:
        network, hops = self.spec.network, self.spec.signal.hops_per_label_frame
        kind, number = name.split("-")
        if kind == "block":
            return BlockExit(self.time_pool, self.spec)
        frames_per_label = hops // network.time_reduction(stages=int(number))
        return StageExit(network.stages[int(number) - 1].channels, frames_per_label, self.spec)

    def _exit(self, name: str) -> StageExit | BlockExit:
        return cast("StageExit | BlockExit", self.exits[name])

    def forward(self, pcm: Tensor) -> Output:
        """PCM (batch, channels, context + samples) to the named outputs of the head."""
        return self.infer(self.frontend(pcm))

    def infer(self, features: Tensor, flow: Flow | None = None) -> Output:
        """Standardised features (batch, feature_channels, hops, mel_bands) to the named outputs of the head."""
        flow = Flow() if flow is None else flow
        return self.decide(self.trunk(features, flow), flow)

    def trunk(self, features: Tensor, flow: Flow) -> Tensor:
        """Features to the embedding (batch, frames, width) that every Monte Carlo sample shares."""
        if self.active_exit is not None:
            return self._until_exit(self.active_exit, features, flow)
        x = self.projection(self.stage_maps(features, flow)[-1], flow)
        for block in self.context[: self.deterministic_blocks]:
            x = block(x, flow)
        return x

    def _until_exit(self, name: str, features: Tensor, flow: Flow) -> Tensor:
        """Features to the hint of an early exit, which is its embedding."""
        kind, number = name.split("-")
        if kind == "stage":
            return self._exit(name).embed(self.stage_maps(features, flow, last=int(number))[-1])
        x = self.projection(self.stage_maps(features, flow)[-1], flow)
        for block in self.context[: self.lead_blocks + int(number)]:
            x = block(x, flow)
        return self._exit(name).embed(x)

    def decide(self, embedding: Tensor, flow: Flow) -> Output:
        """Embedding to output; the batch of the masks and that of the embedding broadcast."""
        if self.active_exit is not None:
            return self.exits[self.active_exit](embedding, flow)
        for block in self.context[self.deterministic_blocks :]:
            embedding = block(embedding, flow)
        return self.head(self.to_label_frames(embedding), flow)

    def infer_all(self, features: Tensor, flow: Flow, mix: Mix | None = None) -> "Inference":
        """One pass with everything that distillation compares: outputs of head, teaching heads and exits, and maps.

        `mix` replaces the maps behind stage n, called as mix(n, maps): augmentation blends items there.
        """
        maps = self.stage_maps(features, flow, mix=mix)
        x = self.projection(maps[-1], flow)
        hints = {name: self._exit(name).embed(maps[int(name[6:])]) for name in self.exits if name.startswith("stage")}
        for index, block in enumerate(self.context):
            x = block(x, flow)
            name = f"block-{index + 1 - self.lead_blocks}"
            if name in self.exits:
                hints[name] = self._exit(name).embed(x)
        embedding = self.to_label_frames(x)
        return Inference(
            output=self.head(embedding, flow),
            taught=[head(embedding, flow) for head in self.teaching_heads],
            exits={name: self.exits[name](hint, flow) for name, hint in hints.items()},
            hints=hints,
            embedding=embedding,
            maps=maps,
        )

    def stage_maps(self, features: Tensor, flow: Flow, last: int | None = None, mix: Mix | None = None) -> list[Tensor]:
        """Maps after the stem and after each stage, up to stage `last`."""
        maps = [features if self.stem is None else self.stem(features, flow)]
        for number, stage in enumerate(self.stages[:last], start=1):
            x = stage(maps[-1], flow)
            maps.append(x if mix is None else mix(number, x))
        return maps

    def to_label_frames(self, x: Tensor) -> Tensor:
        """Max-pool (batch, frames, width) to 100 ms frames where the context runs faster (HDA-SELD)."""
        if self.time_pool == 1:
            return x
        return F.max_pool1d(x.transpose(1, 2), self.time_pool, self.time_pool).transpose(1, 2)

    @property
    def deterministic_blocks(self) -> int:
        """Context blocks that belong to the trunk."""
        stochastic = {"head": 0, "last-block": 1, "feed-forwards": self.spec.network.context.blocks}
        return len(self.context) - stochastic[self.spec.dropout.placement]

    def mask_sites(self) -> list[MaskSite]:
        """Sites that Monte Carlo dropout draws, in the order of their PRNG numbers."""
        modules: list[nn.Module] = [*self.context[self.deterministic_blocks :], self.head]
        if self.active_exit is not None:
            modules = [self.exits[self.active_exit]]
        sites = [module for part in modules for module in part.modules() if isinstance(module, MaskSite)]
        if self.spec.dropout.placement == "feed-forwards":
            sites = [site for site in sites if not site.name.endswith((".attention", ".convolution"))]
        return [site for site in sites if site.rate > 0]


def frequencies_out(network: NetworkSpec, signal: SignalSpec) -> int:
    """Frequency bands that remain after stem and stages."""
    bands = signal.mel_bands
    if network.stem is not None:
        bands = -(-bands // network.stem.stride[1])
    for stage in network.stages:
        bands = -(-bands // stage.stride[1]) // stage.pool[1]
    return bands
