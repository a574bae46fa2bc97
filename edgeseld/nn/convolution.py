"""Convolutional encoder: stem and stages on maps (batch, channels, time, frequency)."""

import torch.nn.functional as F
from torch import Tensor, nn

from edgeseld.core.spec import StageSpec, StemSpec, TimeFrequency
from edgeseld.nn.flow import Flow


class TimeConv(nn.Module):
    """2-D convolution that keeps the time grid: frames / stride out, centred, or causal with the past carried along."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: TimeFrequency,
        stride: TimeFrequency = (1, 1),
        *,
        groups: int = 1,
        bias: bool = False,
        causal: bool = False,
    ) -> None:
        super().__init__()
        reach = max(kernel[0] - stride[0], 0)
        self.past_frames = reach if causal else 0
        before, after = (0, 0) if causal else (reach // 2, reach - reach // 2)
        span = max(kernel[1] - stride[1], 0)
        self.padding = (span // 2, span - span // 2, before, after)
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=bias)

    def forward(self, x: Tensor, flow: Flow) -> Tensor:
        """(batch, inputs, time, frequency) to (batch, outputs, time / stride, frequency / stride)."""
        x = flow.with_past(x, self.past_frames, dim=2)
        left, right, before, after = self.padding
        if left == right and before == after:
            return F.conv2d(x, self.conv.weight, self.conv.bias, self.conv.stride, (before, left), 1, self.conv.groups)
        return self.conv(F.pad(x, self.padding))


class ConvNorm(nn.Module):
    """Convolution and BatchNorm."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: TimeFrequency = (3, 3),
        stride: TimeFrequency = (1, 1),
        *,
        groups: int = 1,
        bias: bool = False,
        causal: bool = False,
    ) -> None:
        super().__init__()
        self.conv = TimeConv(inputs, outputs, kernel, stride, groups=groups, bias=bias, causal=causal)
        self.norm: nn.Module = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor, flow: Flow) -> Tensor:
        """Normalised maps, no activation."""
        return self.norm(self.conv(x, flow))


class ConvBlock(nn.Module):
    """3x3 convolution, BatchNorm, ReLU (DCASE baseline)."""

    def __init__(self, inputs: int, outputs: int, stride: TimeFrequency, *, causal: bool) -> None:
        super().__init__()
        self.body = ConvNorm(inputs, outputs, (3, 3), stride, bias=True, causal=causal)

    def forward(self, x: Tensor, flow: Flow) -> Tensor:
        """(batch, inputs, time, frequency) to (batch, outputs, ...)."""
        return F.relu(self.body(x, flow))


class ResidualBlock(nn.Module):
    """ResNet's BasicBlock: 3x3, BatchNorm, ReLU, 3x3, BatchNorm, added to the shortcut, ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: TimeFrequency, *, causal: bool) -> None:
        super().__init__()
        self.first = ConvNorm(inputs, outputs, (3, 3), stride, causal=causal)
        self.second = ConvNorm(outputs, outputs, (3, 3), causal=causal)
        same = inputs == outputs and stride == (1, 1)
        self.shortcut = None if same else ConvNorm(inputs, outputs, (1, 1), stride, causal=causal)

    def forward(self, x: Tensor, flow: Flow) -> Tensor:
        """(batch, inputs, time, frequency) to (batch, outputs, time / stride, frequency / stride)."""
        y = self.second(F.relu(self.first(x, flow)), flow)
        return F.relu(y + (x if self.shortcut is None else self.shortcut(x, flow)))


class DoubleConvBlock(nn.Module):
    """Two 3x3 convolutions with BatchNorm and ReLU, and a residual path (Berghi 2024)."""

    def __init__(self, inputs: int, outputs: int, stride: TimeFrequency, *, causal: bool) -> None:
        super().__init__()
        self.first = ConvNorm(inputs, outputs, (3, 3), stride, causal=causal)
        self.second = ConvNorm(outputs, outputs, (3, 3), causal=causal)
        self.shortcut = ConvNorm(inputs, outputs, (1, 1), stride, causal=causal)

    def forward(self, x: Tensor, flow: Flow) -> Tensor:
        """(batch, inputs, time, frequency) to (batch, outputs, time / stride, frequency / stride)."""
        y = F.relu(self.second(F.relu(self.first(x, flow)), flow))
        return y + self.shortcut(x, flow)


class SeparableBlock(nn.Module):
    """Depthwise 3x3 and pointwise convolution, each with BatchNorm, and a shortcut where the shapes agree."""

    def __init__(self, inputs: int, outputs: int, stride: TimeFrequency, *, causal: bool) -> None:
        super().__init__()
        self.depthwise = ConvNorm(inputs, inputs, (3, 3), stride, groups=inputs, causal=causal)
        self.pointwise = ConvNorm(inputs, outputs, (1, 1), causal=causal)
        self.residual = inputs == outputs and stride == (1, 1)

    def forward(self, x: Tensor, flow: Flow) -> Tensor:
        """(batch, inputs, time, frequency) to (batch, outputs, time / stride, frequency / stride)."""
        y = self.pointwise(F.relu(self.depthwise(x, flow)), flow)
        return F.relu(y + x if self.residual else y)


BLOCKS: dict[str, type[ConvBlock | ResidualBlock | DoubleConvBlock | SeparableBlock]] = {
    "conv": ConvBlock,
    "residual": ResidualBlock,
    "double-conv": DoubleConvBlock,
    "separable": SeparableBlock,
}


class Stem(nn.Module):
    """First convolution, BatchNorm, ReLU."""

    def __init__(self, inputs: int, spec: StemSpec, *, causal: bool) -> None:
        super().__init__()
        self.body = ConvNorm(inputs, spec.channels, spec.kernel, spec.stride, causal=causal)

    def forward(self, x: Tensor, flow: Flow) -> Tensor:
        """Features (batch, inputs, hops, mels) to maps."""
        return F.relu(self.body(x, flow))


class Stage(nn.Module):
    """Blocks of one width, then pooling."""

    def __init__(self, inputs: int, spec: StageSpec, *, causal: bool) -> None:
        super().__init__()
        block = BLOCKS[spec.block]
        strides: list[TimeFrequency] = [spec.stride] + [(1, 1)] * (spec.blocks - 1)
        widths = [inputs] + [spec.channels] * spec.blocks
        self.blocks = nn.ModuleList(
            block(before, after, stride, causal=causal)
            for before, after, stride in zip(widths, widths[1:], strides, strict=False)
        )
        self.pool, self.pool_kind = spec.pool, spec.pool_kind

    def forward(self, x: Tensor, flow: Flow) -> Tensor:
        """Maps of one stage to maps of the next."""
        for block in self.blocks:
            x = block(x, flow)
        if self.pool == (1, 1):
            return x
        # The stride is spelt out: coremltools does not know its default.
        pool = F.max_pool2d if self.pool_kind == "max" else F.avg_pool2d
        return pool(x, self.pool, self.pool)
