"""The proof of a bundle as tables."""

from typing import Any

from edgeseld.cli.terminal import print_table
from edgeseld.runtime.verification import VerificationReport


def print_golden(name: str, report: VerificationReport) -> None:
    """A row per golden case."""
    rows = [
        [
            case.case,
            f"{case.raw_max:.1e}",
            f"{case.changed_frames} of {case.active_frames}",
            f"{case.direction_deg:.3f}°",
        ]
        for case in report.cases
    ]
    title = f"{name}: {'the same as' if report.passed else 'NOT the same as'} the float model"
    print_table(title, ["golden case", "raw difference", "changed frames", "direction"], rows)


def print_scenes(name: str, scenes: Any) -> None:
    """Scores of the float model and of the bundle, from a SceneParity."""
    rows = [
        ["F20", f"{scenes.reference.F:.4f}", f"{scenes.exported.F:.4f}"],
        ["SELD", f"{scenes.reference.SELD:.4f}", f"{scenes.exported.SELD:.4f}"],
        ["changed frames", "-", f"{100 * scenes.changed_frames:.3f} %"],
        ["direction change", "-", f"{scenes.direction_deg:.3f}°"],
    ]
    print_table(f"{scenes.scenes} scenes", ["", "float model", name], rows)
