"""Averages of weights: the exponential one that is validated and kept, and the one with the weights of the start."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from lightning.pytorch.callbacks import WeightAveraging
from safetensors.torch import load_file
from torch import Tensor

from edgeseld.nn.network import SeldNetwork

Update = Callable[[Sequence[Tensor], Sequence[Tensor], Tensor | int], None]


def weight_average(decay: float) -> WeightAveraging:
    """Lightning's callback with all tensors averaged at once, where the network is: its own average lies on the CPU."""
    return WeightAveraging(
        "cuda" if torch.cuda.is_available() else None, use_buffers=True, multi_avg_fn=exponential_average(decay)
    )


def exponential_average(decay: float) -> Update:
    """Averages by min(decay, (1 + n) / (10 + n)) after n updates: a young average that looked back as far as an old one
    would hold weights whose BatchNorm knows none of them."""

    @torch.no_grad()
    def update(averaged: Sequence[Tensor], current: Sequence[Tensor], updates: Tensor | int) -> None:
        count = int(updates)
        kept = min(decay, (1 + count) / (10 + count))
        if averaged[0].is_floating_point():
            torch._foreach_lerp_(list(averaged), list(current), 1.0 - kept)
        else:
            torch._foreach_copy_(list(averaged), list(current))

    return update


@torch.no_grad()
def mix_in(network: SeldNetwork, weights: Path, share: float) -> None:
    """The network becomes (1 - share) of itself and `share` of a file (WiSE-FT, Wortsman et al. 2022)."""
    other = load_file(weights)
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            tensor.lerp_(other[name].to(tensor), share)
