"""A calibration at work: activities by hand, and what it changes in a prediction."""

import math

import msgspec
import numpy as np
import pytest

from edgeseld.core.manifest import CalibrationSpec
from edgeseld.runtime.calibrate import Calibration
from edgeseld.runtime.model import Model
from edgeseld.runtime.samples import decode_samples
from tests.runtime.parts import CLASSES, made_up_model, noise

SPEC = CalibrationSpec(data="made up", temperature={"bell": 2.0}, bias={"bell": 0.5}, spread_factor=3.0)


def calibrated(model: Model, spec: CalibrationSpec = SPEC) -> Model:
    return Model(msgspec.structs.replace(model.interface, calibration=spec), model.backend)


def by_hand(activity: float) -> float:
    return 1 / (1 + math.exp(-(math.log(activity / (1 - activity)) / 2.0 + 0.5)))


def test_activities_by_hand() -> None:
    ours = Calibration.of(SPEC, CLASSES).activity(np.array([[0.2, 0.2], [0.9, 0.9]], np.float32))
    assert ours[:, 0].tolist() == pytest.approx([by_hand(0.2), by_hand(0.9)], abs=1e-6)
    assert ours[:, 1].tolist() == pytest.approx([0.2, 0.9], abs=1e-6)
    assert ours.dtype == np.float32


def test_certainties_stay_in_bounds_and_silence_stays_silent() -> None:
    ours = Calibration.of(SPEC, CLASSES).activity(np.array([[0.0, 0.0], [1.0, 1.0], [1e-9, 1e-9]], np.float32))
    assert ours[0].tolist() == [0.0, 0.0]
    assert (ours[1] > 0.999).all()
    assert (ours <= 1.0).all()
    assert (ours[2] < 1e-3).all()


def test_the_order_of_activities_never_changes() -> None:
    activity = np.linspace(0, 1, 1001, dtype=np.float32)[:, None].repeat(2, axis=1)
    assert (np.diff(Calibration.of(SPEC, CLASSES).activity(activity), axis=0) >= 0.0).all()


def test_vectors_of_samples_follow_their_activity() -> None:
    accdoa = np.zeros((1, 1, 1, 4, 2), np.float32)
    accdoa[0, 0, 0, :, 0] = [0.0, 0.2, 0.0, 5.0]
    samples = Calibration.of(SPEC, CLASSES).samples(decode_samples({"accdoa": accdoa}, "accdoa"))
    p = by_hand(0.2)
    assert samples.activity[0, 0, 0].tolist() == pytest.approx([p, 0.0], abs=1e-6)
    assert samples.weighted[:, 0, 0, 0, 0].tolist() == pytest.approx([0.0, p, 0.0, 5.0 * p], abs=1e-5)


def test_the_plain_pass_is_calibrated_class_by_class() -> None:
    model, audio = made_up_model("sed"), noise(4 * 2400)
    before, after = model.predict(audio).activity, calibrated(model).predict(audio).activity
    expected = [by_hand(float(p)) for p in before[:, 0, 0]]
    assert after[:, 0, 0].tolist() == pytest.approx(expected, abs=1e-5)
    np.testing.assert_allclose(after[:, 0, 1], before[:, 0, 1], atol=1e-6)


def test_samples_are_calibrated_before_they_are_averaged() -> None:
    model, audio = made_up_model("sed"), noise(4 * 2400)
    mean = calibrated(model).predict(audio, mc_samples=6).activity
    plain = model.predict(audio, mc_samples=6).activity
    late = np.array([by_hand(float(p)) for p in plain[:, 0, 0]])
    assert np.abs(mean[:, 0, 0] - late).max() > 1e-4
    np.testing.assert_allclose(mean[:, 0, 1], plain[:, 0, 1], atol=1e-6)


def test_spreads_are_scaled_up_to_a_right_angle() -> None:
    model, audio = made_up_model("accdoa"), noise(6 * 2400)
    flat = CalibrationSpec(data="made up", temperature={}, bias={}, spread_factor=3.0)
    before, after = (m.predict(audio, mc_samples=5).uncertainty for m in (model, calibrated(model, flat)))
    assert before is not None
    assert after is not None
    expected = np.minimum(3.0 * before.direction_spread_deg, 90.0)
    np.testing.assert_allclose(after.direction_spread_deg, expected, rtol=1e-3)
    assert after.direction_spread_deg.max() == 90.0
