"""Augmentations are exact symmetries, or change only what they say."""

import math

import numpy as np
import pytest
import torch

from edgeseld.core.geometry import unit_vector
from edgeseld.core.recipe import ColourSpec, CutoutSpec, SpecAugmentSpec
from edgeseld.core.spec import SignalSpec
from edgeseld.nn.frontend import Frontend, feature_channels
from edgeseld.signal.ambisonics import foa_gains
from edgeseld.signal.channel_swap import ALL_SWAPS, TABLE_SWAPS, ChannelSwap, swap_foa, swap_mic
from edgeseld.train.augment import colour, cutout, rotate, spec_augment, swap_channels
from edgeseld.train.batches import Batch
from edgeseld.train.turning import (
    MIRROR,
    common_swaps,
    rotate_features,
    rotation_matrices,
    swap_features,
    swap_matrices,
    turn_outputs,
    turn_target,
)

FOA = SignalSpec(n_fft=512, window="tapered", window_samples=512, mel_bands=16)
DCASE = SignalSpec(n_fft=512, window="tapered", window_samples=512, mel_bands=16, spatial="intensity")
MIC = SignalSpec(
    n_fft=512, window="tapered", window_samples=512, mel_bands=16, channel_format="mic", spatial="band-phase"
)
STEREO = SignalSpec(
    n_fft=512, window="tapered", window_samples=512, mel_bands=16, channel_format="stereo", spatial="band-phase"
)


def noise(channels: int, seed: int = 1) -> np.ndarray:
    samples = FOA.context_samples + 5 * FOA.hop_samples
    return np.random.default_rng(seed).normal(0.0, 0.1, (channels, samples)).astype(np.float32)


def features_of(audio: np.ndarray, signal: SignalSpec = FOA) -> torch.Tensor:
    return Frontend(signal).features(torch.from_numpy(np.ascontiguousarray(audio)).unsqueeze(0))


def wave_from(azimuth_deg: float, elevation_deg: float) -> np.ndarray:
    return (foa_gains(azimuth_deg, elevation_deg)[:, None] * noise(1)).astype(np.float32)


def coloured_maps(features: torch.Tensor, spec: ColourSpec) -> torch.Tensor:
    return colour(Batch(features, torch.zeros(len(features), 1, 6, 5, 2), ()), spec, [FOA]).features


