"""`edgeseld distill`: a student learns from labels, from its teachers' outputs and from the maps of the first one."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from edgeseld.core.errors import TrainingError
from edgeseld.core.recipe import ModelFile
from edgeseld.core.spec import SignalSpec
from edgeseld.nn.network import Inference, SeldNetwork
from edgeseld.train.batches import Batch
from edgeseld.train.ensemble import train_ensemble
from edgeseld.train.feature_distillation import FeatureDistillation
from edgeseld.train.feature_store import Progress, open_store, without_progress
from edgeseld.train.origin import origin_of, signature
from edgeseld.train.response import response_loss
from edgeseld.train.run import TrainingResults, find_checkpoint, fit
from edgeseld.train.supervised import Sources, TrainingData, open_data, read_recipe, start_network, window_settings
from edgeseld.train.task import SeldTask
from edgeseld.train.taught_windows import TaughtWindows
from edgeseld.train.teacher_store import open_taught, same_scenes
from edgeseld.train.teachers import Teacher, averaged, load_teacher, outputs_for, outputs_of, require_teachable
from edgeseld.train.validation import ValidationScenes


class DistillTask(SeldTask):
    """Training of a student; the teachers stand beside the task, not in it, and are in no checkpoint."""

    feature_weight: Tensor

    def __init__(
        self, network: SeldNetwork, spec: ModelFile, validation: ValidationScenes, teachers: Sequence[Teacher]
    ) -> None:
        super().__init__(network, spec, validation)
        self.teachers = tuple(teachers) if spec.distill.teacher == "live" else ()
        self._hear = [torch.compile(t.hear) if spec.train.compile else t.hear for t in self.teachers]
        self.adapters: FeatureDistillation | None = None
        # A tensor: code would be compiled anew for each value of a number.
        self.register_buffer("feature_weight", torch.zeros(()), persistent=False)
        if spec.distill.feature_weight > 0:
            self.pairs = stage_pairs(spec, teachers[0].spec)
            ours, theirs = spec.network.stages, teachers[0].spec.network.stages
            self.adapters = FeatureDistillation(
                [ours[student - 1].channels for student, _ in self.pairs],
                [theirs[teacher - 1].channels for _, teacher in self.pairs],
            )

    @property
    def signals(self) -> list[SignalSpec]:
        """The student's, then those of live teachers."""
        return [self.spec.signal, *(teacher.spec.signal for teacher in self.teachers)]

    def on_fit_start(self) -> None:
        """Teachers follow the student to its device."""
        for teacher in self.teachers:
            teacher.network.to(self.device)

    def batch_loss(self, batch: Batch) -> Tensor:
        """Loss per item; live teachers hear the batch coloured and overlaid, but not yet masked or mixed."""
        if self.teachers:
            heard = [hear(maps) for hear, maps in zip(self._hear, batch.heard, strict=True)]
            taught = averaged(
                [
                    outputs_for(self.spec.signal, teacher.spec.signal, outputs_of(inference))
                    for teacher, inference in zip(self.teachers, heard, strict=True)
                ]
            )
            batch = replace(batch, taught=taught, shown=tuple(heard[0].maps), heard=())
        if self.adapters is not None:
            self.feature_weight.fill_(self.grown_feature_weight)
        return super().batch_loss(batch)

    def item_losses(self, inference: Inference, batch: Batch) -> Tensor:
        """Weighted sum of label, response and feature terms (HDA-SELD, eq. 31)."""
        recipe = self.spec.distill
        loss = recipe.label_weight * super().item_losses(inference, batch)
        for output in (inference.output, *inference.taught):
            loss = loss + recipe.response_weight * response_loss(output, dict(batch.taught), batch.target)
        if self.adapters is None:
            return loss
        ours = [inference.maps[student] for student, _ in self.pairs]
        theirs = [batch.shown[teacher] for _, teacher in self.pairs]
        return loss + self.feature_weight * self.adapters(ours, theirs)

    @property
    def grown_feature_weight(self) -> float:
        """Weight of the feature term at this step."""
        recipe = self.spec.distill
        grown = (self.global_step + 1) / recipe.feature_warmup_steps if recipe.feature_warmup_steps else 1.0
        return recipe.feature_weight * min(grown, 1.0)


def stage_pairs(student: ModelFile, teacher: ModelFile) -> tuple[tuple[int, int], ...]:
    """Stages (student's, teacher's) that are compared, from 1; TrainingError where the recipe names others."""
    ours, theirs = len(student.network.stages), len(teacher.network.stages)
    count = min(ours, theirs)
    pairs = student.distill.stages or tuple((ours - count + n, theirs - count + n) for n in range(1, count + 1))
    strangers = [pair for pair in pairs if pair[0] > ours or pair[1] > theirs]
    if strangers:
        raise TrainingError(
            f"distill.stages pairs the {ours} stages of {student.id} with the {theirs} of {teacher.id}, got "
            f"{strangers[0]}: name stages that are there"
        )
    return pairs


def distill(
    model_toml: Path,
    teachers: Sequence[Path],
    sources: Sources,
    output: Path,
    *,
    init_from: Path | None = None,
    resume: bool = False,
    progress: Progress = without_progress,
) -> TrainingResults:
    """Train the student of a recipe under teachers, each a folder with model.toml and weights.

    The student starts from `init_from`, else from the first teacher, wherever the shapes agree.
    """
    spec = read_recipe(model_toml, sources)
    listened = [load_teacher(folder, spec.distill.teacher_turns) for folder in teachers]
    for teacher in listened:
        require_teachable(spec, teacher.spec, live=spec.distill.teacher == "live")
    if spec.distill.ensemble == "trained" and len(listened) < 2:
        raise TrainingError(
            f"distill.ensemble = 'trained' weighs two teachers or more, got {len(listened)}: name another one with "
            "--teacher, or leave it at 'mean'"
        )
    start = init_from or teachers[0]
    origin = origin_of(start, tuple(map(signature, teachers)))
    checkpoint = find_checkpoint(output, spec, origin, resume=resume)
    data = open_data(sources, spec, progress)
    network = start_network(spec, start)
    data.standardise(network)
    task = DistillTask(network, spec, data.validation, listened)
    windows = taught_windows(data, spec, listened, progress)
    return fit(task, windows, output, checkpoint, origin)


def taught_windows(
    data: TrainingData, spec: ModelFile, teachers: Sequence[Teacher], progress: Progress
) -> TaughtWindows:
    """Training windows with cached outputs of the teachers, or with their features."""
    windows = TaughtWindows(data.stores, len(spec.classes), **window_settings(spec))
    of_teachers = [
        [
            same_scenes(store, open_store(root, teacher.spec.signal, progress, data.part))
            for root, store in zip(data.roots, data.stores, strict=True)
        ]
        for teacher in teachers
    ]
    if spec.distill.teacher == "live":
        windows.heard = of_teachers
    else:
        windows.taught = [
            [open_taught(teacher, store, progress) for store in stores]
            for teacher, stores in zip(teachers, of_teachers, strict=True)
        ]
    if spec.distill.ensemble == "trained":
        windows.combine = train_ensemble(windows.lesson, spec.signal.channel_format, spec.train.seed, progress)
    return windows
