"""Rows of results/targets.json."""

from collections.abc import Mapping, Sequence

import msgspec

from edgeseld.bench.machine import Machine
from edgeseld.bench.parity import SceneParity
from edgeseld.bench.report import Timing
from edgeseld.core.structs import Frozen
from edgeseld.export.exporting import Exported


class TargetRow(Frozen, frozen=True, kw_only=True):
    """One model, target and precision; `inputs` are hashes of what the row was made from, `scenes` stand by set.

    `timed_on` is the machine of its times where that is not the report's. A row that was refused says why and holds
    nothing else.
    """

    model: str
    target: str
    precision: str
    inputs: dict[str, str]
    refused: str | None = None
    model_bytes: int | None = None
    verified: bool | None = None
    float_layers: tuple[str, ...] = ()
    raw_max: float | None = None
    changed_frames: float | None = None
    direction_deg: float | None = None
    scenes: dict[str, SceneParity] = msgspec.field(default_factory=dict)
    timings: dict[str, Timing] = msgspec.field(default_factory=dict)
    timed_on: Machine | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Model, target and precision."""
        return self.model, self.target, self.precision

    def covers(self, model: str, pair: str, inputs: Mapping[str, str], sets: Sequence[str]) -> bool:
        """Whether the row says what a new one would say of a model and a target-precision pair on these sets."""
        known = self.refused is not None or set(sets) <= set(self.scenes)
        return self.model == model and f"{self.target}-{self.precision}" == pair and self.inputs == inputs and known


class TargetsReport(Frozen, frozen=True, kw_only=True):
    """results/targets.json."""

    machine: Machine
    versions: dict[str, str]
    rows: tuple[TargetRow, ...]


def replaced(report: TargetsReport, row: TargetRow) -> TargetsReport:
    """The report with this row instead of the one before it, in the order of model, target and precision."""
    others = [one for one in report.rows if one.key != row.key]
    return msgspec.structs.replace(report, rows=tuple(sorted([*others, row], key=lambda one: one.key)))


def row_of(exported: Exported, inputs: dict[str, str], scenes: dict[str, SceneParity]) -> TargetRow:
    """What is known of an export before it is timed."""
    return TargetRow(
        model=exported.manifest.id,
        target=exported.manifest.target,
        precision=exported.manifest.precision,
        inputs=inputs,
        model_bytes=exported.model_bytes,
        verified=exported.report.passed,
        float_layers=exported.report.float_layers,
        raw_max=exported.report.raw_max,
        changed_frames=exported.report.changed_frames,
        direction_deg=exported.report.direction_deg,
        scenes=scenes,
    )