@pytest.mark.parametrize("signal", [FOA, DCASE], ids=["band-intensity", "intensity"])
@pytest.mark.parametrize("index", range(16))
def test_swapped_features_are_those_of_the_swapped_ambisonics(index: int, signal: SignalSpec) -> None:
    audio = noise(4)
    swapped = swap_features(features_of(audio, signal), signal, ALL_SWAPS, torch.tensor([index]))
    torch.testing.assert_close(swapped, features_of(swap_foa(audio, ALL_SWAPS[index]), signal), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("index", range(8))
def test_swapped_features_are_those_of_the_swapped_array(index: int) -> None:
    audio = noise(4)
    swapped = swap_features(features_of(audio, MIC), MIC, TABLE_SWAPS, torch.tensor([index]))
    torch.testing.assert_close(swapped, features_of(swap_mic(audio, TABLE_SWAPS[index]), MIC), atol=1e-5, rtol=1e-5)


def test_stereo_has_its_mirror_image() -> None:
    audio = noise(2)
    mirrored = swap_features(features_of(audio, STEREO), STEREO, (MIRROR,), torch.tensor([0]))
    torch.testing.assert_close(mirrored, features_of(audio[::-1], STEREO), atol=1e-5, rtol=1e-5)
    assert swap_matrices((MIRROR,), torch.tensor([0])).tolist() == [[[1, 0, 0], [0, -1, 0], [0, 0, 1]]]


def test_formats_that_are_heard_together_share_their_swaps() -> None:
    assert [len(common_swaps([name])) for name in ("foa", "mic", "stereo", "mono")] == [16, 8, 2, 1]
    assert set(common_swaps(["foa", "mic"])) == set(TABLE_SWAPS)
    assert common_swaps(["foa", "mono"]) == (ChannelSwap(False, 1, 1, 1),)


def batch_of(azimuth_deg: float, elevation_deg: float, items: int = 1) -> Batch:
    """A plane wave, labelled and heard by a teacher in its direction."""
    x, y, z = unit_vector(azimuth_deg, elevation_deg)
    features = features_of(wave_from(azimuth_deg, elevation_deg)).expand(items, -1, -1, -1)
    target = torch.zeros(items, 1, 6, 5, 1)
    target[:, 0, 0, :, 0] = torch.tensor([1.0, x, y, z, 2.0])
    vector = torch.tensor([x, y, z], dtype=torch.float32).reshape(1, 1, 3, 1).expand(items, -1, -1, -1)
    taught = {"vectors": vector, "accdoa": vector.unsqueeze(2), "activity": torch.full((items, 1, 1), 0.7)}
    return Batch(features=features, target=target, places=("here",) * items, taught=taught, heard=(features,))


def assert_all_turned_alike(turned: Batch) -> None:
    for item in range(len(turned.features)):
        x, y, z = turned.target[item, 0, 0, 1:4, 0].tolist()
        azimuth, elevation = math.degrees(math.atan2(y, x)), math.degrees(math.asin(z))
        expected = features_of(wave_from(azimuth, elevation))[0]
        torch.testing.assert_close(turned.features[item], expected, atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(turned.heard[0][item], expected, atol=1e-3, rtol=1e-3)
        assert turned.taught["vectors"][item, 0, :, 0].tolist() == pytest.approx([x, y, z], abs=1e-6)
        assert turned.taught["accdoa"][item, 0, 0, :, 0].tolist() == pytest.approx([x, y, z], abs=1e-6)
    assert (turned.target[:, 0, 0, 4] == 2.0).all()
    assert (turned.taught["activity"] == 0.7).all()


def test_features_labels_and_teachers_are_swapped_alike() -> None:
    torch.manual_seed(0)
    turned = swap_channels(batch_of(35.0, 20.0, items=8), [FOA, FOA])
    assert_all_turned_alike(turned)
    assert len({tuple(xyz) for xyz in turned.target[:, 0, 0, 1:4, 0].tolist()}) > 4


def test_features_labels_and_teachers_are_rotated_alike() -> None:
    torch.manual_seed(0)
    turned = rotate(batch_of(35.0, 20.0, items=8))
    assert_all_turned_alike(turned)
    assert turned.target[:, 0, 0, 3, 0].tolist() == pytest.approx([math.sin(math.radians(20.0))] * 8)


def test_a_diffuse_field_stays_one_when_it_is_rotated() -> None:
    audio = np.concatenate([noise(1, 2), noise(3, 3) / 3**0.5])
    features = features_of(audio).mean(dim=2, keepdim=True)
    features[:, 4:] = 0.0
    turned = rotate_features(features, torch.tensor([0.7]))
    power = torch.expm1(features[:, 1:4])
    mixed = math.cos(0.7) ** 2 * power[:, 0] + math.sin(0.7) ** 2 * power[:, 2]
    torch.testing.assert_close(torch.expm1(turned[:, 1]), mixed, rtol=1e-4, atol=1e-3)
    assert (turned[:, 4:] == 0.0).all()


def test_a_quarter_turn_is_a_swap() -> None:
    features = features_of(noise(4))
    quarter = ChannelSwap(True, -1, 1, 1)
    swapped = swap_features(features, FOA, (quarter,), torch.tensor([0]))
    rotated = rotate_features(features, torch.tensor([math.pi / 2]))
    torch.testing.assert_close(rotated, swapped, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(
        rotation_matrices(torch.tensor([math.pi / 2])), swap_matrices((quarter,), torch.tensor([0])), atol=1e-6, rtol=0
    )


def test_what_is_turned_there_and_back_is_the_same() -> None:
    target = torch.randn(4, 3, 6, 5, 2)
    outputs = {"accdoa": torch.randn(4, 3, 3, 4, 2), "vectors": torch.randn(4, 3, 3, 2)}
    there = swap_matrices(ALL_SWAPS, torch.tensor([3, 9, 12, 15]))
    back = swap_matrices(tuple(swap.inverse() for swap in ALL_SWAPS), torch.tensor([3, 9, 12, 15]))
    assert torch.equal(turn_target(turn_target(target, there), back), target)
    for name, tensor in turn_outputs(turn_outputs(outputs, there), back).items():
        assert torch.equal(tensor, outputs[name])


def test_the_distance_of_a_turned_vector_stays() -> None:
    accdoa = torch.randn(2, 3, 3, 4, 5)
    turned = turn_outputs({"accdoa": accdoa}, rotation_matrices(torch.tensor([0.5, 1.5])))["accdoa"]
    assert torch.equal(turned[:, :, :, 3], accdoa[:, :, :, 3])


@pytest.mark.parametrize("signal", [FOA, DCASE, MIC, STEREO], ids=["foa", "dcase", "mic", "stereo"])
def test_no_swap_changes_nothing(signal: SignalSpec) -> None:
    features = torch.randn(2, feature_channels(signal), 5, 16)
    same = swap_features(features, signal, (ChannelSwap(False, 1, 1, 1),), torch.tensor([0, 0]))
    assert torch.equal(same, features)


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


def test_cutout_hides_one_rectangle_in_all_maps() -> None:
    torch.manual_seed(0)
    features = torch.randn(50, 7, 40, 16) + 10.0
    hidden = cutout(features, CutoutSpec(patches=1, hops=10, bands=4)) == 0
    assert torch.equal(hidden.any(dim=1), hidden.all(dim=1))
    place = hidden.all(dim=1)
    rows, columns = place.any(dim=2), place.any(dim=1)
    assert torch.equal(place, rows.unsqueeze(2) & columns.unsqueeze(1))
    assert rows.sum(dim=1).max() <= 10
    assert columns.sum(dim=1).max() <= 4
    assert place.any()


def test_no_masks_no_change() -> None:
    features = torch.randn(2, 7, 40, 16)
    assert torch.equal(spec_augment(features, SpecAugmentSpec(time_masks=0, frequency_masks=0)), features)
    assert torch.equal(cutout(features, CutoutSpec()), features)


def test_gains_change_levels_as_a_filter_would_and_no_direction() -> None:
    features = features_of(wave_from(40.0, 10.0)).expand(50, -1, -1, -1)
    torch.manual_seed(2)
    coloured = coloured_maps(features, ColourSpec(gain_db=6.0))
    assert torch.equal(coloured[:, 4:], features[:, 4:])
    gains_db = 10.0 * torch.log10(torch.expm1(coloured[:, :4]) / torch.expm1(features[:, :4]))
    torch.testing.assert_close(gains_db, gains_db[:, :1, :1].expand_as(gains_db), atol=1e-2, rtol=0.0)
    assert 4.0 < gains_db.abs().max() <= 6.01
    assert gains_db.std(dim=0).min() > 1.0


def test_two_points_make_a_straight_line_of_gains() -> None:
    torch.manual_seed(3)
    coloured = coloured_maps(torch.full((1, 7, 1, 16), 12.0), ColourSpec(gain_db=6.0, points=2))[:, :1]
    steps_db = (10.0 * torch.log10(torch.expm1(coloured))).diff()
    torch.testing.assert_close(steps_db, steps_db.mean().expand_as(steps_db), atol=1e-3, rtol=0.0)
    assert steps_db.abs().min() > 0.01


def test_bands_move_together_and_repeat_the_edge() -> None:
    maps = torch.arange(16.0).expand(200, 7, 3, 16)
    torch.manual_seed(4)
    moved = coloured_maps(maps, ColourSpec(shift_bands=2))
    found = {tuple(row.tolist()) for row in moved.reshape(-1, 16)}
    assert found == {tuple(min(max(band - shift, 0), 15) for band in range(16)) for shift in range(-2, 3)}
    assert all(torch.equal(item, item[:1, :1].expand_as(item)) for item in moved)


def test_no_colour_unless_asked_for() -> None:
    maps = torch.rand(2, 7, 5, 16)
    assert torch.equal(coloured_maps(maps, ColourSpec()), maps)


def test_live_teachers_hear_the_same_colour() -> None:
    maps = features_of(noise(4)).expand(3, -1, -1, -1)
    batch = Batch(maps, torch.zeros(3, 1, 6, 5, 2), (), heard=(maps, maps[:, :1]))
    mono = SignalSpec(channel_format="mono", spatial="none")
    coloured = colour(batch, ColourSpec(gain_db=6.0, shift_bands=2), [FOA, FOA, mono])
    assert torch.equal(coloured.heard[0], coloured.features)
    assert torch.equal(coloured.heard[1], coloured.features[:, :1])
