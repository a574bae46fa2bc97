"""Augmentation of feature batches, drawn from torch's generator."""

import torch
from torch import Tensor

from edgeseld.core.recipe import AugmentSpec, SpecAugmentSpec
from edgeseld.core.spec import SignalSpec
from edgeseld.train.batches import Batch

# Position of the axes Y, Z, X among the audio channels W, Y, Z, X, and of x, y, z among the target values.
CHANNEL_OF_AXIS = {"x": 3, "y": 1, "z": 2}
VALUE_OF_AXIS = {"x": 1, "y": 2, "z": 3}


def swap_channels(batch: Batch) -> Batch:
    """Turn and mirror each item's sound field by one of 16 exact symmetries, its labels alike (FOA; Kang 2023's ACS).

    X and Y change places or not, then each axis changes its sign or not.
    """
    items = batch.features.shape[0]
    exchanged = torch.rand(items) < 0.5
    signs = (torch.rand(3, items) < 0.5).float() * 2 - 1
    return Batch(
        features=swap_features(batch.features, exchanged, signs),
        target=swap_target(batch.target, exchanged, signs),
        places=batch.places,
    )


def swap_features(features: Tensor, exchanged: Tensor, signs: Tensor) -> Tensor:
    """Levels W, Y, Z, X and intensities Y, Z, X of fields with x, y exchanged, then signs (3, batch) for x, y, z."""
    w, y, z, x, intensity_y, intensity_z, intensity_x = features.unbind(dim=1)
    swap = exchanged.reshape(-1, 1, 1).to(features.device)
    sign_x, sign_y, sign_z = signs.reshape(3, -1, 1, 1).to(features)
    return torch.stack(
        [
            w,
            torch.where(swap, x, y),
            z,
            torch.where(swap, y, x),
            torch.where(swap, intensity_x, intensity_y) * sign_y,
            intensity_z * sign_z,
            torch.where(swap, intensity_y, intensity_x) * sign_x,
        ],
        dim=1,
    )


def swap_target(target: Tensor, exchanged: Tensor, signs: Tensor) -> Tensor:
    """ADPIT targets of the same fields."""
    activity, x, y, z, distance = target.unbind(dim=3)
    swap = exchanged.reshape(-1, 1, 1, 1).to(target.device)
    sign_x, sign_y, sign_z = signs.reshape(3, -1, 1, 1, 1).to(target)
    turned = (torch.where(swap, y, x) * sign_x, torch.where(swap, x, y) * sign_y, z * sign_z)
    return torch.stack([activity, *turned, distance], dim=3)


def spec_augment(features: Tensor, spec: SpecAugmentSpec) -> Tensor:
    """Standardised features with spans of time and bands of frequency set to zero, their mean (Park et al. 2019)."""
    hops = _spans(features, features.shape[2], spec.time_masks, spec.time_hops)
    bands = _spans(features, features.shape[3], spec.frequency_masks, spec.frequency_bands)
    masked = hops.reshape(features.shape[0], 1, -1, 1) | bands.reshape(features.shape[0], 1, 1, -1)
    return features.masked_fill(masked, 0.0)


def _spans(features: Tensor, length: int, count: int, longest: int) -> Tensor:
    """(batch, length) true inside `count` random spans of up to `longest` places."""
    items = features.shape[0]
    width = torch.randint(longest + 1, (items, count, 1))
    start = (torch.rand(items, count, 1) * (length - width + 1)).long()
    position = torch.arange(length)
    return ((position >= start) & (position < start + width)).any(dim=1).to(features.device)


def augment_batch(batch: Batch, spec: AugmentSpec, signal: SignalSpec) -> Batch:
    """Augmentations that need unstandardised features."""
    if spec.channel_swap and signal.channel_format == "foa":
        return swap_channels(batch)
    return batch
