"""Raw outputs to predictions, by hand and against the decoded files of the DCASE baselines."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeseld.core.errors import BundleError
from edgeseld.core.prediction import Prediction
from edgeseld.runtime.decode import decode, decode_accdoa
from edgeseld.runtime.unify import near_tracks, track_mean, unify

GOLDEN = Path(__file__).parent.parent / "golden" / "adpit"
CLASSES = ("bell", "knock")


def one_frame(*tracks: tuple[float, float, float]) -> NDArray[np.float32]:
    """(1, 3, 3, 2) with the given vectors for the first class and silence for the second."""
    accdoa = np.zeros((1, 3, 3, 2), np.float32)
    accdoa[0, :, :, 0] = tracks
    return accdoa


def by_frame_class_and_x(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return rows[np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))]


def decoded_rows(accdoa: NDArray[np.float32]) -> NDArray[np.float64]:
    """Rows frame, class, vector[, distance] of the merged raw vectors."""
    values = np.moveaxis(accdoa, 2, -1).copy()
    values[..., 3:] = np.maximum(values[..., 3:], 0.0)
    vectors = values[..., :3]
    active = np.linalg.norm(vectors, axis=-1) > 0.5
    members = near_tracks(vectors, active, 15.0)
    lowest = members & (np.cumsum(members, axis=1) == 1)
    values = np.where(lowest[..., None], track_mean(values, members), values)
    frame, track, class_id = np.nonzero(lowest | (active & ~members))
    return np.column_stack([frame, class_id, values[frame, track, class_id]])


@pytest.mark.parametrize(("year", "axes"), [("2023", 3), ("2024", 4)])
def test_against_official_decoding(year: str, axes: int) -> None:
    for path in sorted((GOLDEN / f"decode_{year}").glob("*.npz")):
        output = np.load(path)["output"][0].reshape(-1, 3, axes, 13)
        table = np.loadtxt(path.with_suffix(".csv"), delimiter=",", ndmin=2)
        expected = by_frame_class_and_x(np.delete(table[:, : 6 + axes - 3], 2, axis=1))
        np.testing.assert_allclose(by_frame_class_and_x(decoded_rows(output)), expected, atol=1e-6)


def test_activity_is_the_length_of_the_vector_but_at_most_one() -> None:
    prediction = decode_accdoa(one_frame((0.3, 0.4, 0.0), (1.0, 1.0, 0.0), (0.0, 0.0, 0.0)), CLASSES)
    assert prediction.activity[0, :, 0].tolist() == pytest.approx([0.5, 1.0, 0.0])
    assert prediction.direction[0, 0, 0].tolist() == pytest.approx([0.6, 0.8, 0.0])
    assert prediction.direction[0, 2, 0].tolist() == [0.0, 0.0, 0.0]


def test_distance_is_never_negative() -> None:
    accdoa = np.zeros((1, 3, 4, 1), np.float32)
    accdoa[0, :, 3, 0] = [2.5, -0.1, 0.0]
    prediction = decode_accdoa(accdoa, ("bell",))
    assert prediction.distance_m is not None
    assert prediction.distance_m[0, :, 0].tolist() == [2.5, 0.0, 0.0]


def merged(*tracks: tuple[float, float, float]) -> Prediction:
    return unify(decode_accdoa(one_frame(*tracks), CLASSES), [0.5, 0.5], 15.0)


def test_one_near_pair_becomes_its_mean() -> None:
    prediction = merged((0.8, 0.1, 0.0), (-0.9, 0.0, 0.0), (0.8, -0.1, 0.0))
    assert prediction.activity[0, :, 0].tolist() == pytest.approx([0.8, 0.9, 0.0])
    assert prediction.direction[0, 0, 0].tolist() == pytest.approx([1.0, 0.0, 0.0])


def test_two_near_pairs_merge_all_three_although_the_ends_are_far_apart() -> None:
    at = [np.radians(angle) for angle in (-14, 0, 14)]
    prediction = merged(*[(0.9 * np.cos(a), 0.9 * np.sin(a), 0.0) for a in at])
    assert np.count_nonzero(prediction.activity[0, :, 0]) == 1
    assert prediction.direction[0, 0, 0].tolist() == pytest.approx([1.0, 0.0, 0.0], abs=1e-6)


def test_far_or_inactive_tracks_stay() -> None:
    tracks = ((0.9, 0.0, 0.0), (0.0, 0.9, 0.0), (0.4, 0.0, 0.0))
    prediction = merged(*tracks)
    assert prediction.activity[0, :, 0].tolist() == pytest.approx([0.9, 0.9, 0.4])


def test_sed_doa_has_one_track_per_class() -> None:
    output = {
        "activity": np.array([[0.7, 0.2]], np.float32),
        "vectors": np.array([[[0.0, 1.0], [2.0, 0.0], [0.0, 0.0]]], np.float32),
        "distance": np.array([[1.5, 3.0]], np.float32),
    }
    prediction = decode(output, "sed-doa", CLASSES)
    assert prediction.activity.shape == (1, 1, 2)
    assert prediction.direction[0, 0].tolist() == [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    assert prediction.distance_m is not None
    assert prediction.distance_m[0, 0].tolist() == [1.5, 3.0]


def test_sed_alone_has_no_direction() -> None:
    prediction = decode({"activity": np.array([[0.7, 0.2]], np.float32)}, "sed", CLASSES)
    assert not prediction.direction.any()


def test_unknown_format_is_refused() -> None:
    with pytest.raises(BundleError, match="got 'polar'"):
        decode({}, "polar", CLASSES)  # type: ignore[arg-type]
