"""Augmentation of feature batches, drawn from torch's generator."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from edgeseld.core.recipe import AugmentSpec, ColourSpec, CutoutSpec, SpecAugmentSpec
from edgeseld.core.spec import SignalSpec
from edgeseld.train.batches import Batch
from edgeseld.train.overlay import overlay
from edgeseld.train.turning import (
    common_swaps,
    rotate_features,
    rotation_matrices,
    swap_features,
    swap_matrices,
    turn_outputs,
    turn_target,
)


def augment_batch(batch: Batch, spec: AugmentSpec, signals: Sequence[SignalSpec]) -> Batch:
    """Augmentations that need unstandardised features; `signals` are the student's and those of its live teachers."""
    if spec.channel_swap:
        batch = swap_channels(batch, signals)
    if spec.rotation:
        batch = rotate(batch)
    return overlay(colour(batch, spec.colour, signals), spec.overlay, signals)


def swap_channels(batch: Batch, signals: Sequence[SignalSpec]) -> Batch:
    """Turn and mirror each item's sound field by an exact symmetry of its channels, labels alike (Kang 2023's ACS).

    FOA has 16, the tetrahedral array 8, stereo its mirror image.
    """
    swaps = common_swaps([signal.channel_format for signal in signals])
    drawn = torch.randint(len(swaps), (batch.features.shape[0],))
    heard = [swap_features(maps, signal, swaps, drawn) for maps, signal in zip(batch.heard, signals[1:], strict=True)]
    features = swap_features(batch.features, signals[0], swaps, drawn)
    return _turned(batch, features, heard, swap_matrices(swaps, drawn))


def rotate(batch: Batch) -> Batch:
    """Turn each item's sound field about the vertical axis by any angle, labels alike (FOA with intensity)."""
    azimuth_rad = torch.rand(batch.features.shape[0]) * 2.0 * math.pi
    heard = [rotate_features(maps, azimuth_rad) for maps in batch.heard]
    return _turned(batch, rotate_features(batch.features, azimuth_rad), heard, rotation_matrices(azimuth_rad))


def _turned(batch: Batch, features: Tensor, heard: Sequence[Tensor], matrices: Tensor) -> Batch:
    target, taught = turn_target(batch.target, matrices), turn_outputs(batch.taught, matrices)
    return replace(batch, features=features, heard=tuple(heard), target=target, taught=taught)


def colour(batch: Batch, spec: ColourSpec, signals: Sequence[SignalSpec]) -> Batch:
    """Items as of sources with another spectrum; all channels alike, so directions stay. Live teachers hear the same.

    Features are those before standardisation, whose first maps are the log-mel of the channels.
    """
    gains_db, shift = _draw_gains_db(len(batch.features), spec), _draw_shift(len(batch.features), spec)

    def coloured(features: Tensor, signal: SignalSpec) -> Tensor:
        if gains_db is not None:
            features = _with_gains(features, gains_db, signal.channels)
        return features if shift is None else _shift_bands(features, shift)

    heard = [coloured(maps, signal) for maps, signal in zip(batch.heard, signals[1:], strict=True)]
    return replace(batch, features=coloured(batch.features, signals[0]), heard=tuple(heard))


# Places of the points along the bands, from 0 to 1, and the levels there in dB, both (batch, points).
Curves = tuple[Tensor, Tensor]


def _draw_gains_db(items: int, spec: ColourSpec) -> Curves | None:
    """A line through `points` levels at random bands, the ends among them, for each item."""
    if spec.gain_db == 0:
        return None
    places = torch.rand(items, spec.points).sort(dim=1).values
    places[:, 0], places[:, -1] = 0.0, 1.0
    return places, (2.0 * torch.rand(items, spec.points) - 1.0) * spec.gain_db


def _draw_shift(items: int, spec: ColourSpec) -> Tensor | None:
    """By how many bands each item moves, (batch, 1)."""
    return torch.randint(-spec.shift_bands, spec.shift_bands + 1, (items, 1)) if spec.shift_bands > 0 else None


def _with_gains(features: Tensor, curves: Curves, channels: int) -> Tensor:
    """Levels of all channels with the gains of each item's curve."""
    places, levels_db = curves
    items, bands = features.shape[0], features.shape[3]
    position = torch.linspace(0.0, 1.0, bands).expand(items, -1).contiguous()
    after = torch.searchsorted(places, position).clamp(1, places.shape[1] - 1)
    start, end = places.gather(1, after - 1), places.gather(1, after)
    share = (position - start) / (end - start).clamp(min=1e-6)
    curve_db = torch.lerp(levels_db.gather(1, after - 1), levels_db.gather(1, after), share)
    gains = (10.0 ** (curve_db / 10.0)).reshape(items, 1, 1, bands).to(features.device)
    return torch.cat([torch.log1p(torch.expm1(features[:, :channels]) * gains), features[:, channels:]], dim=1)


def _shift_bands(features: Tensor, shift: Tensor) -> Tensor:
    """Each item moved along the bands, its edge repeated."""
    items, bands = features.shape[0], features.shape[3]
    source = (torch.arange(bands) - shift).clamp(0, bands - 1).to(features.device)
    return features.gather(3, source.reshape(items, 1, 1, bands).expand_as(features))


def spec_augment(features: Tensor, spec: SpecAugmentSpec) -> Tensor:
    """Standardised features with spans of time and bands of frequency set to zero, their mean (Park et al. 2019)."""
    hops = _spans(features, features.shape[2], spec.time_masks, spec.time_hops).any(dim=1)
    bands = _spans(features, features.shape[3], spec.frequency_masks, spec.frequency_bands).any(dim=1)
    masked = hops.reshape(features.shape[0], 1, -1, 1) | bands.reshape(features.shape[0], 1, 1, -1)
    return features.masked_fill(masked, 0.0)


def cutout(features: Tensor, spec: CutoutSpec) -> Tensor:
    """Standardised features with rectangles set to zero, their mean (DeVries & Taylor 2017; Kang 2023)."""
    if spec.patches == 0:
        return features
    hops = _spans(features, features.shape[2], spec.patches, spec.hops).unsqueeze(3)
    bands = _spans(features, features.shape[3], spec.patches, spec.bands).unsqueeze(2)
    return features.masked_fill((hops & bands).any(dim=1, keepdim=True), 0.0)


def _spans(features: Tensor, length: int, count: int, longest: int) -> Tensor:
    """(batch, count, length) true inside random spans of up to `longest` places."""
    items = features.shape[0]
    width = torch.randint(longest + 1, (items, count, 1))
    start = (torch.rand(items, count, 1) * (length - width + 1)).long()
    position = torch.arange(length)
    return ((position >= start) & (position < start + width)).to(features.device)
