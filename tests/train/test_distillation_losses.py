"""Losses between outputs and between maps, against values worked out by hand and identities."""

from math import log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edgeseld.core.recipe import SelfDistillSpec
from edgeseld.core.spec import HeadSpec
from edgeseld.nn.network import Inference
from edgeseld.train.feature_distillation import FeatureDistillation, hierarchical_context_loss
from edgeseld.train.losses import adpit_loss
from edgeseld.train.response import bernoulli_kl, permuted_mse, response_loss, soften
from edgeseld.train.self_distillation import self_distillation_loss, soft_loss

NO_EVENT = torch.zeros(1, 1, 6, 5, 1)


def probability(value: float) -> torch.Tensor:
    return torch.full((1, 1, 1), value)


def vector(*xyz: float) -> torch.Tensor:
    return torch.tensor(xyz).reshape(1, 1, 3, 1)


def tracks(*vectors: tuple[float, float, float]) -> torch.Tensor:
    return torch.tensor(vectors).reshape(1, 1, len(vectors), 3, 1)


def target(slots: list[int]) -> torch.Tensor:
    events = NO_EVENT.clone()
    events[0, 0, slots, 0] = 1.0
    events[0, 0, slots, 1] = 1.0
    return events


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.5, 5.0))
def test_divergence_is_zero_between_equals_and_never_negative(p: float, q: float, temperature: float) -> None:
    assert bernoulli_kl(probability(p), probability(p), temperature).item() == pytest.approx(0.0, abs=1e-6)
    assert bernoulli_kl(probability(p), probability(q), temperature).item() >= -1e-6


def test_divergence_by_hand() -> None:
    by_hand = 0.9 * log(0.9 / 0.5) + 0.1 * log(0.1 / 0.5)
    assert bernoulli_kl(probability(0.9), probability(0.5)).item() == pytest.approx(by_hand, rel=1e-5)


def test_temperature_divides_the_logit() -> None:
    # The logit of 0.9 is ln 9; half of it is ln 3, the logit of 3/4.
    assert soften(probability(0.9), 2.0).item() == pytest.approx(0.75)


def test_branches_weigh_direction_and_distance_by_the_teachers_activity() -> None:
    teacher = {"activity": probability(0.9), "vectors": vector(1.0, 0.0, 0.0), "distance": probability(2.0)}
    student = {"activity": probability(0.5), "vectors": vector(0.0, 0.0, 0.0), "distance": probability(1.0)}
    divergence = 0.9 * log(1.8) + 0.1 * log(0.2)
    by_hand = 0.1 * divergence + 0.9 / 3 + 0.5 * 0.9
    assert response_loss(student, teacher, NO_EVENT).item() == pytest.approx(by_hand, rel=1e-5)
    assert response_loss(teacher, teacher, NO_EVENT).item() == pytest.approx(0.0, abs=1e-6)


def test_a_sed_student_learns_activity_alone() -> None:
    teacher = {"activity": probability(0.9), "vectors": vector(1.0, 0.0, 0.0)}
    by_hand = 0.1 * (0.9 * log(1.8) + 0.1 * log(0.2))
    loss = response_loss({"activity": probability(0.5)}, teacher, NO_EVENT)
    assert loss.item() == pytest.approx(by_hand, rel=1e-5)


def test_tracks_are_compared_in_their_best_order() -> None:
    one, two, silent = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 0.0)
    assert permuted_mse(tracks(one, two, silent), tracks(silent, one, two)).item() == 0.0
    # The nearest order leaves (0.5, 0, 0) against nothing: 0.25 over nine values.
    assert permuted_mse(tracks(one, two, (0.5, 0.0, 0.0)), tracks(two, silent, one)).item() == pytest.approx(0.25 / 9)


def test_each_frame_and_class_has_its_own_order() -> None:
    teacher = torch.randn(2, 4, 3, 3, 5)
    student = teacher.clone()
    student[0, 1, :, :, 2] = teacher[0, 1, [2, 0, 1], :, 2]
    student[1, 3, :, :, 0] = teacher[1, 3, [1, 0, 2], :, 0]
    assert permuted_mse(student, teacher).tolist() == [0.0, 0.0]


def test_one_track_learns_from_the_loudest_of_three() -> None:
    teacher = tracks((0.1, 0.0, 0.0), (0.0, 0.9, 0.0), (0.0, 0.0, 0.3))
    assert permuted_mse(tracks((0.0, 0.9, 0.0)), teacher).item() == 0.0


def test_branches_teach_every_track_where_the_class_sounds_at_most_once() -> None:
    teacher = {"activity": probability(0.5), "vectors": vector(0.0, 2.0, 0.0)}
    student = {"accdoa": tracks(*[(0.0, 0.5, 0.0)] * 3)}
    assert response_loss(student, teacher, NO_EVENT).item() == pytest.approx(0.0, abs=1e-12)
    silent = {"accdoa": torch.zeros(1, 1, 3, 3, 1)}
    assert response_loss(silent, teacher, target([0])).item() == pytest.approx(0.25 / 3)
    assert response_loss(silent, teacher, target([1, 2])).item() == 0.0
    assert response_loss(silent, teacher, target([3, 4, 5])).item() == 0.0


def test_the_loudest_track_teaches_branches() -> None:
    teacher = {"accdoa": tracks((0.0, 0.0, 0.1), (0.0, 0.8, 0.0), (0.0, 0.0, 0.0))}
    student = {"activity": probability(0.8), "vectors": vector(0.0, 1.0, 0.0)}
    assert response_loss(student, teacher, NO_EVENT).item() == pytest.approx(0.0, abs=1e-6)


