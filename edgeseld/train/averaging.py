"""The exponential average of a training's weights, which is what is validated and kept."""

from collections.abc import Callable, Sequence

import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor

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
