"""Mixing items of a batch at the input or behind a stage, and their losses alike (HDA-SELD, eqs. 12 to 17).

Losses are mixed, never directions: halfway between two directions lies a third one that nobody heard. For activities
this is the same as mixing labels, because cross-entropy is linear in its target; so mixup and LossMix, and CutMix and
CutLossMix, are two names for one thing here.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from edgeseld.core.recipe import PATCH_KINDS, MixSpec, mixing_layers
from edgeseld.train.batches import Batch


@dataclass(slots=True)
class Mixture:
    """How one batch is mixed; `ratio` is the share of each item's own map, its partner `order` gives the rest.

    Cutting a patch sets the ratio to the share of the area that was kept.
    """

    layer: int
    order: Tensor
    ratio: float
    patch: bool

    def __call__(self, layer: int, maps: Tensor) -> Tensor:
        """Maps (batch, channels, time, frequency) of a layer (0 the input, n stage n), mixed where it is the one."""
        if layer != self.layer:
            return maps
        others = maps[self.order.to(maps.device)]
        if not self.patch:
            return self.ratio * maps + (1.0 - self.ratio) * others
        rows, columns = (_cut(size, math.sqrt(1.0 - self.ratio)) for size in maps.shape[2:])
        mixed = maps.clone()
        mixed[:, :, rows, columns] = others[:, :, rows, columns]
        cut = (rows.stop - rows.start) * (columns.stop - columns.start)
        self.ratio = 1.0 - cut / (maps.shape[2] * maps.shape[3])
        return mixed


def _cut(size: int, share: float) -> slice:
    """A stretch of a side: its centre uniform, its ends clipped (CutMix)."""
    length = int(size * share)
    start = int(torch.randint(size, (1,))) - length // 2
    return slice(max(start, 0), min(start + length, size))


def draw_mixture(spec: MixSpec, items: int, stages: int) -> Mixture | None:
    """One layer, one ratio and one order of partners for a batch; None where the recipe mixes nothing."""
    layers = mixing_layers(spec, stages)
    if not layers:
        return None
    alpha = torch.tensor(spec.alpha)
    return Mixture(
        layer=layers[int(torch.randint(len(layers), (1,)))],
        order=torch.randperm(items),
        ratio=float(torch.distributions.Beta(alpha, alpha).sample()),
        patch=spec.kind in PATCH_KINDS,
    )


def mixed_losses(losses: Callable[[Batch], Tensor], batch: Batch, mixture: Mixture | None) -> Tensor:
    """Losses per item against the own references, and by the mixture's ratio against those of the partners."""
    own = losses(batch)
    if mixture is None or mixture.ratio == 1.0:
        return own
    return mixture.ratio * own + (1.0 - mixture.ratio) * losses(batch.in_order(mixture.order))
