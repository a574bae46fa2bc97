"""The card of a released model, models/<id>/README.md: every figure from results.json and the data set."""

from collections import Counter
from pathlib import Path
from string import Template

from benchmarks.heldout import DEFINITION
from edgeseld.core.catalogue import DetectionScores, HeldoutScores, ModelResults
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import read_toml
from edgeseld.data.layout import DatasetSpec
from edgeseld.data.synth.definition import HeldoutDefinition

CARD = Path(__file__).parent / "card.md"
SIGNALS = {"foa": "first-order ambisonics", "mic": "a tetrahedral array", "stereo": "stereo", "mono": "one channel"}
LOCATION_RULES = "2023 rules, macro average over the"
DETECTION_RULES = "segments of a second, macro average over the"
# How directions of stereo labels are told.
FOLDED = " Directions are azimuths folded to the front half plane."
MEASURED = "; measured rooms are recorded responses in 12 azimuths"
UNMEASURED = "; no measured room is known for this array"
OUTPUTS = {
    "multi-accdoa": "multi-ACCDOA vectors",
    "accdoa": "ACCDOA vectors",
    "sed-doa": "activities and directions",
    "sed": "activities",
}


def card(spec: ModelFile, results: ModelResults, data: DatasetSpec) -> str:
    """Text of the card."""
    last = results.last_run
    measure = "F" if results.detection else "F20"
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
        rules=DETECTION_RULES if results.detection else LOCATION_RULES,
        scores="\n".join(f"| {' | '.join(row)} |" for row in _with_line(*score_table(results))),
        measured=MEASURED if "measured" in (results.heldout or results.detection) else UNMEASURED,
        folded=FOLDED if spec.signal.channel_format == "stereo" else "",
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
        stages=_stages(results.runs, last.started_from),
        taught=_taught(spec, last.teachers),
        averaged=_averaged(spec.train.start_share),
        validation=f"{measure} {last.validation['F']:.3f}, SELD {last.validation['SELD']:.3f}",
        licence=spec.licence,
    )


def model_of(signature: str) -> str:
    """The id in an id with a hash."""
    return signature.partition(" ")[0]


def _stages(count: int, started_from: str | None) -> str:
    if count > 1:
        return f"{count} runs, each from the weights of the one before"
    return (
        "one run"
        if started_from is None
        else f"one run, which began with those layers of {model_of(started_from)} that fit"
    )


def _averaged(start_share: float) -> str:
    return f", averaged with those before it ({start_share:.0%} of the latter)" if start_share else ""


def _taught(spec: ModelFile, teachers: tuple[str, ...]) -> str:
    if not teachers:
        return ""
    turns = spec.distill.teacher_turns
    names = [model_of(teacher) for teacher in teachers]
    said = f"what {' and '.join(names)}, as released then, {'says' if len(names) == 1 else 'say on average'}"
    source = f"labels and from {said}" if spec.distill.label_weight else f"{said} alone"
    heard = "" if turns == 1 else f", each scene heard in {turns} symmetries of the channels"
    return f"; in the last one it learned from {source}{heard}"


def score_table(results: ModelResults) -> tuple[list[str], list[list[str]]]:
    """Header and rows, one for each held-out set."""
    if results.detection:
        rows = [[name, *_detection(scores)] for name, scores in results.detection.items()]
        return ["rooms", "F1", "95 %", "F1, best thresholds", "ER"], rows
    rows = [[name, *_location(scores)] for name, scores in results.heldout.items()]
    return ["rooms", "F20", "95 %", "F20, all classes", "LE", "LR", "ER", "SELD"], rows


def _with_line(header: list[str], rows: list[list[str]]) -> list[list[str]]:
    """Rows of a Markdown table."""
    return [header, ["---"] * len(header), *rows]


def _location(scores: HeldoutScores) -> list[str]:
    low, high = scores.F20_interval
    figures = [f"{scores.F20:.3f}", f"{low:.3f} to {high:.3f}", f"{scores.F20_all:.3f}", f"{scores.LE:.1f}°"]
    return [*figures, *(f"{value:.3f}" for value in (scores.LR, scores.ER, scores.SELD))]


def _detection(scores: DetectionScores) -> list[str]:
    low, high = scores.F1_interval
    return [f"{scores.F1:.3f}", f"{low:.3f} to {high:.3f}", f"{scores.F1_MO:.3f}", f"{scores.ER:.3f}"]
