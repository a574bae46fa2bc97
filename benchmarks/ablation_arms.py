"""The arms of the ablation: what each row of the table trains with, as recipes and as runs that can go on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from edgeseld.core.atomic import write_atomic
from edgeseld.core.locate import MODEL_FILE
from edgeseld.core.recipe import DistillSpec, MixKind, ModelFile
from edgeseld.core.structs import to_toml
from edgeseld.train.distillation import distill
from edgeseld.train.feature_store import Progress
from edgeseld.train.run import RESULTS_FILE
from edgeseld.train.supervised import Sources, train

# HDA-SELD's weights, and its warm-up of 20 of 100 epochs as a share of all steps.
RESPONSE_WEIGHT, FEATURE_WEIGHT, WARMUP_SHARE = 0.5, 0.5, 0.2


@dataclass(frozen=True, slots=True)
class Arm:
    """One row of the table: the student and what it learns from beside labels."""

    name: str
    title: str
    adds_to: str = ""
    response: bool = False
    feature: bool = False
    exits: bool = False
    mix: MixKind = "none"


# PatchMix takes the place of PointMix; each of the others adds to the one above it.
BASELINE = Arm("labels", "labels alone")
ARMS = (
    BASELINE,
    Arm("response", "+ response", "labels", response=True),
    Arm("feature", "+ feature", "response", response=True, feature=True),
    Arm("exits", "+ self-distillation", "feature", response=True, feature=True, exits=True),
    Arm("pointmix", "+ PointMix", "exits", response=True, feature=True, exits=True, mix="pointmix"),
    Arm("patchmix", "+ PatchMix", "exits", response=True, feature=True, exits=True, mix="patchmix"),
)


@dataclass(frozen=True, slots=True)
class Tier:
    """What a machine can afford: the teacher, seeds of every arm and of the best ones, steps if not the recipe's."""

    name: str
    teacher: str
    seeds: tuple[int, ...]
    best_seeds: tuple[int, ...]
    best_arms: int = 2
    steps: int | None = None


TIERS = {
    "gpu": Tier("gpu", "teacher-hda", (0, 1, 2), (0, 1, 2)),
    "cpu": Tier("cpu", "teacher-m", (0,), (0, 1, 2)),
}


def with_seeds(tier: Tier, count: int) -> Tier:
    """The tier with at least this many seeds of every arm."""
    more = tuple(range(count))
    return replace(tier, seeds=max(tier.seeds, more, key=len), best_seeds=max(tier.best_seeds, more, key=len))


def without_start_share(recipe: ModelFile) -> ModelFile:
    """The recipe without the average with its start, which a released one may end with."""
    return msgspec.structs.replace(recipe, train=msgspec.structs.replace(recipe.train, start_share=0.0))


def arm_recipe(student: ModelFile, arm: Arm, seed: int, steps: int | None) -> ModelFile:
    """The student's recipe with what the arm adds."""
    steps = student.train.steps if steps is None else steps
    mix = msgspec.structs.replace(student.train.augment.mix, kind=arm.mix)
    recipe = msgspec.structs.replace(
        student.train,
        steps=steps,
        warmup_steps=min(student.train.warmup_steps, steps // 10),
        validate_every_steps=min(student.train.validate_every_steps, steps),
        seed=seed,
        augment=msgspec.structs.replace(student.train.augment, mix=mix),
    )
    stages = tuple(f"stage-{number + 1}" for number in range(len(student.network.stages)))
    return msgspec.structs.replace(
        student,
        network=msgspec.structs.replace(student.network, exits=stages if arm.exits else ()),
        train=recipe,
        distill=DistillSpec(
            # Live for all of them, so that arms differ in their losses alone.
            teacher="live" if arm.response else "cached",
            response_weight=RESPONSE_WEIGHT if arm.response else 0.0,
            feature_weight=FEATURE_WEIGHT if arm.feature else 0.0,
            feature_warmup_steps=round(steps * WARMUP_SHARE) if arm.feature else 0,
        ),
    )


def run_arm(
    recipe: ModelFile,
    teachers: Sequence[Path],
    sources: Sources,
    output: Path,
    progress: Progress,
    init_from: Path | None = None,
) -> Path:
    """Train the recipe into `output`, go on with a training that broke off, or leave a finished one as it is."""
    if (output / RESULTS_FILE).exists():
        return output
    resume = (output / MODEL_FILE).exists()
    path = output.with_suffix(".toml")
    write_atomic(path, to_toml(recipe))
    if teachers:
        distill(path, teachers, sources, output, init_from=init_from, resume=resume, progress=progress)
    else:
        train(path, sources, output, init_from=init_from, resume=resume, progress=progress)
    return output
