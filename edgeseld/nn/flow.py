"""What travels through the network beside the signal: dropout masks and, in a stream, the past.

Both are explicit tensors, so that every export target takes them as inputs and gives them back as outputs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass
class Flow:
    """One pass through the network.

    `masks` holds masks by site name, (batch, 1, channels); sites without one draw it in training and pass at inference.
    `past` holds what causal layers kept from the call before, in network order; None means silence before the start.
    `kept` collects what they keep for the next call.
    """

    masks: Mapping[str, Tensor] = field(default_factory=dict)
    past: Iterator[Tensor] | None = None
    kept: list[Tensor] = field(default_factory=list)

    def with_past(self, x: Tensor, frames: int, dim: int) -> Tensor:
        """`x` with the `frames` frames before it in front, along `dim`; the last ones are kept for the next call."""
        if frames == 0:
            return x
        if self.past is None:
            pad = [0] * (2 * x.dim())
            pad[2 * (x.dim() - 1 - dim)] = frames
            extended = F.pad(x, pad)
        else:
            extended = torch.cat([next(self.past), x], dim=dim)
        self.kept.append(extended.narrow(dim, extended.shape[dim] - frames, frames))
        return extended


class MaskSite(nn.Module):
    """Channel dropout, the same over time, whose mask can be an input: Bernoulli(1 - rate) / (1 - rate)."""

    def __init__(self, name: str, channels: int, rate: float) -> None:
        super().__init__()
        self.name, self.channels, self.rate = name, channels, rate

    def forward(self, x: Tensor, flow: Flow) -> Tensor:
        """Mask x (batch, frames, channels)."""
        if self.name in flow.masks:
            return x * flow.masks[self.name]
        if self.training and self.rate > 0:
            kept = torch.rand(x.shape[0], 1, x.shape[2], device=x.device) >= self.rate
            return x * (kept / (1.0 - self.rate)).to(x.dtype)
        return x
