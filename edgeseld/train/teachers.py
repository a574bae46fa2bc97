"""Teachers: trained networks of any size that are listened to and never change."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from edgeseld.core.errors import TrainingError
from edgeseld.core.locate import MODEL_FILE
from edgeseld.core.recipe import ModelFile
from edgeseld.core.spec import HeadSpec, SignalSpec
from edgeseld.core.structs import read_toml
from edgeseld.nn.flow import Flow
from edgeseld.nn.heads import Output
from edgeseld.nn.network import Inference, SeldNetwork
from edgeseld.nn.weights import WEIGHTS_FILE, load_network
from edgeseld.train.turning import common_swaps, swap_features, swap_matrices, turn_outputs

# What each format of a student needs its teacher to give, any one of these sets.
NEEDED: dict[str, tuple[frozenset[str], ...]] = {
    "multi-accdoa": (frozenset({"accdoa"}), frozenset({"activity", "vectors"})),
    "accdoa": (frozenset({"accdoa"}), frozenset({"activity", "vectors"})),
    "sed-doa": (frozenset({"accdoa"}), frozenset({"activity", "vectors"})),
    "sed": (frozenset({"accdoa"}), frozenset({"activity"})),
}

# The first one's tracks may be the odd ones: a second alignment is to what the first one gave.
ALIGNMENTS = 2


@dataclass(frozen=True, slots=True)
class Teacher:
    """A frozen network in evaluation mode, what tells its weights from others, and how often it hears a sound field.

    With `turns` above 1 it hears the field in so many exact symmetries of its channels, the first as it is.
    """

    spec: ModelFile
    network: SeldNetwork
    weights_sha256: str
    turns: int = 1

    def __deepcopy__(self, memo: dict[int, Any]) -> "Teacher":
        """Weight averaging copies the task around a teacher; what never changes need not be copied."""
        return self

    def hear(self, features: Tensor) -> Inference:
        """Everything that one pass over unstandardised features (batch, maps, hops, mel_bands) computes."""
        with torch.no_grad():
            standardised = self.network.frontend.standardise(features.float())
            return self.network.infer_all(standardised.to(memory_format=torch.channels_last), Flow())

    def outputs(self, features: Tensor) -> Output:
        """Outputs of all heads for unstandardised features, each turned field's turned back, and their mean."""
        signal = self.spec.signal
        swaps = common_swaps([signal.channel_format])[: self.turns]
        heard = []
        for number in range(len(swaps)):
            drawn = torch.full((features.shape[0],), number)
            turned = outputs_of(self.hear(swap_features(features, signal, swaps, drawn)))
            heard.append(turn_outputs(turned, swap_matrices(swaps, drawn).mT))
        return averaged(heard)


def load_teacher(folder: Path, turns: int = 1) -> Teacher:
    """The model in a folder with model.toml and weights; TrainingError for bundles, which hold no trainable network,
    and for more turns than its channels have symmetries."""
    if not (folder / MODEL_FILE).is_file():
        raise TrainingError(f"a teacher is a model id or a training run with its weights, got {folder}: name one")
    spec = read_toml(folder / MODEL_FILE, ModelFile)
    possible = len(common_swaps([spec.signal.channel_format]))
    if turns > possible:
        raise TrainingError(
            f"{spec.signal.channel_format} audio has {possible} exact symmetries, got distill.teacher_turns = {turns}: "
            f"set it to {possible} or fewer"
        )
    network = load_network(spec, folder / WEIGHTS_FILE)
    network.requires_grad_(False)
    digest = hashlib.sha256((folder / WEIGHTS_FILE).read_bytes()).hexdigest()
    return Teacher(spec, network.to(memory_format=torch.channels_last), digest, turns)  # type: ignore[call-overload]


def outputs_of(inference: Inference) -> Output:
    """Outputs of the head and of the teaching heads together; where two give the same, the head's."""
    merged: Output = {}
    for output in (*inference.taught, inference.output):
        merged.update(output)
    return merged


