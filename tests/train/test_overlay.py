"""Scenes laid over one another: features as of the sum of the signals, labels of both."""

import math

import numpy as np
import pytest
import torch

from edgeseld.core.recipe import OverlaySpec
from edgeseld.core.spec import SignalSpec
from edgeseld.data.targets import adpit_target, target_rows
from edgeseld.metrics.labels import Labels
from edgeseld.nn.frontend import Frontend
from edgeseld.train.batches import Batch
from edgeseld.train.overlay import add_events, add_scenes, overlay

FOA = SignalSpec(n_fft=512, window_samples=512, mel_bands=16)
MONO = SignalSpec(n_fft=512, window_samples=512, mel_bands=16, channel_format="mono", spatial="none")
STEREO = SignalSpec(n_fft=512, window_samples=512, mel_bands=16, channel_format="stereo", spatial="band-phase")
HOPS = 60
HALF = SignalSpec().hop_samples * HOPS // 2
SPATIAL = pytest.mark.parametrize("signal", [FOA, MONO, STEREO], ids=["foa", "mono", "stereo"])


def noise(signal: SignalSpec, seed: int) -> torch.Tensor:
    """One source: the same noise in every channel, louder in some."""
    generator = np.random.default_rng(seed)
    source = generator.normal(0.0, 0.1, signal.context_samples + 2 * HALF)
    gains = generator.uniform(-1.0, 1.0, signal.channels)
    return torch.from_numpy((gains[:, None] * source)[None].astype(np.float32))


def features_of(audio: torch.Tensor, signal: SignalSpec) -> torch.Tensor:
    return Frontend(signal).features(audio)


@SPATIAL
def test_what_sounds_in_turn_has_the_features_of_the_sum(signal: SignalSpec) -> None:
    first, second = noise(signal, 1), noise(signal, 2)
    first[..., HALF:], second[..., : HALF + 2 * signal.context_samples] = 0.0, 0.0
    added = add_scenes(features_of(first, signal), features_of(second, signal), torch.tensor([4.0]), signal)
    torch.testing.assert_close(added, features_of(first + 2.0 * second, signal), atol=1e-4, rtol=1e-4)


@SPATIAL
def test_the_sum_of_two_signals_over_their_difference_is_both_at_twice_the_power(signal: SignalSpec) -> None:
    first, second, one = noise(signal, 3), noise(signal, 4), torch.ones(1)
    mixed = add_scenes(features_of(first + second, signal), features_of(first - second, signal), one, signal)
    apart = features_of(math.sqrt(2.0) * first, signal), features_of(math.sqrt(2.0) * second, signal)
    torch.testing.assert_close(mixed, add_scenes(*apart, one, signal), atol=1e-4, rtol=1e-4)


@SPATIAL
def test_nothing_is_heard_of_a_scene_without_power(signal: SignalSpec) -> None:
    own, other = features_of(noise(signal, 5), signal), features_of(noise(signal, 6), signal)
    torch.testing.assert_close(add_scenes(own, other, torch.zeros(1), signal), own, atol=1e-4, rtol=1e-4)


def events(*class_ids: int, azimuth_deg: float) -> torch.Tensor:
    """Targets of one frame with these events, 10 degrees apart: (1, 1, 6, 5, 3)."""
    count = len(class_ids)
    azimuths = azimuth_deg + 10.0 * np.arange(count)
    labels = Labels(
        frame=np.zeros(count, np.int64),
        class_id=np.array(class_ids, np.int64),
        source=np.arange(count),
        azimuth_deg=azimuths,
        elevation_deg=np.zeros(count),
        distance_m=np.full(count, 2.0),
    )
    return torch.from_numpy(adpit_target(target_rows(labels), 0, 1, 3)).unsqueeze(0)


@pytest.mark.parametrize("others", [0, 1, 2, 3])
@pytest.mark.parametrize("own", [0, 1, 2, 3])
def test_events_of_both_fill_the_slots_of_their_number(own: int, others: int) -> None:
    together = add_events(events(*[1] * own, azimuth_deg=0.0), events(*[1] * others, 2, azimuth_deg=10.0 * own))
    expected = events(*[1] * (own + others), azimuth_deg=0.0)
    torch.testing.assert_close(together[..., 1], expected[..., 1])
    lone = events(2, azimuth_deg=10.0 * (own + others))
    torch.testing.assert_close(together[..., 2], lone[..., 2])
    assert not together[..., 0].any()


def test_a_share_of_the_items_is_laid_over_others_for_student_and_teacher_alike() -> None:
    items = 200
    maps = torch.rand(items, 7, 4, 16) * torch.arange(1.0, items + 1).reshape(-1, 1, 1, 1) / 50.0
    target = torch.zeros(items, 4, 6, 5, items)
    target[torch.arange(items), :, 0, 0, torch.arange(items)] = 1.0
    batch = Batch(maps, target, tuple(map(str, range(items))), heard=(maps, maps[:, :1]))
    torch.manual_seed(7)
    changed = overlay(batch, OverlaySpec(share=0.3, gain_db=6.0), [FOA, FOA, MONO])
    assert torch.equal(changed.heard[0], changed.features)
    assert torch.equal(changed.heard[1], changed.features[:, :1])
    assert changed.places == batch.places
    partner = changed.target[:, 0, 0, 0].clone()
    own = partner.diagonal().clone()
    assert own.all()
    overlaid = partner.sum(dim=1) == 2.0
    assert 0.2 < overlaid.float().mean() < 0.4
    torch.testing.assert_close(changed.features[~overlaid], maps[~overlaid], atol=1e-4, rtol=1e-4)
    gains_db = _heard_gains_db(maps, changed.features, partner - torch.diag(own), overlaid)
    assert gains_db.abs().max() < 6.01
    assert gains_db.std() > 2.0


def _heard_gains_db(
    before: torch.Tensor, after: torch.Tensor, partner: torch.Tensor, overlaid: torch.Tensor
) -> torch.Tensor:
    power = torch.expm1(before[:, :4].double())
    others = power[partner.argmax(dim=1)]
    added = torch.expm1(after[:, :4].double()) - power
    return 10.0 * torch.log10((added.sum(dim=(1, 2, 3)) / others.sum(dim=(1, 2, 3)))[overlaid])


def test_no_overlay_unless_asked_for() -> None:
    batch = Batch(torch.rand(2, 7, 4, 16), torch.zeros(2, 4, 6, 5, 1), ("a", "b"))
    assert overlay(batch, OverlaySpec(), [FOA]) is batch
