"""Sequence models by name, as a list of blocks so that exits and dropout can sit between them."""

from collections.abc import Callable

from torch import nn

from edgeseld.core.spec import ContextSpec
from edgeseld.nn.conformer import ConformerBlock, ConvolutionBlock, TransformerBlock
from edgeseld.nn.recurrent import AttentionBlock, GatedGru, GruBlock

Block = Callable[[str, ContextSpec, float, int], nn.Module]
BLOCKS: dict[str, Block] = {
    "conformer": ConformerBlock,
    "transformer": TransformerBlock,
    "convolution": ConvolutionBlock,
    "gru": GruBlock,
    "gru-attention": AttentionBlock,
}


def context_blocks(spec: ContextSpec, rate: float, frames: int) -> nn.ModuleList:
    """Blocks from (batch, frames, width) to the same shape; mask sites are named `block-1.first` and so on."""
    lead = [GatedGru(spec)] if spec.kind == "gru-attention" else []
    blocks = [BLOCKS[spec.kind](f"block-{index + 1}", spec, rate, frames) for index in range(spec.blocks)]
    return nn.ModuleList([*lead, *blocks])
