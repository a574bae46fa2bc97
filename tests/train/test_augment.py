"""Augmentations are exact symmetries, or change only what they say."""

import numpy as np
import pytest
import torch

from edgeseld.core.geometry import unit_vector
from edgeseld.core.recipe import SpecAugmentSpec
from edgeseld.core.spec import SignalSpec
from edgeseld.nn.frontend import Frontend
from edgeseld.signal.ambisonics import foa_gains
from edgeseld.train.augment import spec_augment, swap_features, swap_target

SIGNAL = SignalSpec(n_fft=512, window="tapered", window_samples=512, mel_bands=16)
SIXTEEN = [(exchange, (sx, sy, sz)) for exchange in (False, True) for sx in (1, -1) for sy in (1, -1) for sz in (1, -1)]


def features_of(azimuth_deg: float, elevation_deg: float) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    wave = torch.randn(SIGNAL.context_samples + 5 * SIGNAL.hop_samples, generator=generator) * 0.1
    gains = torch.from_numpy(foa_gains(azimuth_deg, elevation_deg)).float()
    return Frontend(SIGNAL).features(gains[None, :, None] * wave)


@pytest.mark.parametrize(("exchange", "signs"), SIXTEEN)
def test_swapped_features_are_those_of_the_swapped_direction(exchange: bool, signs: tuple[int, int, int]) -> None:
    x, y, z = unit_vector(35.0, 20.0)
    turned = np.array([y, x, z] if exchange else [x, y, z]) * signs
    azimuth, elevation = np.degrees(np.arctan2(turned[1], turned[0])), np.degrees(np.arcsin(turned[2]))
    swap, sign = torch.tensor([exchange]), torch.tensor(signs, dtype=torch.float32).reshape(3, 1)
    swapped = swap_features(features_of(35.0, 20.0), swap, sign)
    torch.testing.assert_close(swapped, features_of(azimuth, elevation), atol=1e-4, rtol=1e-4)
    target = torch.tensor([1.0, x, y, z, 2.0], dtype=torch.float32).reshape(1, 1, 1, 5, 1)
    expected = torch.tensor([1.0, *turned, 2.0], dtype=torch.float32).reshape(1, 1, 1, 5, 1)
    torch.testing.assert_close(swap_target(target, swap, sign), expected)


def test_no_exchange_and_plus_signs_change_nothing() -> None:
    features = torch.randn(2, 7, 5, 16)
    assert torch.equal(swap_features(features, torch.tensor([False, False]), torch.ones(3, 2)), features)


def test_spec_augment_hides_whole_spans_and_leaves_the_rest() -> None:
    torch.manual_seed(0)
    features = torch.randn(50, 7, 40, 16) + 10.0
    masked = spec_augment(features, SpecAugmentSpec(time_masks=1, time_hops=10, frequency_masks=1, frequency_bands=4))
    hidden = masked == 0
    assert torch.equal(masked[~hidden], features[~hidden])
    hops = hidden.all(dim=3).all(dim=1).sum(dim=1)
    bands = hidden.all(dim=2).all(dim=1).sum(dim=1)
    assert hops.max() <= 10
    assert bands.max() <= 4
    assert hops.float().mean() == pytest.approx(5.0, abs=1.5)


def test_no_masks_no_change() -> None:
    features = torch.randn(2, 7, 40, 16)
    assert torch.equal(spec_augment(features, SpecAugmentSpec(time_masks=0, frequency_masks=0)), features)
