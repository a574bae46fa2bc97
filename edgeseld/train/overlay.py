"""Scenes laid over one another: the features of a sum of two signals, from the features of each, and its labels."""

from collections.abc import Sequence

import torch
from torch import Tensor

from edgeseld.core.recipe import OverlaySpec
from edgeseld.core.spec import SignalSpec
from edgeseld.train.batches import Batch

# Slots whose sum is the first, second and third event of a class: A0, B0, C0; B1, C1; C2. Empty slots hold zeros.
LANES = ((0, 1, 3), (2, 4), (5,))
# Slots of as many events of a class, by their number.
SLOTS_OF = {1: (0,), 2: (1, 2), 3: (3, 4, 5)}


def overlay(batch: Batch, spec: OverlaySpec, signals: Sequence[SignalSpec]) -> Batch:
    """`spec.share` of the items hear another item of the batch beside themselves, louder or softer by up to `gain_db`.

    Labels are those of both. What cached teachers said of the items cannot follow: recipes with those are refused.
    """
    if spec.share == 0.0:
        return batch
    items = batch.features.shape[0]
    order = torch.randperm(items)
    overlaid = torch.rand(items) < spec.share
    gains = 10.0 ** ((2.0 * torch.rand(items) - 1.0) * spec.gain_db / 10.0) * overlaid
    maps = [add_scenes(own, own[order], gains, signal) for own, signal in zip(batch.heard, signals[1:], strict=True)]
    others = batch.target[order] * overlaid.to(batch.target).reshape(-1, 1, 1, 1, 1)
    return Batch(
        features=add_scenes(batch.features, batch.features[order], gains, signals[0]),
        target=add_events(batch.target, others),
        places=batch.places,
        heard=tuple(maps),
    )


def add_scenes(own: Tensor, other: Tensor, gains: Tensor, signal: SignalSpec) -> Tensor:
    """Features (batch, maps, hops, mel_bands) of signals plus others whose power is multiplied by `gains` (batch,).

    Powers add, and so do intensities and cross spectra; the product of two independent signals averages out.
    """
    power_gains = gains.to(own).reshape(-1, 1, 1, 1)
    count = signal.channels
    power, added = torch.expm1(own[:, :count]), torch.expm1(other[:, :count]) * power_gains
    levels = torch.log1p(power + added)
    if signal.spatial == "none":
        return levels
    ours = own[:, count:] * _divisor(power, signal)
    theirs = other[:, count:] * _divisor(torch.expm1(other[:, :count]), signal) * power_gains
    return torch.cat([levels, (ours + theirs) / _divisor(power + added, signal)], dim=1)


def _divisor(power: Tensor, signal: SignalSpec) -> Tensor:
    """What the frontend divides intensities or cross spectra by, its floor of 1 included."""
    if signal.spatial == "band-intensity":
        return power[:, :1] + power[:, 1:4].sum(dim=1, keepdim=True) / 3.0 + 1.0
    pairs = torch.combinations(torch.arange(signal.channels)).to(power.device)
    return (power[:, pairs[:, 0]] * power[:, pairs[:, 1]] + 1.0).sqrt().repeat(1, 2, 1, 1)


def add_events(own: Tensor, others: Tensor) -> Tensor:
    """ADPIT targets (batch, frames, 6, 5, classes) with the events of both; of more than three of a class the first."""
    lanes = torch.stack([target[:, :, list(slots)].sum(dim=2) for target in (own, others) for slots in LANES], dim=2)
    active = lanes[:, :, :, 0] > 0
    first = active.int().argsort(dim=2, descending=True, stable=True)[:, :, : len(LANES)]
    events = lanes.gather(2, first.unsqueeze(3).expand(-1, -1, -1, lanes.shape[3], -1))
    count = active.sum(dim=2).clamp(max=len(LANES))
    target = torch.zeros_like(own)
    for number, slots in SLOTS_OF.items():
        as_many = (count == number).to(own).unsqueeze(2).unsqueeze(3)
        target[:, :, list(slots)] = events[:, :, :number] * as_many
    return target