def test_a_teacher_with_both_formats_teaches_each_in_kind() -> None:
    teacher = {
        "accdoa": tracks((0.0, 0.8, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        "activity": probability(0.6),
        "vectors": vector(1.0, 0.0, 0.0),
    }
    branches = {"activity": probability(0.6), "vectors": vector(1.0, 0.0, 0.0)}
    assert response_loss(branches, teacher, NO_EVENT).item() == pytest.approx(0.0, abs=1e-6)
    assert response_loss({"accdoa": teacher["accdoa"]}, teacher, NO_EVENT).item() == 0.0


def test_context_loss_weighs_full_size_and_three_pools() -> None:
    # A constant difference of 2 is 4 at every size, whatever the weights.
    assert hierarchical_context_loss(torch.full((2, 3, 8, 8), 2.0), torch.zeros(2, 3, 8, 8)).tolist() == [4.0, 4.0]
    # One point of 64 differs by 8: 1 at full size; pooled by 4 x 4: (8 / 4)^2 / 16; by 2: (8 / 16)^2 / 4; by 1: 1/64.
    point = torch.zeros(1, 1, 8, 8)
    point[0, 0, 3, 5] = 8.0
    by_hand = (1.0 + 0.25 / 2 + 0.0625 / 4 + (1 / 64) / 8) / 1.875
    assert hierarchical_context_loss(point, torch.zeros_like(point)).item() == pytest.approx(by_hand)


def test_pools_not_smaller_than_the_map_are_left_out() -> None:
    # Two bands: only the pool of one is left, with its weight of an eighth.
    maps = torch.zeros(1, 1, 6, 2)
    maps[0, 0, 0, 0] = 12.0
    assert hierarchical_context_loss(maps, torch.zeros_like(maps)).item() == pytest.approx((12.0 + 1.0 / 8) / 1.125)


def test_gradients_reach_adapters_and_student_and_not_the_teacher() -> None:
    torch.manual_seed(0)
    distillation = FeatureDistillation((4, 6), (5, 7))
    student = [torch.randn(2, 4, 6, 8, requires_grad=True), torch.randn(2, 6, 6, 4, requires_grad=True)]
    teacher = [torch.randn(2, 5, 30, 16, requires_grad=True), torch.randn(2, 7, 30, 2, requires_grad=True)]
    loss = distillation(student, teacher)
    assert loss.shape == (2,)
    loss.sum().backward()
    assert all(maps.grad is not None and maps.grad.abs().sum() > 0 for maps in student)
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in distillation.parameters())
    assert all(maps.grad is None for maps in teacher)


def test_the_deepest_stage_has_no_attention() -> None:
    fusions = FeatureDistillation((4, 6), (5, 7)).fusions
    assert [fusion.weigh is None for fusion in fusions] == [False, True]


def test_maps_of_other_sizes_meet_on_the_coarser_grid() -> None:
    distillation = FeatureDistillation((4,), (5,)).eval()
    student = torch.randn(1, 4, 6, 8)
    compared, _ = distillation.fusions[0](student, None)
    # The teacher says what the adapter says, each frame five times and each pair of bands once.
    teacher = compared.reshape(1, 5, 6, 4, 2).mean(dim=4).repeat_interleave(5, dim=2)
    assert distillation([student], [teacher]).item() == pytest.approx(0.0, abs=1e-10)


def test_exits_weigh_labels_deepest_output_and_hints() -> None:
    deepest, early = tracks(*[(0.0, 1.0, 0.0)] * 3), tracks(*[(1.0, 0.0, 0.0)] * 3)
    inference = Inference(
        output={"accdoa": deepest},
        taught=[],
        exits={"stage-1": {"accdoa": early}},
        hints={"stage-1": torch.full((1, 1, 4), 3.0)},
        embedding=torch.ones(1, 1, 4),
        maps=[],
    )
    reference = target([0])
    spec = SelfDistillSpec(soft_share=0.25, hint_weight=0.01)
    hard, soft, hint = adpit_loss(early, reference).item(), 2 / 3, 4 * 2.0**2
    loss = self_distillation_loss(inference, reference, HeadSpec(), spec)
    assert hard == 0.0
    assert loss.item() == pytest.approx(0.75 * hard + 0.25 * soft + 0.01 * hint)


def test_soft_activity_is_scaled_by_the_square_of_the_temperature() -> None:
    early, deepest = {"activity": probability(0.5)}, {"activity": probability(0.9)}
    # At temperature 2 the deepest output is 3/4.
    by_hand = 0.1 * 4 * (0.75 * log(1.5) + 0.25 * log(0.5))
    assert soft_loss(early, deepest, 2.0).item() == pytest.approx(by_hand, rel=1e-5)


def test_the_deepest_output_learns_nothing_from_its_exits() -> None:
    output, embedding = torch.rand(1, 2, 3, requires_grad=True), torch.randn(1, 2, 4, requires_grad=True)
    early, hint = torch.rand(1, 2, 3, requires_grad=True), torch.randn(1, 2, 4, requires_grad=True)
    inference = Inference(
        output={"activity": output},
        taught=[],
        exits={"stage-1": {"activity": early}},
        hints={"stage-1": hint},
        embedding=embedding,
        maps=[],
    )
    head = HeadSpec(format="sed")
    self_distillation_loss(inference, torch.zeros(1, 2, 6, 5, 3), head, SelfDistillSpec()).sum().backward()
    assert output.grad is None
    assert embedding.grad is None
    assert early.grad is not None
    assert hint.grad is not None
