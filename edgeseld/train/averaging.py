"""Averages of weights: the exponential one that is validated and kept, and the one with the weights of the start."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from lightning.pytorch.callbacks import WeightAveraging
from safetensors.torch import load_file
from torch import Tensor

from edgeseld.nn.network import SeldNetwork
from edgeseld.nn.weights import save_weights

START_FILE = "start.safetensors"
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


class StartWeights:
    """The weights that a training started from, kept in its folder so that a resumed run ends as an unbroken one."""

    def __init__(self, network: SeldNetwork, output: Path, *, resumed: bool) -> None:
        self.path = output / START_FILE
        if not resumed:
            save_weights(network, self.path)

    @torch.no_grad()
    def mix_into(self, network: SeldNetwork, share: float) -> None:
        """The network becomes (1 - share) of itself and `share` of the start."""
        start = load_file(self.path)
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                tensor.lerp_(start[name].to(tensor), share)
