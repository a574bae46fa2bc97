"""Does an exported bundle hear what the float model hears? Tensors on golden vectors, and the events in them."""

from collections.abc import Mapping

import numpy as np

from edgeseld.core.errors import ParityError
from edgeseld.core.geometry import angle_between_deg
from edgeseld.core.manifest import Manifest, ToleranceSpec
from edgeseld.core.prediction import Prediction
from edgeseld.core.structs import Frozen
from edgeseld.runtime.backends import Backend
from edgeseld.runtime.calibrate import calibration_of
from edgeseld.runtime.golden import golden_inputs
from edgeseld.runtime.interpret import finish, interpret
from edgeseld.runtime.masks import draw_masks

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
    """Run every golden case through the backend and compare with the float model."""
    cases = []
    for case, array in golden_inputs(manifest, dict(golden)).items():
        names = [spec.name for spec in manifest.graphs["full"].outputs]
        outputs = dict(zip(names, backend.run("full", [array]), strict=True))
        cases.append(_compare(manifest, case, outputs, golden, f"{case}/full/"))
    if "head" in manifest.graphs:
        cases += _head_cases(manifest, backend, golden)
    return _report(manifest.tolerance, tuple(cases))


def require_parity(report: VerificationReport, name: str) -> None:
    """ParityError unless the report passed."""
    if not report.passed:
        raise ParityError(
            f"{name} does not hear what the float model hears: {'; '.join(report.failures)}; "
            "choose a finer precision, or write it marked unverified with --allow-drift"
        )


def _head_cases(manifest: Manifest, backend: Backend, golden: Mapping[str, np.ndarray]) -> list[CaseReport]:
    """Every Monte Carlo sample of the golden scene."""
    assert manifest.monte_carlo is not None
    masks = draw_masks(manifest.monte_carlo.sites, 0, manifest.monte_carlo.chunk_samples, seed=0)
    names = [spec.name for spec in manifest.graphs["head"].outputs]
    arrays = backend.run("head", [golden["scene/full/embedding"], *masks])
    reports = []
    for sample in range(manifest.monte_carlo.chunk_samples):
        outputs = {name: array[sample : sample + 1] for name, array in zip(names, arrays, strict=True)}
        expected = {f"{name}": golden[f"scene/head/{name}"][sample : sample + 1] for name in names}
        reports.append(_compare(manifest, f"scene, sample {sample}", outputs, expected, ""))
    return reports


def _compare(
    manifest: Manifest, case: str, outputs: Mapping[str, np.ndarray], golden: Mapping[str, np.ndarray], prefix: str
) -> CaseReport:
    names = [name for name in outputs if name != "embedding"]
    differences = np.concatenate([np.abs(outputs[n] - golden[prefix + n]).ravel() for n in names])
    ours = _events(manifest, {name: outputs[name][0] for name in names})
    theirs = _events(manifest, {name: golden[prefix + name][0] for name in names})
    thresholds = np.asarray(manifest.tracking.thresholds(manifest.classes))
    active, expected = ours.activity > thresholds, theirs.activity > thresholds
    near = (np.abs(theirs.activity - thresholds) < NEAR_THRESHOLD) & (active != expected)
    both = active & expected
    angles = angle_between_deg(ours.direction[both], theirs.direction[both])
    return CaseReport(
        case=case,
        raw_max=float(differences.max()),
        raw_mean=float(differences.mean()),
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
