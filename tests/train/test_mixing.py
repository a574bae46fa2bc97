"""Mixing: a ratio of 1 is no mix, patches count by their area, losses follow the maps."""

from collections.abc import Callable

import msgspec
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from edgeseld.core.recipe import MixKind, MixSpec, ModelFile, mixing_layers
from edgeseld.nn.flow import Flow
from edgeseld.nn.network import SeldNetwork
from edgeseld.train.batches import Batch
from edgeseld.train.mixing import Mixture, draw_mixture, mixed_losses
from tests.train.conftest import RECIPE

ORDER = torch.tensor([2, 0, 1])


def constant_maps() -> torch.Tensor:
    """Three items that say 1, 2 and 3 everywhere."""
    return torch.arange(1.0, 4.0).reshape(3, 1, 1, 1).expand(3, 2, 10, 8).clone()


def batch_of_three() -> Batch:
    return Batch(
        features=torch.zeros(3, 1, 1, 1),
        target=torch.tensor([1.0, 10.0, 100.0]).reshape(3, 1, 1, 1, 1),
        places=("a", "b", "c"),
    )


def blend(ratio: float, *, layer: int = 0, order: torch.Tensor = ORDER) -> Mixture:
    return Mixture(layer, order, torch.tensor(ratio))


def patch(ratio: float, *, layer: int = 0) -> Mixture:
    return Mixture(layer, ORDER, torch.tensor(ratio), centre=torch.rand(2))


def losses_of_three(mixture: Mixture) -> list[float]:
    share = mixture.own_share(constant_maps())
    losses: list[float] = mixed_losses(
        lambda batch: batch.target.flatten(), batch_of_three(), mixture.order, share
    ).tolist()
    return losses


def test_whole_maps_are_blended_by_the_ratio() -> None:
    mixed = blend(0.75, layer=1)(1, constant_maps())
    assert mixed[:, 0, 0, 0].tolist() == [0.75 * 1 + 0.25 * 3, 0.75 * 2 + 0.25 * 1, 0.75 * 3 + 0.25 * 2]
    assert (mixed == mixed[:, :1, :1, :1]).all()


def test_other_layers_are_left_alone() -> None:
    maps = constant_maps()
    assert patch(0.5, layer=1)(2, maps) is maps


@given(st.floats(0.0, 1.0), st.integers(0, 1_000))
def test_a_patch_is_a_rectangle_of_the_partner_and_counts_by_its_area(ratio: float, seed: int) -> None:
    torch.manual_seed(seed)
    mixture = patch(ratio)
    mixed = mixture(0, constant_maps())
    own = mixed == constant_maps()
    assert torch.equal(own[:1].expand_as(own), own)
    assert torch.equal(mixed[~own], constant_maps()[ORDER][~own])
    cut = ~own[0, 0]
    assert torch.equal(cut, cut.any(dim=1, keepdim=True) & cut.any(dim=0, keepdim=True))
    share = mixture.own_share(mixed).item()
    assert share == pytest.approx(own[0, 0].float().mean().item())
    # Sides are rounded down and clipped: never more than asked for.
    assert share >= ratio - 1e-6


@pytest.mark.parametrize("kind", [blend, patch])
def test_ratio_one_is_no_mix(kind: Callable[[float], Mixture]) -> None:
    mixture = kind(1.0)
    assert torch.equal(mixture(0, constant_maps()), constant_maps())
    assert losses_of_three(mixture) == [1.0, 10.0, 100.0]


def test_ratio_zero_is_the_partner() -> None:
    assert torch.equal(blend(0.0)(0, constant_maps()), constant_maps()[ORDER])
    assert losses_of_three(blend(0.0)) == [100.0, 1.0, 10.0]


def test_a_patch_by_hand() -> None:
    # A quarter of the area, half of each side: rows 0 to 2 of 10 (5 around row 0, clipped), columns 2 to 5 of 8.
    mixture = Mixture(0, ORDER, torch.tensor(0.75), centre=torch.tensor([0.05, 0.5]))
    cut = mixture(0, constant_maps())[0, 0] == 3.0
    assert cut.any(dim=1).tolist() == [True] * 3 + [False] * 7
    assert cut.any(dim=0).tolist() == [False] * 2 + [True] * 4 + [False] * 2
    assert mixture.own_share(constant_maps()).item() == pytest.approx(1.0 - 12.0 / 80.0)


