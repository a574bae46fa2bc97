"""Calibration at work: activities that are probabilities, spreads that hold what they say (`CalibrationSpec`)."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypeVar

import msgspec
import numpy as np

from edgeseld.core.manifest import CALIBRATION_FILE, CalibrationSpec, Fitted, Interface
from edgeseld.core.prediction import Float32, Prediction
from edgeseld.core.structs import read_json
from edgeseld.runtime.decode import SHORTEST
from edgeseld.runtime.samples import Samples

# Activities closer to 0 or 1 than this have no finite logit in float32; it is the step below 1.
SATURATION = np.float32(2.0**-24)
WIDEST_DEG = np.float32(90.0)

AnyInterface = TypeVar("AnyInterface", bound=Interface)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Arrays (classes,) of a CalibrationSpec, in the order of the model's classes."""

    slope: Float32
    bias: Float32
    spread_factor: float

    @classmethod
    def of(cls, spec: CalibrationSpec, classes: tuple[str, ...]) -> Self:
        """Arrays in the order of `classes`."""
        return cls(
            slope=np.array([1.0 / spec.temperature.get(name, 1.0) for name in classes], np.float32),
            bias=np.array([spec.bias.get(name, 0.0) for name in classes], np.float32),
            spread_factor=spec.spread_factor,
        )

    def activity(self, activity: Float32) -> Float32:
        """Calibrated activity of an array whose last axis is the class; 0 stays 0."""
        odds = np.minimum(np.maximum(activity, SATURATION), np.float32(1.0) - SATURATION)
        odds /= np.float32(1.0) - odds
        logit = np.log(odds, out=odds)
        logit *= self.slope
        logit += self.bias
        calibrated: Float32 = np.exp(np.negative(logit, out=logit), out=logit)
        calibrated += np.float32(1.0)
        np.divide(np.float32(1.0), calibrated, out=calibrated)
        calibrated *= activity > 0.0
        return calibrated

    def samples(self, samples: Samples) -> Samples:
        """Samples with calibrated activities, the weighted axes in proportion."""
        activity = self.activity(samples.activity)
        share: Float32 = np.divide(activity, np.maximum(samples.activity, SHORTEST))
        share *= samples.activity > SHORTEST
        return Samples(activity, samples.weighted * share)

    def spread(self, prediction: Prediction) -> Prediction:
        """The prediction with its angular spread scaled."""
        uncertainty = prediction.uncertainty
        if uncertainty is None:
            return prediction
        spread_deg = np.minimum(uncertainty.direction_spread_deg * np.float32(self.spread_factor), WIDEST_DEG)
        return replace(prediction, uncertainty=replace(uncertainty, direction_spread_deg=spread_deg))


def calibration_of(interface: Interface) -> Calibration | None:
    """The calibration of a model as arrays, None for a model without one."""
    return None if interface.calibration is None else Calibration.of(interface.calibration, interface.classes)


def calibrated(interface: AnyInterface, fitted: Fitted) -> AnyInterface:
    """An interface or manifest with a fitted calibration and its thresholds."""
    tracking = msgspec.structs.replace(interface.tracking, class_thresholds=fitted.class_thresholds)
    return msgspec.structs.replace(interface, calibration=fitted.calibration, tracking=tracking)


def with_own_calibration(interface: AnyInterface, folder: Path) -> AnyInterface:
    """The interface of the model in `folder` with the calibration that lies beside its weights, where one does."""
    path = folder / CALIBRATION_FILE
    return calibrated(interface, read_json(path, Fitted)) if path.exists() else interface
