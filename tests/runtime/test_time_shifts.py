"""Shifts by 30 ms: where they lie, and the whole pass against plain loops that hear delayed audio window by window."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeseld.core.errors import BundleError, ConfigError
from edgeseld.core.prediction import Float32, Prediction
from edgeseld.core.spec import TrackingSpec
from edgeseld.runtime.feature_line import FeatureLine
from edgeseld.runtime.masks import draw_masks
from edgeseld.runtime.model import Model
from edgeseld.runtime.passes import Graphs
from edgeseld.runtime.samples import Samples
from edgeseld.runtime.time_shifts import Shift, margin_frames, regrid, shifts
from edgeseld.runtime.windows import cut
from tests.runtime.parts import SIGNAL, SITES, MadeUpBackend, made_up_model, noise

Float64 = NDArray[np.float64]
APART = TrackingSpec(unify_deg=0.0)


def test_where_shifts_lie() -> None:
    """+30 ms: one frame and a half of 20 ms; its label frame 0 starts 0.3 frames into the output. -30 ms: two back."""
    assert Shift(1).feature_delay(480) == (1, 240)
    assert Shift(-1).feature_delay(480) == (-2, 240)
    assert Shift(2).feature_delay(480) == (3, 0)
    assert Shift(1).output_place() == (0, 720)
    assert Shift(-1).output_place() == (-1, 1680)
    assert Shift(4).output_place() == (1, 480)
    assert [shift.number for shift in shifts(5, SIGNAL)] == [2, 1, 0, -1, -2]
    assert [margin_frames(count) for count in (1, 3, 7, 9, 21)] == [0, 1, 1, 2, 3]


@pytest.mark.parametrize(
    ("count", "reason"), [(2, "odd"), (0, "odd"), (-3, "odd"), (23, "less than half a window of 6")]
)
def test_impossible_numbers_of_shifts(count: int, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        shifts(count, SIGNAL)


@given(st.integers(1, 9), st.integers(0, 479), st.integers(-12, 0), st.data())
def test_a_feature_line_is_one_long_frontend(tile: int, delay: int, first: int, data: st.DataObject) -> None:
    model, audio = made_up_model(tile_frames=tile), noise(5 * 2400)
    line = FeatureLine(Graphs(model.interface, model.backend), audio, delay, first)
    start = data.draw(st.integers(first, 20))
    for _ in range(3):
        stop = start + data.draw(st.integers(1, 30))
        pcm = cut(audio, start * 480 - delay - SIGNAL.context_samples, stop * 480 - delay)
        (expected,) = model.backend.run("frontend", [pcm[None]])
        np.testing.assert_allclose(line.frames(start, stop), expected, atol=1e-5)
        start = data.draw(st.integers(start, stop))


def delayed_pass(model: Model, audio: Float32, delay: int, mask: Float32 | None) -> Float64:
    """Vectors (frames, tracks, 3, classes) of windows of the delayed audio, as many as the audio fills."""
    backend, window = model.backend, SIGNAL.window_pcm_samples
    frames = -(-audio.shape[1] // 2400)
    parts = []
    for start in range(0, audio.shape[1], window):
        pcm = cut(audio, start - delay - SIGNAL.context_samples, start - delay + window)[None]
        accdoa, embedding = backend.run("full", [pcm])
        if mask is not None:
            (accdoa,) = backend.run("head", [embedding, mask])
        parts.append(accdoa[0])
    return np.concatenate(parts)[:frames].astype(float)


def plain_align(sample: Float64, reference: Float64) -> Float64:
    """One frame and class, (tracks, 3)."""
    p, q = (np.minimum(np.linalg.norm(x, axis=1), 1) for x in (reference, sample))

    def agreement(order: tuple[int, ...]) -> float:
        pairs = [(t, order[t]) for t in range(3)]
        return sum(
            p[t] * q[s] * (1 + reference[t] @ sample[s] / np.linalg.norm(reference[t]) / np.linalg.norm(sample[s]))
            for t, s in pairs
        )

    return sample[list(max(permutations(range(3)), key=agreement))]


def plain_shifts(
    model: Model, audio: Float32, count: int, masks: list[Float32 | None]
) -> tuple[Float64, Float64, Float64]:
    """Activity, deviation (frames, tracks, classes) and mean vectors (..., 3), shift by shift, frame by frame."""
    reference = delayed_pass(model, audio, 0, None)
    frames, tracks, _, classes = reference.shape
    found: dict[tuple[int, int], list[tuple[Float64, Float64]]] = {}
    for number in range(-(count // 2), count // 2 + 1):
        for mask in masks:
            shifted = delayed_pass(model, audio, 720 * number, mask)
            for frame, class_id in np.ndindex(frames, classes):
                place = frame + 0.3 * number
                low = math.floor(place + 1e-9)
                share = place - low
                high = low + (share > 1e-6)
                if low < 0 or high >= frames:
                    continue
                ends = [
                    plain_align(shifted[at, :, :, class_id], reference[frame, :, :, class_id]) for at in (low, high)
                ]
                p = [np.minimum(np.linalg.norm(end, axis=1), 1) for end in ends]
                v = [end / np.maximum(np.linalg.norm(end, axis=1, keepdims=True), 1) for end in ends]
                activity = (1 - share) * p[0] + share * p[1]
                vector = (1 - share) * v[0] + share * v[1]
                vector *= (activity / np.linalg.norm(vector, axis=1))[:, None]
                found.setdefault((frame, class_id), []).append((activity, vector))
    mean, deviation, vectors = (np.zeros((frames, tracks, classes, *more)) for more in ((), (), (3,)))
    for (frame, class_id), samples in found.items():
        activity = np.stack([p for p, _ in samples])
        mean[frame, :, class_id], deviation[frame, :, class_id] = activity.mean(axis=0), activity.std(axis=0)
        vectors[frame, :, class_id] = np.mean([v for _, v in samples], axis=0)
    return mean, deviation, vectors


def check(prediction: Prediction, expected: tuple[Float64, Float64, Float64]) -> None:
    mean, deviation, vectors = expected
    assert prediction.uncertainty is not None
    np.testing.assert_allclose(prediction.activity, mean, atol=1e-5)
    np.testing.assert_allclose(prediction.uncertainty.activity_std, deviation, atol=1e-5)
    unit = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    np.testing.assert_allclose(prediction.direction, unit, atol=1e-4)


@pytest.mark.parametrize("frames", [1, 2, 6, 13])
@pytest.mark.parametrize("count", [3, 5, 9])
def test_against_plain_loops(frames: int, count: int) -> None:
    model, audio = made_up_model(tracking=APART), noise(frames * 2400 - 500)
    prediction = model.predict(audio, time_shifts=count)
    check(prediction, plain_shifts(model, audio, count, [None]))
    assert prediction.uncertainty is not None
    assert (prediction.uncertainty.mc_samples, prediction.uncertainty.time_shifts) == (0, count)


def test_shifts_and_masks_together_against_plain_loops() -> None:
    model, audio = made_up_model(tracking=APART), noise(8 * 2400)
    masks: list[Float32 | None] = list(draw_masks(SITES, 0, 3, seed=7)[0][:, None])
    prediction = model.predict(audio, time_shifts=3, mc_samples=3, seed=7)
    check(prediction, plain_shifts(model, audio, 3, masks))
    assert prediction.uncertainty is not None
    assert (prediction.uncertainty.mc_samples, prediction.uncertainty.time_shifts) == (3, 3)


def test_calibration_takes_samples_that_are_aligned() -> None:
    reference = Samples(*(np.random.default_rng(3).random((*axes, 3, 1, 4, 2), np.float32) for axes in ((), (3,))))
    turned = Samples(reference.activity[[1, 2, 0]], reference.weighted[:, [1, 2, 0]])
    taken: list[Samples] = []

    def calibrate(samples: Samples) -> Samples:
        taken.append(samples)
        return Samples(samples.activity / 2, samples.weighted / 2)

    placed, _ = regrid([turned], [Shift(0)], reference, 0, 4, calibrate)
    np.testing.assert_array_equal(taken[0].activity[:, :1], reference.activity)
    np.testing.assert_array_equal(placed.activity, reference.activity / 2)


@pytest.mark.parametrize("tile_frames", [3, 6, 8, 40])
def test_the_length_of_the_frontend_graph_does_not_matter(tile_frames: int) -> None:
    audio = noise(20 * 2400)
    ours = made_up_model(tile_frames=tile_frames).predict(audio, time_shifts=5)
    np.testing.assert_allclose(ours.activity, made_up_model().predict(audio, time_shifts=5).activity, atol=1e-6)


def test_a_window_with_margins_takes_two_frontend_passes_for_five_shifts() -> None:
    model = made_up_model(tile_frames=8)
    assert isinstance(model.backend, MadeUpBackend)
    model.predict(noise(6 * 2400), time_shifts=5)
    assert model.backend.runs.count("frontend") == 2
    assert model.backend.runs.count("encoder") == 5
    assert len(model.backend.runs) == 7


@pytest.mark.parametrize("head", ["accdoa", "sed-doa", "sed"])
def test_other_heads(head: str) -> None:
    model = made_up_model(head, distance=head != "sed")  # type: ignore[arg-type]
    audio = noise(9 * 2400)
    prediction, plain = model.predict(audio, time_shifts=3), model.predict(audio)
    assert prediction.activity.shape == plain.activity.shape
    assert prediction.direction.shape == plain.direction.shape
    assert (prediction.distance_m is None) == (plain.distance_m is None)
    assert 0.0 < np.abs(prediction.activity - plain.activity).max() < 0.5


def test_one_shift_is_the_plain_pass() -> None:
    model, audio = made_up_model(), noise(7 * 2400)
    prediction = model.predict(audio, time_shifts=1)
    assert prediction.uncertainty is None
    np.testing.assert_array_equal(prediction.activity, model.predict(audio).activity)


@pytest.mark.parametrize("role", ["frontend", "encoder"])
def test_a_bundle_without_the_graphs_says_so(role: str) -> None:
    roles = [name for name in ("full", "head", "frontend", "encoder") if name != role]
    with pytest.raises(BundleError, match=f"time shifts needs the graph '{role}'"):
        made_up_model(roles=roles).predict(noise(2400), time_shifts=3)  # type: ignore[arg-type]