def test_losses_follow_the_partners() -> None:
    assert losses_of_three(blend(0.75)) == [0.75 * 1 + 0.25 * 100, 0.75 * 10 + 0.25 * 1, 0.75 * 100 + 0.25 * 10]


def test_for_activities_mixed_losses_are_the_loss_of_mixed_labels() -> None:
    torch.manual_seed(0)
    activity, own, other = torch.rand(5, 7), (torch.rand(5, 7) < 0.5).float(), (torch.rand(5, 7) < 0.5).float()
    labels = F.binary_cross_entropy(activity, 0.3 * own + 0.7 * other)
    losses = 0.3 * F.binary_cross_entropy(activity, own) + 0.7 * F.binary_cross_entropy(activity, other)
    torch.testing.assert_close(labels, losses)


LAYERS: list[tuple[MixKind, tuple[int, ...]]] = [
    ("none", ()),
    ("mixup", (0,)),
    ("lossmix", (0,)),
    ("cutmix", (0,)),
    ("cutlossmix", (0,)),
    ("manifold-mixup", (1, 2, 3, 4)),
    ("pointmix", (0, 1, 2, 3, 4)),
    ("patchmix", (0, 1, 2, 3, 4)),
]


@pytest.mark.parametrize(("kind", "layers"), LAYERS)
def test_each_kind_has_its_layers(kind: MixKind, layers: tuple[int, ...]) -> None:
    assert mixing_layers(MixSpec(kind=kind), 4) == layers
    torch.manual_seed(0)
    drawn = [draw_mixture(MixSpec(kind=kind), 8, 4) for _ in range(100)]
    assert {mixture.layer for mixture in drawn if mixture is not None} == set(layers)
    assert all(
        (mixture.centre is not None) == (kind in ("cutmix", "cutlossmix", "patchmix")) for mixture in drawn if mixture
    )


def test_ratios_follow_beta_one_one() -> None:
    torch.manual_seed(0)
    ratios = torch.tensor([draw_mixture(MixSpec(kind="mixup"), 2, 0).ratio for _ in range(2_000)])  # type: ignore[union-attr]
    assert ratios.mean() == pytest.approx(0.5, abs=0.03)
    assert ratios.var() == pytest.approx(1 / 12, abs=0.01)


def test_layers_that_a_kind_cannot_mix_at_are_refused() -> None:
    def with_mix(**fields: object) -> ModelFile:
        augment = msgspec.structs.replace(RECIPE.train.augment, mix=MixSpec(**fields))  # type: ignore[arg-type]
        return ModelFile(
            **{
                **{name: getattr(RECIPE, name) for name in RECIPE.__struct_fields__},
                "train": msgspec.structs.replace(RECIPE.train, augment=augment),
            }
        )

    with_mix(kind="pointmix", layers=(0, 1))
    with pytest.raises(ValueError, match=r"'pointmix' with 1 stages cannot mix at layers \[2\]"):
        with_mix(kind="pointmix", layers=(2,))
    with pytest.raises(ValueError, match=r"'mixup' with 1 stages cannot mix at layers \[1\]"):
        with_mix(kind="mixup", layers=(1,))


def test_a_mix_behind_a_stage_reaches_everything_after_it() -> None:
    torch.manual_seed(0)
    network = SeldNetwork(RECIPE).eval()
    features = torch.randn(2, 7, 50, 16)
    plain = network.infer_all(features, Flow())
    swapped = network.infer_all(features, Flow(), blend(0.0, layer=1, order=torch.tensor([1, 0])))
    torch.testing.assert_close(swapped.output["accdoa"], plain.output["accdoa"][[1, 0]])
    assert torch.equal(swapped.maps[0], plain.maps[0])
    assert torch.equal(swapped.maps[1], plain.maps[1][[1, 0]])
