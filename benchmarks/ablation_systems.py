"""Systems of the ablation on the held-out sets: what each heard, its score over all seeds, and differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.heldout import DEFINITION, MEASURES
from benchmarks.teachers import with_thresholds
from edgeseld.bench.accuracy import dataset_for, detections, hear_dataset
from edgeseld.cli.terminal import progress
from edgeseld.core.atomic import atomic_file
from edgeseld.core.early_exit import exit_folder
from edgeseld.core.errors import ConfigError
from edgeseld.core.interval import Interval
from edgeseld.core.prediction import Prediction
from edgeseld.core.spec import TrackingSpec
from edgeseld.core.structs import read_toml, to_json
from edgeseld.data.dataset import read_scene_labels
from edgeseld.data.synth.definition import HeldoutDefinition
from edgeseld.export.calibration import uncalibrated
from edgeseld.metrics.calibration import Reliability, class_activity, class_presence, reliability
from edgeseld.metrics.direction_errors import direction_errors
from edgeseld.metrics.labels import Labels
from edgeseld.metrics.rules import RULES
from edgeseld.metrics.score import Score, score
from edgeseld.metrics.significance import paired_bootstrap
from edgeseld.runtime.model import load


@dataclass(frozen=True, slots=True)
class System:
    """Trained runs of one arm by seed, what they heard, and the score of all of them together."""

    title: str
    runs: Mapping[int, Path]
    heard: Mapping[int, Mapping[str, Prediction]]
    score: Score


@dataclass(frozen=True, slots=True)
class Heldout:
    """Sets that no system was trained on: references by set and scene, and the classes that are averaged.

    Thresholds are fitted on `validation`, where there is one; what systems hear is kept in the folder `heard`.
    """

    roots: tuple[Path, ...]
    validation: Path | None
    heard: Path
    references: Mapping[str, Labels]
    classes: tuple[int, ...]
    class_names: tuple[str, ...]


def open_heldout(roots: Sequence[Path], validation: Path | None, heard: Path, run: Path) -> Heldout:
    """The headline classes count where the sets have them all, else every class."""
    if len({root.name for root in roots}) < len(roots):
        raise ConfigError(f"held-out sets need different names, not {', '.join(map(str, roots))}: rename a folder")
    model = load(run, backend="torch")
    names = model.interface.classes
    headline = read_toml(DEFINITION, HeldoutDefinition).headline_classes
    classes = tuple(names.index(name) for name in (headline if set(headline) <= set(names) else names))
    references = {}
    for root in roots:
        dataset = dataset_for(model, root)
        references |= {f"{root.name}/{scene.name}": read_scene_labels(dataset, scene) for scene in dataset.scenes}
    return Heldout(tuple(roots), validation, heard, references, classes, names)


def hear(run: Path, heldout: Heldout, exit_name: str | None = None) -> dict[str, Prediction]:
    """What a run hears in every scene, by set and scene."""
    system = run.name if exit_name is None else f"{run.name}-{exit_name}"
    kept = heldout.heard / f"{system}-{'+'.join(root.name for root in heldout.roots)}.npz"
    _listen(run, heldout, exit_name, kept)
    with np.load(kept) as arrays:
        tracking = msgspec.json.decode(arrays["tracking"].tobytes(), type=TrackingSpec)
        return {
            name: Prediction(
                activity=arrays[f"{name}/activity"],
                direction=arrays[f"{name}/direction"],
                classes=heldout.class_names,
                tracking=tracking,
            )
            for name in heldout.references
        }


def _listen(run: Path, heldout: Heldout, exit_name: str | None, kept: Path) -> None:
    if kept.exists():
        return
    arrays = {}
    with exit_folder(run, exit_name) as folder:
        model = load(folder, backend="torch")
        if heldout.validation is not None:
            model = with_thresholds(uncalibrated(model), heldout.validation)
        for root in heldout.roots:
            for name, prediction in hear_dataset(model, dataset_for(model, root), progress).items():
                arrays[f"{root.name}/{name}/activity"] = prediction.activity
                arrays[f"{root.name}/{name}/direction"] = prediction.direction
    heldout.heard.mkdir(parents=True, exist_ok=True)
    with atomic_file(kept) as temporary:
        tracking = np.frombuffer(to_json(model.interface.tracking), np.uint8)
        np.savez_compressed(temporary, tracking=tracking, **arrays)


def system_of(title: str, runs: Mapping[int, Path], heldout: Heldout, exit_name: str | None = None) -> System:
    """Score of all seeds together: each seed's files stand beside those of the others."""
    heard = {seed: hear(run, heldout, exit_name) for seed, run in runs.items()}
    return System(title, runs, heard, _score(heard, heldout))


def _score(heard: Mapping[int, Mapping[str, Prediction]], heldout: Heldout) -> Score:
    references = {f"{seed}/{name}": labels for seed in heard for name, labels in heldout.references.items()}
    found = {f"{seed}/{name}": detections(p) for seed, scenes in heard.items() for name, p in scenes.items()}
    rules = replace(RULES["dcase2023"], corrected=True)
    return score(references, found, rules, class_count=len(heldout.class_names), classes=heldout.classes)


def difference(first: System, second: System, heldout: Heldout) -> dict[str, Interval]:
    """Second minus first over the seeds that both have; a file is drawn with all its seeds."""
    seeds = sorted(set(first.heard) & set(second.heard))
    scores = [_score({seed: system.heard[seed] for seed in seeds}, heldout) for system in (first, second)]
    groups = {name: name.partition("/")[2] for name in scores[0].counts.files}
    found = paired_bootstrap(scores[0], scores[1], groups)
    return {
        name: Interval(value=found[name].difference, low=found[name].low, high=found[name].high) for name in MEASURES
    }


def reliability_of(system: System, heldout: Heldout) -> Reliability:
    """How often classes sound when the system says that they do, over all seeds."""
    said, happened = [], []
    for scenes in system.heard.values():
        for name, prediction in scenes.items():
            activity = class_activity(prediction)
            said.append(activity)
            happened.append(class_presence(heldout.references[name], len(activity), len(heldout.class_names)))
    return reliability(np.concatenate(said), np.concatenate(happened))


def direction_errors_of(system: System, heldout: Heldout) -> np.ndarray:
    """Degrees of every matched source, over all seeds."""
    found = {f"{seed}/{name}": detections(p) for seed, scenes in system.heard.items() for name, p in scenes.items()}
    references = {f"{seed}/{name}": labels for seed in system.heard for name, labels in heldout.references.items()}
    rules = replace(RULES["dcase2023"], corrected=True)
    return direction_errors(references, found, rules, len(heldout.class_names)).error_deg
