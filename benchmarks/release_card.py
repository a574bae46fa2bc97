"""The card of a released model, models/<id>/README.md: every figure from results.json and the data set."""

from collections import Counter
from pathlib import Path
from string import Template

from benchmarks.heldout import DEFINITION
from edgeseld.core.catalogue import HeldoutScores, ModelResults
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import read_toml
from edgeseld.data.layout import DatasetSpec
from edgeseld.data.synth.definition import HeldoutDefinition

CARD = Path(__file__).parent / "card.md"
SIGNALS = {"foa": "first-order ambisonics", "mic": "a tetrahedral array", "stereo": "stereo", "mono": "one channel"}
OUTPUTS = {
    "multi-accdoa": "multi-ACCDOA vectors",
    "accdoa": "ACCDOA vectors",
    "sed-doa": "activities and directions",
    "sed": "activities",
}


def card(spec: ModelFile, results: ModelResults, data: DatasetSpec) -> str:
    """Text of the card."""
    last = results.last_run
    data_hours = data.scenes * data.scene_s / 3600
    provenance = data.provenance
    assert provenance is not None
    kinds = Counter(room.partition("-")[0] for room in provenance.rooms)
    return Template(CARD.read_text()).substitute(
        id=spec.id,
        description=spec.description,
        parameters=f"{results.cost.parameters / 1e6:.2f}",
        macs=f"{results.cost.macs / 1e6:.0f}",
        frontend_macs=f"{results.cost.frontend_macs / 1e6:.0f}",
        signal=SIGNALS[spec.signal.channel_format],
        output=OUTPUTS[spec.head.format],
        classes=", ".join(spec.classes).replace("_", " "),
        class_count=len(spec.classes),
        headline=len(read_toml(DEFINITION, HeldoutDefinition).headline_classes),
        scores="\n".join(_score_row(name, scores) for name, scores in results.heldout.items()),
        scenes=data.scenes,
        data_hours=f"{data_hours:.0f}",
        data_seed=data.seed,
        clip_groups=sum(map(len, provenance.clip_groups.values())),
        rooms=" and ".join(f"{count} {kind} rooms" for kind, count in kinds.items()),
        left_out_reason=provenance.left_out_reason,
        hours_seen=f"{results.hours_seen:.0f}",
        epochs=f"{results.hours_seen / data_hours:.1f}",
        training_minutes=f"{results.training_s / 60:.0f}",
        device=results.training_device,
        best_step=last.best_step,
        steps=last.steps,
        stages=_stages(results.runs),
        taught=_taught(spec, last.teachers),
        validation=f"F20 {last.validation['F']:.3f}, SELD {last.validation['SELD']:.3f}",
        licence=spec.licence,
    )


def _stages(count: int) -> str:
    return "one run" if count == 1 else f"{count} runs, each from the weights of the one before"


def _taught(spec: ModelFile, teachers: tuple[str, ...]) -> str:
    if not teachers:
        return ""
    turns = spec.distill.teacher_turns
    names = " and ".join(teacher.partition(" ")[0] for teacher in teachers)
    heard = "" if turns == 1 else f", each hearing every scene in {turns} symmetries of its channels"
    return f"; in the last one it learned from labels and from what {names}, as released before, say on average{heard}"


def _score_row(name: str, scores: HeldoutScores) -> str:
    low, high = scores.F20_interval
    figures = f"{scores.F20:.3f} | {low:.3f} to {high:.3f} | {scores.F20_all:.3f} | {scores.LE:.1f}°"
    return f"| {name} | {figures} | {scores.LR:.3f} | {scores.ER:.3f} | {scores.SELD:.3f} |"
