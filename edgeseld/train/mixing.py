"""Mixing items of a batch at the input or behind a stage, and their losses alike (HDA-SELD, eqs. 12 to 17).

Losses are mixed, never directions: halfway between two directions lies a third one that nobody heard. For activities
this is the same as mixing labels, because cross-entropy is linear in its target; so mixup and LossMix, and CutMix and
CutLossMix, are two names for one thing here.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from edgeseld.core.recipe import PATCH_KINDS, MixSpec, mixing_layers
from edgeseld.train.batches import Batch


@dataclass(frozen=True, slots=True)
class Mixture:
    """How one batch is mixed at a layer, 0 the input and n stage n: each item's own map, and that of its partner.

    `ratio` () is the share of the own map. With a `centre`, a place (2,) in time and frequency from 0 to 1, the rest is
    a patch around it that is cut from the partner's map, its ends clipped (CutMix). Tensors, so that compiled code
    serves all of them.
    """

    layer: int
    order: Tensor
    ratio: Tensor
    centre: Tensor | None = None

    def __call__(self, layer: int, maps: Tensor) -> Tensor:
        """Maps (batch, channels, time, frequency) of a layer, mixed where it is the one."""
        if layer != self.layer:
            return maps
        others = maps[self.order]
        if self.centre is None:
            return self.ratio * maps + (1.0 - self.ratio) * others
        return torch.where(self._patch(maps), others, maps)

    def own_share(self, maps: Tensor) -> Tensor:
        """Share of the own map in mixed maps of this layer: the ratio, or the share of the area that was kept."""
        return self.ratio if self.centre is None else 1.0 - self._patch(maps).float().mean()

    def _patch(self, maps: Tensor) -> Tensor:
        """(time, frequency), true where the partner is heard."""
        assert self.centre is not None
        side = (1.0 - self.ratio).sqrt()
        rows, columns = (_cut(size, side, self.centre[axis]) for axis, size in enumerate(maps.shape[2:]))
        return rows.unsqueeze(1) & columns

    def to(self, device: torch.device) -> "Mixture":
        """The same mixture for maps of a device."""
        centre = None if self.centre is None else self.centre.to(device)
        return Mixture(self.layer, self.order.to(device), self.ratio.to(device), centre)


def _cut(size: int, share: Tensor, centre: Tensor) -> Tensor:
    """(size,), true inside a stretch of a side, whose length is rounded down."""
    length = (size * share).floor()
    start = (size * centre).floor() - (length / 2.0).floor()
    place = torch.arange(size, device=centre.device)
    return (place >= start) & (place < start + length)


def draw_mixture(spec: MixSpec, items: int, stages: int) -> Mixture | None:
    """One layer, one ratio and one order of partners for a batch; None where the recipe mixes nothing."""
    layers = mixing_layers(spec, stages)
    if not layers:
        return None
    alpha = torch.tensor(spec.alpha)
    return Mixture(
        layer=layers[int(torch.randint(len(layers), (1,)))],
        order=torch.randperm(items),
        ratio=torch.distributions.Beta(alpha, alpha).sample(),
        centre=torch.rand(2) if spec.kind in PATCH_KINDS else None,
    )


def mixed_losses(losses: Callable[[Batch], Tensor], batch: Batch, order: Tensor, own_share: Tensor) -> Tensor:
    """Losses per item against the own references by their share, and against those of the partners by the rest."""
    return own_share * losses(batch) + (1.0 - own_share) * losses(batch.in_order(order))
