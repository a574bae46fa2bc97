"""Early exits: light heads after stages and context blocks, for self-distillation and for several latencies."""

import torch.nn.functional as F
from torch import Tensor, nn

from edgeseld.core.spec import ModelSpec
from edgeseld.nn.flow import Flow
from edgeseld.nn.heads import Output, build_head


class StageExit(nn.Module):
    """Maps of a stage to the width of the context: mean over frequency, Linear, LayerNorm, then a head of its own.

    Zhang et al. 2019 put a bottleneck and pooling before each shallow classifier; this is its form for sequences.
    """

    def __init__(self, channels: int, frames_per_label: int, spec: ModelSpec) -> None:
        super().__init__()
        width = spec.network.context.width
        self.frames_per_label = frames_per_label
        self.bottleneck = nn.Linear(channels, width)
        self.norm = nn.LayerNorm(width)
        self.head = build_head(width, spec.head, len(spec.classes), spec.dropout.head)

    def embed(self, maps: Tensor) -> Tensor:
        """Maps (batch, channels, time, frequency) to the hint (batch, label frames, width)."""
        pooled = F.avg_pool2d(maps, (self.frames_per_label, maps.shape[3]))
        return self.norm(self.bottleneck(pooled.flatten(2).transpose(1, 2)))

    def forward(self, hint: Tensor, flow: Flow) -> Output:
        """The head's outputs."""
        return self.head(hint, flow)


class BlockExit(nn.Module):
    """The sequence behind a context block to a head of its own."""

    def __init__(self, frames_per_label: int, spec: ModelSpec) -> None:
        super().__init__()
        self.frames_per_label = frames_per_label
        self.head = build_head(spec.network.context.width, spec.head, len(spec.classes), spec.dropout.head)

    def embed(self, x: Tensor) -> Tensor:
        """Sequence (batch, frames, width) to the hint, itself on label frames."""
        if self.frames_per_label == 1:
            return x
        return F.max_pool1d(x.transpose(1, 2), self.frames_per_label, self.frames_per_label).transpose(1, 2)

    def forward(self, hint: Tensor, flow: Flow) -> Output:
        """The head's outputs."""
        return self.head(hint, flow)
