"""Raw outputs to what a model says, by the rules of its manifest: decoding, calibration, unification."""

from collections.abc import Mapping
from dataclasses import replace

from edgeseld.core.manifest import Interface
from edgeseld.core.prediction import Float32, Prediction
from edgeseld.runtime.calibrate import Calibration
from edgeseld.runtime.decode import decode
from edgeseld.runtime.unify import unify


def interpret(outputs: Mapping[str, Float32], interface: Interface, calibration: Calibration | None) -> Prediction:
    """Outputs of one pass, without a batch dimension, to calibrated activities; tracks as the network gives them."""
    prediction = decode(outputs, interface.output_format, interface.classes)
    if calibration is None:
        return prediction
    return replace(prediction, activity=calibration.activity(prediction.activity))


def finish(prediction: Prediction, interface: Interface, calibration: Calibration | None) -> Prediction:
    """Scaled spreads, the rules of tracking, and near tracks unified."""
    rules = interface.tracking
    if calibration is not None:
        prediction = calibration.spread(prediction)
    return unify(replace(prediction, tracking=rules), rules.thresholds(prediction.classes), rules.unify_deg)
