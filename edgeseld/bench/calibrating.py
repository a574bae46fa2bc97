"""`edgeseld evaluate --calibrate`: fit on a data set, tell what the fit is worth on groups it did not hear, write."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseld.bench.accuracy import Progress, dataset_for, hear_dataset
from edgeseld.core.manifest import Fitted, Interface
from edgeseld.core.prediction import Prediction
from edgeseld.core.structs import Frozen
from edgeseld.data.dataset import Dataset, read_scene_audio, read_scene_labels
from edgeseld.data.estranged import FAR_SPEEDS, NEAR_SPEEDS, estranged
from edgeseld.export.calibration import Heard, HeardStrange, fit_calibration, uncalibrated, write_calibrated
from edgeseld.metrics.calibration import class_activity, class_presence, reliability
from edgeseld.metrics.labels import Labels
from edgeseld.metrics.significance import room_group
from edgeseld.runtime.calibrate import Calibration
from edgeseld.runtime.model import Model

Float64 = NDArray[np.float64]
MOST_FOLDS = 5


class CalibrationTest(Frozen, frozen=True, kw_only=True):
    """What a calibration is worth on groups of scenes that it was not fitted on.

    Expected calibration error over frames and classes, and frame-wise F of the classes that sound, before and after.
    """

    groups: int
    error_before: float
    error_after: float
    f_before: float
    f_after: float


class CalibrationReport(Frozen, frozen=True, kw_only=True):
    """A bundle with the calibration fitted on all scenes, and the test by groups (None with a single group)."""

    bundle: str
    scenes: int
    spread_factor: float
    test: CalibrationTest | None


def calibrate_bundle(
    model: Model, bundle: Path, data: Path, output: Path, progress: Progress, **passes: Any
) -> CalibrationReport:
    """Fit the calibration of `model`, which runs `bundle`, on a data set, and write the bundle that carries it.

    `passes` (mc_samples, time_shifts, seed), where there are any, serve the factor of the angular spread. DataError for
    data of other classes; ParityError where the calibrated bundle fails its verification.
    """
    plain_model, dataset = uncalibrated(model), dataset_for(model, data)
    references = {scene.name: read_scene_labels(dataset, scene) for scene in dataset.scenes}
    plain = hear_dataset(plain_model, dataset, progress)
    several = passes.get("mc_samples") or passes.get("time_shifts", 1) > 1
    sampled = hear_dataset(plain_model, dataset, progress, **passes) if several else None
    interface = plain_model.interface
    fitted = fit_calibration(interface, plain, references, data.name, sampled)
    test = try_on_groups(interface, plain, references)
    written = write_calibrated(bundle, fitted, output)
    factor = fitted.calibration.spread_factor
    return CalibrationReport(bundle=str(written), scenes=len(plain), spread_factor=factor, test=test)


def hear_estranged(model: Model, dataset: Dataset, progress: Progress) -> HeardStrange:
    """What a model hears in a data set's scenes made strange, each at every speed."""
    return HeardStrange(*(_hear_at(speeds, model, dataset, progress) for speeds in (NEAR_SPEEDS, FAR_SPEEDS)))


def _hear_at(speeds: tuple[float, ...], model: Model, dataset: Dataset, progress: Progress) -> Heard:
    predictions, references = {}, {}
    named = f"{model.interface.id} hears {dataset.root.name} at {' and '.join(map(str, speeds))} of its speed"
    for number, scene in enumerate(progress(dataset.scenes, len(dataset.scenes), named)):
        audio, labels = read_scene_audio(dataset, scene), read_scene_labels(dataset, scene)
        for speed in speeds:
            strange, played = estranged(audio, labels, speed, number)
            name = f"{scene.name} at {speed:g}"
            predictions[name], references[name] = model.predict(strange), played
    return Heard(predictions, references)


def try_on_groups(
    interface: Interface, plain: Mapping[str, Prediction], references: Mapping[str, Labels]
) -> CalibrationTest | None:
    """Leave groups of scenes out in turn, at most five times, and try on them what the others taught.

    A group is a room where names tell it, else a scene of its own.
    """
    groups = sorted({_group(name) for name in plain})
    if len(groups) < 2:
        return None
    folds = {group: number % MOST_FOLDS for number, group in enumerate(groups)}
    parts = []
    for fold in sorted(set(folds.values())):
        inside = {name for name in plain if folds[_group(name)] != fold}
        fitted = fit_calibration(
            interface, {name: plain[name] for name in inside}, {name: references[name] for name in inside}, "others"
        )
        parts += [
            _before_and_after(interface, fitted, plain[name], references[name]) for name in plain if name not in inside
        ]
    before, after, active_before, active_after, presence = (np.concatenate(part) for part in zip(*parts, strict=True))
    return CalibrationTest(
        groups=len(groups),
        error_before=reliability(before, presence).expected_error,
        error_after=reliability(after, presence).expected_error,
        f_before=macro_f(active_before, presence),
        f_after=macro_f(active_after, presence),
    )


def macro_f(active: NDArray[np.bool_], presence: NDArray[np.bool_]) -> float:
    """Frame-wise F, the mean over the classes that sound, of arrays (frames, classes)."""
    sounding = presence.any(axis=0)
    hits = (active & presence).sum(axis=0)[sounding]
    return float((2 * hits / (active.sum(axis=0) + presence.sum(axis=0))[sounding]).mean()) if sounding.any() else 0.0


def _before_and_after(
    interface: Interface, fitted: Fitted, prediction: Prediction, labels: Labels
) -> tuple[Float64, Float64, NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Activities and detections (frames, classes) before and after the calibration, and what sounds."""
    classes, rules = interface.classes, interface.tracking
    before = class_activity(prediction)
    after = Calibration.of(fitted.calibration, classes).activity(before.astype(np.float32)).astype(np.float64)
    thresholds = np.array([fitted.class_thresholds.get(name, rules.threshold) for name in classes])
    presence = class_presence(labels, prediction.frames, len(classes))
    return before, after, before > np.array(rules.thresholds(classes)), after > thresholds, presence


def _group(name: str) -> str:
    return room_group(name) if re.match(r"fold\d+_room\d+_mix", name) else name