def require_teachable(student: ModelFile, teacher: ModelFile, *, live: bool) -> None:
    """TrainingError where a teacher's classes, windows, directions or outputs do not fit the student."""
    if teacher.classes != student.classes:
        raise TrainingError(
            f"teacher and data share one class list; {teacher.id} has {len(teacher.classes)} "
            f"({', '.join(teacher.classes[:3])}, ...), the data {len(student.classes)} "
            f"({', '.join(student.classes[:3])}, ...): train the teacher on these classes first"
        )
    theirs, ours = teacher.signal, student.signal
    if live and ours.window_frames > theirs.window_frames:
        raise TrainingError(
            f"a live teacher hears the student's windows, which must not be longer than its own; {teacher.id} has "
            f"{theirs.window_frames} frames, {student.id} {ours.window_frames}: set distill.teacher = 'cached'"
        )
    overlaid = student.train.augment.overlay.share > 0
    if overlaid and not live:
        raise TrainingError(
            f"a cached teacher has not heard scenes laid over one another, got augment.overlay.share = "
            f"{student.train.augment.overlay.share:g}: set distill.teacher = 'live'"
        )
    if overlaid and theirs.spatial == "intensity":
        raise TrainingError(
            f"features of {teacher.id} are normalised per bin, and scenes cannot be laid over one another in them: "
            "set augment.overlay.share = 0, or use another teacher"
        )
    if student.head.format != "sed" and theirs.channel_format == "stereo" != ours.channel_format:
        raise TrainingError(
            f"a stereo teacher tells no front from behind; {teacher.id} hears stereo, {student.id} "
            f"{ours.channel_format}: teach a student of format 'sed', or use a teacher that hears all directions"
        )
    given = {name for head in (teacher.head, *teacher.teaching_heads) for name in _given(head)}
    for head in (student.head, *student.teaching_heads):
        if not any(needed <= given for needed in NEEDED[head.format]):
            raise TrainingError(
                f"{teacher.id} gives {', '.join(sorted(given))}, which cannot teach a head of format {head.format}: "
                "choose a teacher that hears directions"
            )


def _given(head: HeadSpec) -> tuple[str, ...]:
    if head.format in ("accdoa", "multi-accdoa"):
        return ("accdoa",)
    return ("activity", "vectors") if head.format == "sed-doa" else ("activity",)


def outputs_for(student: SignalSpec, teacher: SignalSpec, outputs: Mapping[str, Tensor]) -> Output:
    """What a teacher said, in directions that the student's channels can tell.

    For a stereo student of another teacher those are folded to the front half plane, elevation 0, as labels of stereo
    scenes are (`edgeseld.signal.stereo`); their length, which may be an activity, stays.
    """
    if student.channel_format != "stereo" or teacher.channel_format == "stereo":
        return dict(outputs)
    folded = dict(outputs)
    if "vectors" in folded:
        folded["vectors"] = _fold_to_front(folded["vectors"])
    if "accdoa" in folded:
        accdoa = folded["accdoa"]
        folded["accdoa"] = torch.cat([_fold_to_front(accdoa[..., :3, :]), accdoa[..., 3:, :]], dim=-2)
    return folded


def _fold_to_front(vectors: Tensor) -> Tensor:
    """(..., 3, classes)."""
    x, y, z = vectors.float().unbind(dim=-2)
    ahead = torch.stack([x.abs(), y, torch.zeros_like(z)], dim=-2)
    length = vectors.float().norm(dim=-2, keepdim=True)
    return ahead * (length / ahead.norm(dim=-2, keepdim=True).clamp(min=1e-6))


def averaged(outputs: Sequence[Mapping[str, Tensor]]) -> Output:
    """One output of an ensemble: what all of them give, tracks aligned to the first one's, then to their mean.

    Directions and distances are weighted by each teacher's activity. TrainingError where nothing is common.
    """
    if len(outputs) == 1:
        return dict(outputs[0])
    shared = [
        name for name in outputs[0] if all(name in o and o[name].shape == outputs[0][name].shape for o in outputs)
    ]
    if not shared:
        raise TrainingError("teachers of one ensemble need outputs of one format and shape, got none in common")
    return {name: _average(name, outputs) for name in shared}


def _average(name: str, outputs: Sequence[Mapping[str, Tensor]]) -> Tensor:
    tensors = [output[name].float() for output in outputs]
    if name == "activity":
        return torch.stack(tensors).mean(dim=0)
    if name == "accdoa":
        mean = tensors[0]
        for _ in range(ALIGNMENTS):
            mean = torch.stack([align_tracks(tensor, mean) for tensor in tensors]).mean(dim=0)
        return mean
    activity = torch.stack([output["activity"].float() for output in outputs])
    weights = activity / activity.sum(dim=0).clamp(min=1e-6)
    if name == "vectors":
        weights = weights.unsqueeze(3)
    return (weights * torch.stack(tensors)).sum(dim=0)


def align_tracks(accdoa: Tensor, reference: Tensor) -> Tensor:
    """Tracks (batch, frames, tracks, axes, classes) in the order nearest to the reference, per frame and class."""
    orders = torch.tensor(list(permutations(range(accdoa.shape[2]))), device=accdoa.device)
    errors = torch.stack([(accdoa[:, :, order] - reference).square().sum(dim=(2, 3)) for order in orders])
    best = orders[errors.argmin(dim=0)].permute(0, 1, 3, 2).unsqueeze(3)
    return accdoa.gather(2, best.expand(-1, -1, -1, accdoa.shape[3], -1))
