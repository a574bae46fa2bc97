"""Does an exported bundle hear what the float model hears? Tensors on golden vectors, and the events in them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgeseld.core.errors import ParityError
from edgeseld.core.geometry import angle_between_deg
from edgeseld.core.manifest import Manifest, ToleranceSpec
from edgeseld.core.prediction import Prediction
from edgeseld.core.structs import Frozen
from edgeseld.runtime.backends import Backend
from edgeseld.runtime.calibrate import calibration_of
from edgeseld.runtime.golden import Replay, replay
from edgeseld.runtime.interpret import finish, interpret

# An activity this close to its threshold may fall on either side of it by rounding alone.
NEAR_THRESHOLD = 1e-5


class CaseReport(Frozen, frozen=True, kw_only=True):
    """One golden case: raw differences; active frames of the float model, those changed, those too near to tell."""

    case: str
    raw_max: float
    raw_mean: float
    active_frames: int
    changed_frames: int
    near_threshold_frames: int
    direction_deg: float


@dataclass(frozen=True, slots=True)
class Changes:
    """Active frames of the reference, those that changed, those too near a threshold to tell, and the mean turn."""

    active_frames: int
    changed_frames: int
    near_threshold_frames: int
    direction_deg: float


class VerificationReport(Frozen, frozen=True, kw_only=True):
    """verification.json."""

    passed: bool
    failures: tuple[str, ...]
    raw_max: float
    raw_mean: float
    changed_frames: float
    direction_deg: float
    tolerance: ToleranceSpec
    cases: tuple[CaseReport, ...]


def verify(manifest: Manifest, backend: Backend, golden: Mapping[str, np.ndarray]) -> VerificationReport:
    """Run every golden case through every graph of the backend and compare with the float model."""
    cases = [report for case in replay(manifest, backend, dict(golden)) for report in _case_reports(manifest, case)]
    return _report(manifest.tolerance, tuple(cases))


def require_parity(report: VerificationReport, name: str) -> None:
    """ParityError unless the report passed."""
    if not report.passed:
        raise ParityError(
            f"{name} does not hear what the float model hears: {'; '.join(report.failures)}; "
            "choose a finer precision, or write it marked unverified with --allow-drift"
        )


def _case_reports(manifest: Manifest, case: Replay) -> list[CaseReport]:
    """A report for the case, or for each Monte Carlo sample of it."""
    names = [name for name in case.outputs if name != "embedding"]
    batch = len(case.outputs[names[0]])
    return [
        _compare(
            manifest,
            case.name if batch == 1 else f"scene, sample {sample}",
            {name: case.outputs[name][sample] for name in names},
            {name: case.expected[name][sample] for name in names},
        )
        for sample in range(batch)
    ]


def _compare(
    manifest: Manifest, case: str, outputs: Mapping[str, np.ndarray], golden: Mapping[str, np.ndarray]
) -> CaseReport:
    """Outputs without a batch dimension."""
    differences = np.concatenate([np.abs(outputs[name] - golden[name]).ravel() for name in outputs])
    found = changes(_events(manifest, outputs), _events(manifest, golden))
    return CaseReport(
        case=case,
        raw_max=float(differences.max()),
        raw_mean=float(differences.mean()),
        active_frames=found.active_frames,
        changed_frames=found.changed_frames,
        near_threshold_frames=found.near_threshold_frames,
        direction_deg=found.direction_deg,
    )


def changes(ours: Prediction, theirs: Prediction) -> Changes:
    """What is heard differently in two predictions of the same audio, the second being the reference."""
    thresholds = np.asarray(theirs.tracking.thresholds(theirs.classes))
    active, expected = ours.activity > thresholds, theirs.activity > thresholds
    near = (np.abs(theirs.activity - thresholds) < NEAR_THRESHOLD) & (active != expected)
    both = active & expected
    angles = angle_between_deg(ours.direction[both], theirs.direction[both])
    return Changes(
        active_frames=int(expected.sum()),
        changed_frames=int(((active != expected) & ~near).sum()),
        near_threshold_frames=int(near.sum()),
        direction_deg=float(angles.mean()) if both.any() else 0.0,
    )


def _events(manifest: Manifest, outputs: Mapping[str, np.ndarray]) -> Prediction:
    calibration = calibration_of(manifest)
    return finish(interpret(outputs, manifest, calibration), manifest, calibration)


def _report(tolerance: ToleranceSpec, cases: tuple[CaseReport, ...]) -> VerificationReport:
    active = sum(case.active_frames for case in cases)
    weights = [case.active_frames for case in cases]
    figures = {
        "raw_max": max(case.raw_max for case in cases),
        "raw_mean": max(case.raw_mean for case in cases),
        "changed_frames": sum(case.changed_frames for case in cases) / max(active, 1),
        "direction_deg": float(np.average([case.direction_deg for case in cases], weights=weights)) if active else 0.0,
    }
    failures = tuple(
        f"{name} {value:.3g} is above {getattr(tolerance, name):g}"
        for name, value in figures.items()
        if not value <= getattr(tolerance, name)
    )
    return VerificationReport(passed=not failures, failures=failures, tolerance=tolerance, cases=cases, **figures)
