"""Recurrent sequence models: the GRU of Kang's teacher and the gated GRU with attention of the DCASE baseline."""

import torch
from torch import Tensor, nn

from edgeseld.core.spec import ContextSpec
from edgeseld.nn.attention import SelfAttention
from edgeseld.nn.flow import Flow


class GruBlock(nn.Module):
    """A bidirectional GRU layer of `width` per direction, brought back to `width` (Kang 2023 gives no layers)."""

    def __init__(self, name: str, spec: ContextSpec, rate: float, frames: int) -> None:
        super().__init__()
        self.gru = nn.GRU(spec.width, spec.width, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * spec.width, spec.width)

    def forward(self, x: Tensor, flow: Flow) -> Tensor:
        """(batch, frames, width) to the same shape."""
        return self.out(self.gru(x)[0])


class GatedGru(nn.Module):
    """Two bidirectional GRU layers; tanh of the output, one half times the other (DCASE 2023 baseline)."""

    def __init__(self, spec: ContextSpec) -> None:
        super().__init__()
        self.gru = nn.GRU(spec.width, spec.width, num_layers=2, batch_first=True, bidirectional=True, dropout=0.05)

    def forward(self, x: Tensor, flow: Flow) -> Tensor:
        """(batch, frames, width) to the same shape."""
        y = torch.tanh(self.gru(x)[0])
        half = y.shape[2] // 2
        return y[:, :, half:] * y[:, :, :half]


class AttentionBlock(nn.Module):
    """Self-attention with residual and LayerNorm after it (DCASE 2023 baseline)."""

    def __init__(self, name: str, spec: ContextSpec, rate: float, frames: int) -> None:
        super().__init__()
        self.attention = SelfAttention(spec, frames)
        self.norm = nn.LayerNorm(spec.width)

    def forward(self, x: Tensor, flow: Flow) -> Tensor:
        """(batch, frames, width) to the same shape."""
        return self.norm(x + self.attention(x, flow))
