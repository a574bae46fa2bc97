"""Fitting a calibration on held-out scenes, and writing it into a bundle."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeseld.core.atomic import atomic_folder
from edgeseld.core.errors import DataError
from edgeseld.core.manifest import (
    CARD_FILE,
    MANIFEST_FILE,
    SUMS_FILE,
    VERIFICATION_FILE,
    CalibrationSpec,
    Fitted,
    Interface,
)
from edgeseld.core.prediction import Prediction
from edgeseld.core.structs import read_json, to_json
from edgeseld.export.bundle_writer import write_sums
from edgeseld.export.proof import Proof, proof_of
from edgeseld.export.thresholds import best_located_thresholds, best_thresholds
from edgeseld.metrics.calibration import class_activity, class_presence
from edgeseld.metrics.direction_errors import angular_coverage, direction_errors
from edgeseld.metrics.labels import Labels, labels_from_prediction
from edgeseld.metrics.rules import RULES
from edgeseld.runtime.backends import open_backend
from edgeseld.runtime.bundle import Bundle, open_bundle
from edgeseld.runtime.calibrate import Calibration, calibrated
from edgeseld.runtime.golden import read_golden
from edgeseld.runtime.model import Model
from edgeseld.runtime.verification import require_parity, verify

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

# A class that sounds in fewer frames keeps temperature 1, bias 0 and its threshold.
FEWEST_FRAMES = 50
# Frames' worth of belief that the network is right as it is: neighbouring frames repeat each other.
PRIOR_FRAMES = 10.0
# Activities are no closer to 0 and 1 than this while fitting, or single frames would rule the slope.
NEAREST = 1e-4
SMALLEST_SLOPE = 0.1
SPREAD_FACTORS = np.geomspace(0.2, 20.0, 93)
CARD_SECTION = "\n## Calibration\n"


@dataclass(frozen=True, slots=True)
class Heard:
    """What a model heard in scenes, and what sounds there, by scene."""

    predictions: Mapping[str, Prediction]
    references: Mapping[str, Labels]

    def with_others(self, others: "Heard") -> "Heard":
        """These scenes and others, of other names."""
        return Heard({**self.predictions, **others.predictions}, {**self.references, **others.references})

    def activities(self, class_count: int) -> tuple[Float64, Bool]:
        """Activity and presence of each class in each frame, (frames, classes)."""
        activity = [class_activity(prediction) for prediction in self.predictions.values()]
        presence = [
            class_presence(self.references[name], prediction.frames, class_count)
            for name, prediction in self.predictions.items()
        ]
        return np.concatenate(activity), np.concatenate(presence)


@dataclass(frozen=True, slots=True)
class HeardStrange:
    """What a model heard in scenes made strange (`edgeseld.data.estranged`), a little and much, under other names."""

    near: Heard
    far: Heard


def uncalibrated(model: Model) -> Model:
    """The model as it was trained, which is what a calibration is fitted on."""
    return Model(msgspec.structs.replace(model.interface, calibration=None), model.backend)


def fit_calibration(
    interface: Interface,
    plain: Mapping[str, Prediction],
    references: Mapping[str, Labels],
    data: str,
    sampled: Mapping[str, Prediction] | None = None,
    strange: HeardStrange | None = None,
) -> Fitted:
    """Fit temperature, bias and threshold of each class on deterministic predictions of an uncalibrated model.

    Predictions and references by scene; `data` names the scenes. `sampled`, predictions with Monte Carlo samples or
    time shifts, serves the spread's factor; without it the factor is 1. Where the scenes hold sounds that the model
    knows, `strange`, the scenes made strange, teach temperature and bias, and the nearer of them have a say in the
    thresholds. DataError where there are no scenes.
    """
    if not plain or set(plain) != set(references):
        raise DataError(
            f"a calibration needs scenes with labels, got {len(plain)} heard and {len(references)} labelled"
        )
    classes = interface.classes
    own = Heard(plain, references)
    taught, tried, made = own, own, ""
    if strange is not None:
        taught, tried = strange.near.with_others(strange.far), own.with_others(strange.near)
        made = f", made strange {len(taught.predictions) // len(plain)} times"
    spec = _fit_activities(*taught.activities(len(classes)), classes, f"{data}, {len(plain)} scenes{made}")
    calibration = Calibration.of(spec, classes)
    found = _thresholds(interface, calibration, tried)
    thresholds = {name: float(found[class_id]) for class_id, name in enumerate(classes) if name in spec.bias}
    if sampled is not None:
        every = [thresholds.get(name, interface.tracking.threshold) for name in classes]
        factor = _spread_factor(sampled, references, calibration, every)
        spec = msgspec.structs.replace(spec, spread_factor=factor)
    return Fitted(calibration=spec, class_thresholds=thresholds)


def _fit_activities(activity: Float64, presence: Bool, classes: tuple[str, ...], data: str) -> CalibrationSpec:
    """Temperature and bias of each class that sounds often enough; arrays (frames, classes)."""
    fits = {
        name: fit_logistic(activity[:, class_id], presence[:, class_id])
        for class_id, name in enumerate(classes)
        if presence[:, class_id].sum() >= FEWEST_FRAMES
    }
    return CalibrationSpec(
        data=data,
        temperature={name: round(1.0 / slope, 4) for name, (slope, _) in fits.items()},
        bias={name: round(bias, 4) for name, (_, bias) in fits.items()},
    )


def _thresholds(interface: Interface, calibration: Calibration, heard: Heard) -> Float64:
    """For each class the threshold of calibrated activity with the best F; directions count where there are any."""
    class_count = len(interface.classes)
    believed = {
        name: replace(one, activity=calibration.activity(one.activity)) for name, one in heard.predictions.items()
    }
    if interface.output_format == "sed":
        return best_thresholds(*Heard(believed, heard.references).activities(class_count))
    unify_deg = interface.tracking.unify_deg
    return best_located_thresholds(believed, heard.references, class_count, unify_deg)


def fit_logistic(activity: Float64, presence: Bool) -> tuple[float, float]:
    """Slope and bias of sigmoid(slope logit(p) + bias) of greatest likelihood, by Newton's method, arrays (frames,).

    Platt scaling; a Gaussian prior around slope 1 and bias 0 is worth PRIOR_FRAMES frames.
    """
    inside = np.clip(activity, NEAREST, 1.0 - NEAREST)
    columns = np.stack([np.log(inside / (1.0 - inside)), np.ones_like(inside)])
    start = np.array([1.0, 0.0])
    values = start.copy()
    for _ in range(50):
        predicted = 1.0 / (1.0 + np.exp(-values @ columns))
        gradient = columns @ (predicted - presence) + PRIOR_FRAMES * (values - start)
        curvature = (columns * (predicted * (1.0 - predicted))) @ columns.T + PRIOR_FRAMES * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        values = values - step / max(1.0, np.abs(step).max())
        values[0] = max(values[0], SMALLEST_SLOPE)
        if np.abs(step).max() < 1e-8:
            break
    return float(values[0]), float(values[1])


def _spread_factor(
    sampled: Mapping[str, Prediction],
    references: Mapping[str, Labels],
    calibration: Calibration,
    thresholds: list[float],
) -> float:
    """Factor with which caps around the detected directions best hold the share of true ones that they should."""
    detected = {
        name: labels_from_prediction(replace(one, activity=calibration.activity(one.activity)), thresholds)
        for name, one in sampled.items()
    }
    errors = direction_errors(references, detected, RULES["dcase2023"], class_count=len(thresholds))
    known = ~np.isnan(errors.spread_deg)
    if known.sum() < FEWEST_FRAMES:
        return 1.0
    gaps = [
        angular_coverage(errors.error_deg, np.minimum(errors.spread_deg * factor, 90.0)).expected_error
        for factor in SPREAD_FACTORS
    ]
    return round(float(SPREAD_FACTORS[int(np.argmin(gaps))]), 3)


def write_calibrated(bundle: Path, fitted: Fitted, output: Path) -> Path:
    """A bundle's folder or zip with a calibration, verified again, in the folder `output`.

    ParityError, and nothing is written, where the calibrated events of the golden vectors stray.
    """
    source = open_bundle(bundle)
    manifest = calibrated(source.manifest, fitted)
    with atomic_folder(output) as folder:
        shutil.copytree(source.folder, folder, dirs_exist_ok=True)
        report = verify(manifest, open_backend(Bundle(folder, manifest)), read_golden(folder))
        require_parity(report, manifest.name)
        (folder / MANIFEST_FILE).write_bytes(to_json(manifest))
        proof = folder / VERIFICATION_FILE
        # A bundle from elsewhere need not have one.
        float_layers = read_json(proof, Proof).float_layers if proof.exists() else ()
        proof.write_bytes(to_json(proof_of(report, float_layers)))
        card = folder / CARD_FILE
        card.write_text(card.read_text().partition(CARD_SECTION)[0] + _section(fitted))
        (folder / SUMS_FILE).unlink()
        write_sums(folder)
    return output


def _section(fitted: Fitted) -> str:
    """What the card says of the calibration."""
    spec = fitted.calibration
    rows = "".join(
        f"| {name} | {spec.temperature[name]:.3f} | {spec.bias[name]:.3f} | {fitted.class_thresholds[name]:.2f} |\n"
        for name in spec.temperature
    )
    return (
        f"{CARD_SECTION}Fitted on {spec.data}. Angular spreads are multiplied by {spec.spread_factor:g}.\n\n"
        f"| class | temperature | bias | threshold |\n|---|---|---|---|\n{rows}"
    )
