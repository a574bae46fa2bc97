"""Self-attention over frames, written as explicit products and softmax, which every export target takes."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeseld.core.spec import ContextSpec
from edgeseld.nn.flow import Flow

# Added to the scores of frames that must not be seen; finite, so that float16 and int8 targets stay finite.
HIDDEN = -1e4
# Shaw et al. 2018 as used by HDA-SELD: one embedding per distance, distances beyond this one share it.
SHAW_REACH = 512


class SelfAttention(nn.Module):
    """Multi-head attention over all frames, or causal over the `left_frames` before each frame.

    Positions: "bias" adds a learned scalar per head and distance; "shaw" adds the product of the query with a learned
    embedding of the distance; "none" adds nothing.
    """

    def __init__(self, spec: ContextSpec, frames: int) -> None:
        super().__init__()
        self.heads, self.positions, self.left_frames = spec.heads, spec.positions, spec.left_frames
        self.query = nn.Linear(spec.width, spec.width)
        self.key = nn.Linear(spec.width, spec.width)
        self.value = nn.Linear(spec.width, spec.width)
        self.out = nn.Linear(spec.width, spec.width)
        self.reach = frames - 1 if spec.left_frames is None else spec.left_frames
        distances = 2 * self.reach + 1 if spec.left_frames is None else self.reach + 1
        self.frozen_scores: Tensor | None
        self.register_buffer("frozen_scores", None, persistent=False)
        if spec.positions == "bias":
            self.bias = nn.Parameter(torch.zeros(spec.heads, distances))
        elif spec.positions == "shaw":
            self.embedding = nn.Parameter(torch.randn(2 * SHAW_REACH + 1, spec.width // spec.heads) * 0.02)

    def forward(self, x: Tensor, flow: Flow) -> Tensor:
        """(batch, frames, width) to the same shape."""
        query = self._split(self.query(x))
        if self.left_frames is None:
            key, value, offset = self._split(self.key(x)), self._split(self.value(x)), None
        else:
            key, value, offset = self._with_past(x, flow)
        batch, heads, frames, size = query.shape
        query = (query / math.sqrt(size)).reshape(batch * heads, frames, size)
        scores = torch.bmm(query, key.reshape(batch * heads, -1, size).transpose(1, 2))
        scores = scores.reshape(batch, heads, frames, -1)
        scores = scores + self._position_scores(query.reshape(batch, heads, frames, size))
        if offset is not None:
            scores = scores + offset
        weights = torch.softmax(scores, dim=-1).reshape(batch * heads, frames, -1)
        mixed = torch.bmm(weights, value.reshape(batch * heads, -1, size)).reshape(batch, heads, frames, size)
        return self.out(mixed.permute(0, 2, 1, 3).reshape(batch, frames, heads * size))

    def _split(self, x: Tensor) -> Tensor:
        """(batch, frames, width) to (batch, heads, frames, size)."""
        batch, frames, width = x.shape
        return x.reshape(batch, frames, self.heads, width // self.heads).permute(0, 2, 1, 3)

    def _with_past(self, x: Tensor, flow: Flow) -> tuple[Tensor, Tensor, Tensor]:
        """Keys and values with those of the past in front, and the offset that hides frames before the start.

        A column of ones travels with keys and values, so that zeros in the state mean "nothing was there".
        """
        present = torch.ones_like(x[:, :, :1])
        packed = torch.cat([self.key(x), self.value(x), present], dim=2)
        packed = flow.with_past(packed, self.reach, dim=1)
        width = x.shape[2]
        key, value = self._split(packed[:, :, :width]), self._split(packed[:, :, width : 2 * width])
        absent = (1.0 - packed[:, :, 2 * width]) * HIDDEN
        return key, value, absent.reshape(x.shape[0], 1, 1, -1)

    def _position_scores(self, query: Tensor) -> Tensor:
        """Scores by distance, broadcastable to (batch, heads, frames, keys)."""
        if self.positions == "shaw":
            return _shear(torch.matmul(query, self._shaw_embeddings(query.shape[2]).transpose(0, 1)))
        return self.frozen_scores if self.frozen_scores is not None else self.constant_scores(query.shape[2])

    def constant_scores(self, frames: int) -> Tensor:
        """Scores that depend on positions alone; exporters compute them once (nn/freeze.py)."""
        if self.left_frames is not None:
            return self._causal_scores(frames)
        if self.positions == "none":
            return self.query.weight.new_zeros(1, 1, 1, 1)
        bias = self.bias[:, self.reach - frames + 1 : self.reach + frames].unsqueeze(0).unsqueeze(2)
        return _shear(bias.expand(1, self.heads, frames, 2 * frames - 1))

    def _shaw_embeddings(self, frames: int) -> Tensor:
        """Embeddings of the distances -(frames - 1) .. frames - 1, (2 frames - 1, size)."""
        span = min(frames - 1, SHAW_REACH)
        near = self.embedding[SHAW_REACH - span : SHAW_REACH + span + 1]
        beyond = frames - 1 - span
        if beyond == 0:
            return near
        return torch.cat([near[:1].expand(beyond, -1), near, near[-1:].expand(beyond, -1)], dim=0)

    def _causal_scores(self, frames: int) -> Tensor:
        """Bias of the distances 0 .. left_frames before, others hidden: (1, heads, frames, left_frames + frames)."""
        table = self.bias if self.positions == "bias" else self.query.weight.new_zeros(self.heads, self.reach + 1)
        row = F.pad(table, (frames - 1, frames - 1), value=HIDDEN).unsqueeze(0).unsqueeze(2)
        return _shear(row.expand(1, self.heads, frames, self.reach + 2 * frames - 1))


def _shear(table: Tensor) -> Tensor:
    """Entry (q, j) of the result is entry (q, j + rows - 1 - q) of the table: distances to positions, without a gather.

    (batch, heads, rows, columns) to (batch, heads, rows, columns - rows + 1); the trick of Transformer-XL.
    """
    batch, heads, rows, columns = table.shape
    if rows == 1:
        return table
    flat = table.reshape(batch, heads, rows * columns)
    sheared = flat[:, :, rows - 1 : rows - 1 + rows * (columns - 1)].reshape(batch, heads, rows, columns - 1)
    return sheared[:, :, :, : columns - rows + 1]
