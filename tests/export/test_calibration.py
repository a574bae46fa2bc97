"""Fitting a calibration: parameters that are known, and a bundle that carries them."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

import edgeseld
from edgeseld.core.errors import DataError
from edgeseld.core.geometry import unit_vector
from edgeseld.core.manifest import CALIBRATION_FILE, CalibrationSpec, Fitted, Interface
from edgeseld.core.prediction import Prediction, Uncertainty
from edgeseld.core.spec import SignalSpec, TrackingSpec
from edgeseld.core.structs import to_json
from edgeseld.export.calibration import (
    Heard,
    HeardStrange,
    fit_calibration,
    fit_logistic,
    uncalibrated,
    write_calibrated,
)
from edgeseld.export.thresholds import best_located_thresholds
from edgeseld.metrics.calibration import reliability
from edgeseld.metrics.labels import Labels, labels_from_vectors
from edgeseld.runtime.calibrate import Calibration
from tests.tiny import make_bundle, make_model

CLASSES = ("bell", "knock", "door")
INTERFACE = Interface(
    id="made-up",
    signal=SignalSpec(),
    context_samples=0,
    output_format="accdoa",
    classes=CLASSES,
    tracking=TrackingSpec(),
    graphs={},
)
Made = tuple[dict[str, Prediction], dict[str, Labels]]


def scenes(seed: int, slope: float, bias: float, error_deg: float = 0.0, spread_deg: float = 5.0) -> Made:
    """Two scenes whose true classes follow sigmoid(slope logit(p) + bias); doors never sound."""
    generator = np.random.default_rng(seed)
    predictions, references = {}, {}
    for name in ("a", "b"):
        p = generator.beta(0.6, 0.9, (3000, 1, 3)).clip(1e-3, 1 - 1e-3)
        chance = 1 / (1 + np.exp(-(slope * np.log(p / (1 - p)) + bias)))
        active = generator.random(p.shape) < chance * [1.0, 1.0, 0.0]
        frame, track, class_id = np.nonzero(active)
        # Errors of a von Mises-Fisher distribution of small spread are nearly Gaussian in both tangents.
        offset = generator.normal(0.0, error_deg, (2, *p.shape))
        predictions[name] = Prediction(
            p.astype(np.float32),
            unit_vector(*offset).astype(np.float32),
            CLASSES,
            None,
            Uncertainty(*[np.full(p.shape, spread_deg, np.float32)] * 4, 10, 1),
        )
        references[name] = labels_from_vectors(frame, class_id, track, np.tile([1.0, 0.0, 0.0], (len(frame), 1)))
    return predictions, references


@pytest.mark.parametrize(("slope", "bias"), [(1.0, 0.0), (0.5, 0.8), (2.0, -1.0)])
def test_known_parameters_are_found(slope: float, bias: float) -> None:
    fitted = fit_calibration(INTERFACE, *scenes(0, slope, bias), "made up")
    for name in ("bell", "knock"):
        assert 1 / fitted.calibration.temperature[name] == pytest.approx(slope, rel=0.1)
        assert fitted.calibration.bias[name] == pytest.approx(bias, abs=0.12)
    assert fitted.calibration.data == "made up, 2 scenes"
    assert fitted.calibration.spread_factor == 1.0


def test_a_class_that_hardly_sounds_keeps_what_it_has() -> None:
    fitted = fit_calibration(INTERFACE, *scenes(1, 1.0, 0.0), "made up")
    assert set(fitted.calibration.temperature) == set(fitted.calibration.bias) == {"bell", "knock"}
    assert set(fitted.class_thresholds) == {"bell", "knock"}


def test_other_scenes_are_better_calibrated_afterwards() -> None:
    fitted = fit_calibration(INTERFACE, *scenes(2, 0.4, 1.0), "made up")
    predictions, references = scenes(3, 0.4, 1.0)
    p = predictions["a"].activity[:, 0, :2]
    truth = np.zeros(p.shape, bool)
    rows = references["a"].class_id < 2
    truth[references["a"].frame[rows], references["a"].class_id[rows]] = True
    after = Calibration.of(fitted.calibration, CLASSES).activity(predictions["a"].activity)[:, 0, :2]
    errors = [reliability(x.astype(np.float64), truth).expected_error for x in (p, after)]
    assert errors[1] < 0.3 * errors[0]


def test_the_spread_becomes_as_wide_as_the_errors() -> None:
    """Errors of 10 degrees in both tangents: mean resultant length exp(-s^2), spread arccos of it, said 5."""
    s = np.radians(10.0)
    expected = np.degrees(np.arccos(np.exp(-(s**2)))) / 5.0
    predictions, references = scenes(4, 1.0, 0.0, error_deg=10.0)
    fitted = fit_calibration(INTERFACE, predictions, references, "made up", sampled=predictions)
    assert fitted.calibration.spread_factor == pytest.approx(expected, rel=0.08)


def test_the_logistic_fit_stays_finite_where_classes_are_perfectly_told_apart() -> None:
    activity = np.array([0.01] * 100 + [0.99] * 100)
    slope, bias = fit_logistic(activity, activity > 0.5)
    assert 1.0 < slope < 5.0
    assert abs(bias) < 0.5


def test_scenes_without_labels_are_refused() -> None:
    predictions, references = scenes(5, 1.0, 0.0)
    with pytest.raises(DataError, match="needs scenes with labels, got 2 heard and 1 labelled"):
        fit_calibration(INTERFACE, predictions, {"a": references["a"]}, "made up")
    with pytest.raises(DataError, match="got 0 heard"):
        fit_calibration(INTERFACE, {}, {}, "made up")


@pytest.mark.export
def test_a_bundle_with_its_calibration_is_verified_and_hears_by_it(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    bundle = make_bundle(make_model(tmp_path / "tiny"), "onnx", tmp_path)
    spec = CalibrationSpec(data="made up", temperature={"bell": 2.0}, bias={"bell": 1.0}, spread_factor=2.0)
    output = write_calibrated(bundle, Fitted(calibration=spec, class_thresholds={"bell": 0.3}), tmp_path / "new.seld")
    plain, ours = edgeseld.load(bundle, check="strict"), edgeseld.load(output, check="strict")
    assert ours.interface.calibration == spec
    assert ours.interface.tracking.thresholds(ours.interface.classes) == [0.3, 0.5]
    audio = np.random.default_rng(0).normal(0, 0.1, (4, 24_000)).astype(np.float32)
    assert np.abs(ours.predict(audio).activity - plain.predict(audio).activity).max() > 0.01
    np.testing.assert_array_equal(
        uncalibrated(ours).predict(audio).direction.shape, plain.predict(audio).direction.shape
    )
    card = (output / "README.md").read_text()
    assert "| bell | 2.000 | 1.000 | 0.30 |" in card
    other = Fitted(calibration=msgspec.structs.replace(spec, data="else"), class_thresholds={"bell": 0.3})
    again = write_calibrated(output, other, tmp_path / "b.seld")
    assert (again / "README.md").read_text().count("## Calibration") == 1


@pytest.mark.export
def test_a_calibration_beside_the_weights_goes_into_every_bundle(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    model = make_model(tmp_path / "tiny")
    spec = CalibrationSpec(data="made up", temperature={"bell": 2.0}, bias={"bell": 1.0})
    fitted = Fitted(calibration=spec, class_thresholds={"bell": 0.3})
    (model / CALIBRATION_FILE).write_bytes(to_json(fitted))
    exported, on_torch = edgeseld.load(make_bundle(model, "onnx", tmp_path)), edgeseld.load(model, backend="torch")
    assert exported.interface.calibration == on_torch.interface.calibration == spec
    audio = np.random.default_rng(0).normal(0, 0.1, (4, 24_000)).astype(np.float32)
    np.testing.assert_allclose(exported.predict(audio).activity, on_torch.predict(audio).activity, atol=1e-4)


def renamed(part: Made, speed: float) -> Heard:
    return Heard(*({f"{name} at {speed:g}": one for name, one in column.items()} for column in part))


def test_strange_scenes_teach_the_temperature_and_the_nearer_share_in_the_thresholds() -> None:
    plain, near, far = scenes(6, 1.0, 0.0), renamed(scenes(7, 0.5, -0.6), 0.8), renamed(scenes(8, 0.5, -0.6), 0.7)
    fitted = fit_calibration(INTERFACE, *plain, "made up", strange=HeardStrange(near, far))
    assert 1 / fitted.calibration.temperature["bell"] == pytest.approx(0.5, rel=0.1)
    assert fitted.calibration.bias["bell"] == pytest.approx(-0.6, abs=0.12)
    assert fitted.calibration.data == "made up, 2 scenes, made strange 2 times"
    alone = fit_calibration(INTERFACE, dict(far.predictions), dict(far.references), "made up")
    assert fitted.calibration.temperature != alone.calibration.temperature
    both = {**plain[0], **near.predictions}, {**plain[1], **near.references}
    calibration = Calibration.of(fitted.calibration, CLASSES)
    believed = {name: replace(one, activity=calibration.activity(one.activity)) for name, one in both[0].items()}
    wanted = best_located_thresholds(believed, both[1], len(CLASSES), INTERFACE.tracking.unify_deg)
    assert fitted.class_thresholds == {"bell": wanted[0], "knock": wanted[1]}


def test_without_directions_frames_decide_on_the_thresholds() -> None:
    predictions, references = scenes(8, 1.0, 0.0, error_deg=60.0)
    heard = msgspec.structs.replace(INTERFACE, output_format="sed")
    by_frames = fit_calibration(heard, predictions, references, "made up").class_thresholds["bell"]
    # Sixty degrees off: nothing is worth a detection but what is certain, and hardly that.
    assert by_frames == pytest.approx(0.4, abs=0.1)
    assert fit_calibration(INTERFACE, predictions, references, "made up").class_thresholds["bell"] != by_frames
