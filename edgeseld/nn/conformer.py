"""Conformer, Transformer and convolutional blocks on sequences (batch, frames, width)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeseld.core.spec import ContextSpec
from edgeseld.nn.attention import SelfAttention
from edgeseld.nn.flow import Flow, MaskSite


class FeedForward(nn.Module):
    """LayerNorm, Linear, Swish, masked hidden channels, Linear."""

    def __init__(self, name: str, spec: ContextSpec, rate: float) -> None:
        super().__init__()
        hidden = spec.width * spec.feed_forward
        self.norm = nn.LayerNorm(spec.width)
        self.expand = nn.Linear(spec.width, hidden)
        self.site = MaskSite(name, hidden, rate)
        self.contract = nn.Linear(hidden, spec.width)

    def forward(self, x: Tensor, flow: Flow) -> Tensor:
        """The residual branch alone."""
        return self.contract(self.site(F.silu(self.expand(self.norm(x))), flow))


class ConvolutionModule(nn.Module):
    """Gated pointwise, depthwise over time, BatchNorm, Swish, pointwise (Gulati et al. 2020).

    The gate is two Linear layers instead of one that is split: delegates take it whole.
    """

    def __init__(self, name: str, spec: ContextSpec, rate: float, *, causal: bool) -> None:
        super().__init__()
        width, kernel = spec.width, spec.kernel_frames
        inner = width * spec.expansion
        self.norm = nn.LayerNorm(width)
        self.values = nn.Linear(width, inner)
        self.gates = nn.Linear(width, inner)
        self.past_frames = kernel - 1 if causal else 0
        padding = 0 if causal else kernel // 2
        self.depthwise = nn.Conv1d(inner, inner, kernel, padding=padding, groups=inner, bias=False)
        self.batch_norm: nn.Module = nn.BatchNorm1d(inner)
        self.out = nn.Linear(inner, width)
        self.site = MaskSite(name, width, rate)

    def forward(self, x: Tensor, flow: Flow) -> Tensor:
        """The residual branch alone."""
        y = self.norm(x)
        y = self.values(y) * torch.sigmoid(self.gates(y))
        y = flow.with_past(y, self.past_frames, dim=1).transpose(1, 2)
        y = F.silu(self.batch_norm(self.depthwise(y))).transpose(1, 2)
        return self.site(self.out(y), flow)


class ConformerBlock(nn.Module):
    """Half-step feed-forward, attention, convolution, half-step feed-forward, LayerNorm; pre-norm throughout."""

    def __init__(self, name: str, spec: ContextSpec, rate: float, frames: int) -> None:
        super().__init__()
        self.first = FeedForward(f"{name}.first", spec, rate)
        self.attention_norm = nn.LayerNorm(spec.width)
        self.attention = SelfAttention(spec, frames)
        self.attention_site = MaskSite(f"{name}.attention", spec.width, rate)
        self.convolution = ConvolutionModule(f"{name}.convolution", spec, rate, causal=spec.left_frames is not None)
        self.second = FeedForward(f"{name}.second", spec, rate)
        self.norm = nn.LayerNorm(spec.width)

    def forward(self, x: Tensor, flow: Flow) -> Tensor:
        """(batch, frames, width) to the same shape."""
        x = x + 0.5 * self.first(x, flow)
        x = x + self.attention_site(self.attention(self.attention_norm(x), flow), flow)
        x = x + self.convolution(x, flow)
        x = x + 0.5 * self.second(x, flow)
        return self.norm(x)


class TransformerBlock(nn.Module):
    """Pre-norm attention and feed-forward."""

    def __init__(self, name: str, spec: ContextSpec, rate: float, frames: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(spec.width)
        self.attention = SelfAttention(spec, frames)
        self.attention_site = MaskSite(f"{name}.attention", spec.width, rate)
        self.first = FeedForward(f"{name}.first", spec, rate)
        self.norm = nn.LayerNorm(spec.width)

    def forward(self, x: Tensor, flow: Flow) -> Tensor:
        """(batch, frames, width) to the same shape."""
        x = x + self.attention_site(self.attention(self.attention_norm(x), flow), flow)
        x = x + self.first(x, flow)
        return self.norm(x)


class ConvolutionBlock(nn.Module):
    """Convolution module and feed-forward, pre-norm: the plain convolutional rival of the Transformer block."""

    def __init__(self, name: str, spec: ContextSpec, rate: float, frames: int) -> None:
        super().__init__()
        self.convolution = ConvolutionModule(f"{name}.convolution", spec, rate, causal=spec.left_frames is not None)
        self.first = FeedForward(f"{name}.first", spec, rate)
        self.norm = nn.LayerNorm(spec.width)

    def forward(self, x: Tensor, flow: Flow) -> Tensor:
        """(batch, frames, width) to the same shape."""
        x = x + self.convolution(x, flow)
        x = x + self.first(x, flow)
        return self.norm(x)
