"""Turns of the sound field on features and on whatever holds directions: exact swaps of channels, and rotations."""

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

from edgeseld.core.spec import ChannelFormat, SignalSpec
from edgeseld.signal.channel_swap import ALL_SWAPS, TABLE_SWAPS, ChannelSwap, mic_order

# Where a map of the swapped field comes from, and its sign.
SignedMap = tuple[int, int]
UNTOUCHED = ChannelSwap(False, 1, 1, 1)
MIRROR = ChannelSwap(False, 1, -1, 1)
SWAPS: dict[ChannelFormat, tuple[ChannelSwap, ...]] = {
    "foa": ALL_SWAPS,
    "mic": TABLE_SWAPS,
    "stereo": (UNTOUCHED, MIRROR),
    "mono": (UNTOUCHED,),
}


def common_swaps(formats: Sequence[ChannelFormat]) -> tuple[ChannelSwap, ...]:
    """Swaps that every one of the channel formats allows."""
    return tuple(swap for swap in ALL_SWAPS if all(swap in SWAPS[name] for name in formats))


def swapped_maps(signal: SignalSpec, swap: ChannelSwap) -> list[SignedMap]:
    """For each feature map of the swapped field, the map it was and its sign."""
    channels = _swapped_channels(signal.channel_format, swap)
    maps = [(source, 1) for source, _ in channels]
    if signal.spatial in ("intensity", "band-intensity"):
        return maps + [(len(channels) + source - 1, sign) for source, sign in channels[1:]]
    if signal.spatial == "none":
        return maps
    return maps + _swapped_pairs([source for source, _ in channels])


def _swapped_channels(channel_format: ChannelFormat, swap: ChannelSwap) -> list[SignedMap]:
    if channel_format == "foa":
        y, x = (3, 1) if swap.exchange_xy else (1, 3)
        return [(0, 1), (y, swap.sign_y), (2, swap.sign_z), (x, swap.sign_x)]
    if channel_format == "mic":
        return [(source, 1) for source in mic_order(swap)]
    if channel_format == "stereo" and swap == MIRROR:
        return [(1, 1), (0, 1)]
    return [(source, 1) for source in range(SignalSpec(channel_format=channel_format).channels)]


def _swapped_pairs(sources: list[int]) -> list[SignedMap]:
    """Coherences of all pairs, real then imaginary parts; the latter change their sign where a pair is turned round."""
    count = len(sources)
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    taken = [(sources[i], sources[j]) for i, j in pairs]
    places = [pairs.index((min(pair), max(pair))) for pair in taken]
    real = [(count + place, 1) for place in places]
    signs = [1 if i < j else -1 for i, j in taken]
    return real + [(count + len(pairs) + place, sign) for place, sign in zip(places, signs, strict=True)]


@cache
def _tables(signal: SignalSpec, swaps: tuple[ChannelSwap, ...]) -> tuple[Tensor, Tensor]:
    """Sources and signs, each (swaps, maps)."""
    table = torch.tensor([swapped_maps(signal, swap) for swap in swaps])
    return table[:, :, 0], table[:, :, 1].float()


def swap_features(features: Tensor, signal: SignalSpec, swaps: tuple[ChannelSwap, ...], drawn: Tensor) -> Tensor:
    """Unstandardised features (batch, maps, hops, mel_bands) of fields turned by the swaps `drawn` (batch,) names."""
    sources, signs = (table[drawn].to(features.device) for table in _tables(signal, swaps))
    items = torch.arange(features.shape[0], device=features.device).unsqueeze(1)
    return features[items, sources] * signs[:, :, None, None]


def swap_matrices(swaps: tuple[ChannelSwap, ...], drawn: Tensor) -> Tensor:
    """(batch, 3, 3): new direction = matrix @ old direction."""
    return torch.from_numpy(np.stack([swap.matrix for swap in swaps])).float()[drawn]


def rotation_matrices(azimuth_rad: Tensor) -> Tensor:
    """(batch, 3, 3) of turns about the vertical axis, counter-clockwise seen from above."""
    cosine, sine, zero, one = azimuth_rad.cos(), azimuth_rad.sin(), azimuth_rad * 0.0, azimuth_rad * 0.0 + 1.0
    rows = [cosine, -sine, zero, sine, cosine, zero, zero, zero, one]
    return torch.stack(rows, dim=-1).reshape(-1, 3, 3)


def rotate_features(features: Tensor, azimuth_rad: Tensor) -> Tensor:
    """FOA features with intensity, levels W, Y, Z, X and intensities Y, Z, X, of fields turned by (batch,) angles.

    Exact for band intensities. The levels of X and Y need the product of both, which features do not hold: it follows
    from the intensities, exactly where one source or none stands out in a band.
    """
    w, y, z, x, intensity_y, intensity_z, intensity_x = features.unbind(dim=1)
    cosine, sine = (part.to(features).reshape(-1, 1, 1) for part in (azimuth_rad.cos(), azimuth_rad.sin()))
    power_w, power_y, power_z, power_x = (torch.expm1(level) for level in (w, y, z, x))
    energy = power_w + (power_y + power_z + power_x) / 3.0 + 1.0
    product = intensity_x * intensity_y * energy.square() / (power_w + 1.0)
    bound = (power_x * power_y).sqrt()
    product = product.clamp(min=-bound, max=bound)
    turned_x = cosine.square() * power_x + sine.square() * power_y - 2.0 * sine * cosine * product
    turned_y = sine.square() * power_x + cosine.square() * power_y + 2.0 * sine * cosine * product
    return torch.stack(
        [
            w,
            torch.log1p(turned_y.clamp(min=0.0)),
            z,
            torch.log1p(turned_x.clamp(min=0.0)),
            sine * intensity_x + cosine * intensity_y,
            intensity_z,
            cosine * intensity_x - sine * intensity_y,
        ],
        dim=1,
    )


def turn_target(target: Tensor, matrices: Tensor) -> Tensor:
    """ADPIT targets (batch, frames, slots, 5, classes) of turned fields."""
    return torch.cat([target[:, :, :, :1], _turn(target[:, :, :, 1:4], matrices), target[:, :, :, 4:]], dim=3)


def turn_outputs(outputs: Mapping[str, Tensor], matrices: Tensor) -> dict[str, Tensor]:
    """Outputs of a network of turned fields."""
    turned = dict(outputs)
    if "vectors" in turned:
        turned["vectors"] = _turn(turned["vectors"].unsqueeze(2), matrices).squeeze(2)
    if "accdoa" in turned:
        accdoa = turned["accdoa"]
        turned["accdoa"] = torch.cat([_turn(accdoa[:, :, :, :3], matrices), accdoa[:, :, :, 3:]], dim=3)
    return turned


def _turn(vectors: Tensor, matrices: Tensor) -> Tensor:
    """(batch, frames, tracks, 3, classes) by matrices (batch, 3, 3)."""
    return torch.einsum("bij,bftjc->bftic", matrices.to(vectors), vectors)
