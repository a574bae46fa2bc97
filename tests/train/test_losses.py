"""Losses against values worked out by hand and the DCASE baselines."""

from pathlib import Path

import numpy as np
import pytest
import torch

from edgeseld.core.spec import HeadSpec
from edgeseld.data.targets import adpit_target, target_rows
from edgeseld.metrics.labels import labels_from_vectors
from edgeseld.train.losses import accdoa_loss, adpit_loss, cross_entropy, sed_doa_loss, task_loss
from tests.conftest import ROOT

GOLDEN = sorted((ROOT / "tests" / "golden" / "adpit").glob("*.npz"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_adpit_against_the_official_loss_and_gradient(path: Path) -> None:
    case = np.load(path)
    target = torch.from_numpy(case["target"])
    batch, frames, _, values, classes = target.shape
    output = torch.from_numpy(case["output"]).requires_grad_()
    loss = adpit_loss(output.reshape(batch, frames, 3, values - 1, classes), target).mean()
    loss.backward()
    assert loss.item() == pytest.approx(float(case["loss"]), rel=1e-6, abs=1e-9)
    assert output.grad is not None
    np.testing.assert_allclose(output.grad.numpy(), case["grad"], rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("path", [p for p in GOLDEN if p.stem.startswith("adpit_2024")], ids=lambda path: path.stem)
def test_label_encoding_against_the_official_one(path: Path) -> None:
    case = np.load(path)
    events, target = case["events"], case["target"]
    for item in range(len(target)):
        rows = events[events[:, 0] == item] if events.shape[1] == 7 else events
        frame, class_id, source, azimuth, elevation = rows[:, 1], rows[:, 2], rows[:, 3], rows[:, 4], rows[:, 5]
        vectors = _vectors(azimuth, elevation)
        labels = labels_from_vectors(frame, class_id, source, vectors, rows[:, 6] / 100)
        ours = adpit_target(target_rows(labels), 0, target.shape[1], 13)
        np.testing.assert_allclose(ours, target[item], atol=1e-5)


def _vectors(azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> np.ndarray:
    a, e = np.radians(azimuth_deg), np.radians(elevation_deg)
    return np.stack([np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e)], axis=-1)


def test_one_two_three_and_four_events_of_a_class_fill_their_slots() -> None:
    counts = [1, 2, 3, 4]
    frame = np.repeat(np.arange(4), counts)
    vectors = np.tile([1.0, 0.0, 0.0], (len(frame), 1))
    labels = labels_from_vectors(frame, np.zeros_like(frame), np.arange(len(frame)), vectors)
    target = adpit_target(target_rows(labels), 0, 4, 1)
    assert target[:, :, 0, 0].tolist() == [
        [1, 0, 0, 0, 0, 0],
        [0, 1, 1, 0, 0, 0],
        [0, 0, 0, 1, 1, 1],
        [0, 0, 0, 1, 1, 1],
    ]


def target_of(*vectors: tuple[float, float, float]) -> torch.Tensor:
    """One frame, one class, these events."""
    labels = labels_from_vectors(
        [0] * len(vectors), [0] * len(vectors), range(len(vectors)), vectors, [2.0] * len(vectors)
    )
    return torch.from_numpy(adpit_target(target_rows(labels), 0, 1, 1)).unsqueeze(0)


X, Y = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)


def tracks_of(*vectors: tuple[float, float, float]) -> torch.Tensor:
    return torch.tensor(vectors).reshape(1, 1, 3, 3, 1)


def test_duplicated_tracks_cost_nothing_in_any_order() -> None:
    for tracks in [(X, Y, Y), (Y, X, X), (X, X, Y)]:
        assert adpit_loss(tracks_of(*tracks), target_of(X, Y)).item() == pytest.approx(0.0, abs=1e-12)


def test_two_equal_tracks_cannot_stand_for_two_different_events() -> None:
    # The best arrangement leaves one track at distance (1, 1, 0): 2 squares of 9 values.
    assert adpit_loss(tracks_of(X, X, X), target_of(X, Y)).item() == pytest.approx(2 / 9)


def test_silence_against_one_event() -> None:
    assert adpit_loss(torch.zeros(1, 1, 3, 3, 1), target_of(X)).item() == pytest.approx(3 / 9)


def test_accdoa_is_the_mean_square_of_three_axes() -> None:
    accdoa = torch.tensor([0.5, 0.0, 0.0]).reshape(1, 1, 1, 3, 1)
    assert accdoa_loss(accdoa, target_of(X)).item() == pytest.approx(0.25 / 3)


def test_sed_doa_weights_activity_direction_and_distance() -> None:
    output = {
        "activity": torch.full((1, 1, 1), 0.5),
        "vectors": torch.tensor([0.0, 1.0, 0.0]).reshape(1, 1, 3, 1),
        "distance": torch.full((1, 1, 1), 3.0),
    }
    expected = 0.1 * np.log(2) + 1.0 * 2 / 3 + 0.5 * 1.0
    assert sed_doa_loss(output, target_of(X)).item() == pytest.approx(expected, rel=1e-6)


def test_cross_entropy_is_that_of_torch_and_keeps_what_is_not_a_number() -> None:
    activity, active = torch.tensor([0.1, 0.5, 0.999, 1.0, 0.0]), torch.tensor([0.0, 1.0, 1.0, 1.0, 0.0])
    expected = torch.nn.functional.binary_cross_entropy(activity, active, reduction="none")
    torch.testing.assert_close(cross_entropy(activity, active), expected, atol=1e-6, rtol=1e-5)
    assert cross_entropy(torch.tensor([float("nan")]), torch.tensor([1.0])).isnan().all()
    assert cross_entropy(torch.tensor([1.0]), torch.tensor([0.0])).isfinite().all()


def test_where_nothing_sounds_direction_and_distance_are_free() -> None:
    output = {"activity": torch.zeros(1, 1, 1), "vectors": torch.ones(1, 1, 3, 1), "distance": torch.ones(1, 1, 1)}
    assert task_loss(output, target_of(), HeadSpec(format="sed-doa", distance=True)).item() == pytest.approx(
        0.0, abs=1e-6
    )
