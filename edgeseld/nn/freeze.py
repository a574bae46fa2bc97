"""A trained network made ready to leave: BatchNorm folded into convolutions, position scores computed once.

The result is the same module with the same numbers up to rounding, so nothing can drift from what was trained.
"""

import copy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from edgeseld.nn.attention import SelfAttention
from edgeseld.nn.conformer import ConvolutionModule
from edgeseld.nn.convolution import ConvNorm
from edgeseld.nn.network import SeldNetwork


def frozen(network: SeldNetwork, *, context_frames: int | None = None) -> SeldNetwork:
    """A copy in evaluation mode for fixed shapes; `context_frames` is 1 for a stream, by default a window's."""
    spec = network.spec
    frames = context_frames or spec.signal.window_hops // spec.network.time_reduction()
    result = copy.deepcopy(network).eval().float()
    for module in result.modules():
        if isinstance(module, ConvNorm):
            _fold(module.conv, "conv", module, "norm")
        elif isinstance(module, ConvolutionModule):
            _fold(module, "depthwise", module, "batch_norm")
        elif isinstance(module, SelfAttention) and module.positions != "shaw":
            with torch.no_grad():
                module.frozen_scores = module.constant_scores(frames).clone()
    return result.requires_grad_(False)


def _fold(conv_owner: nn.Module, conv_name: str, norm_owner: nn.Module, norm_name: str) -> None:
    """Replace a convolution by its product with the BatchNorm behind it."""
    conv, norm = getattr(conv_owner, conv_name), getattr(norm_owner, norm_name)
    setattr(conv_owner, conv_name, fuse_conv_bn_eval(conv, norm))
    setattr(norm_owner, norm_name, nn.Identity())
