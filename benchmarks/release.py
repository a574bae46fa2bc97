"""A trained run becomes a released model: `python -m benchmarks.release RUN --data DIR --validation DIR ...`.

Writes models/<id>: weights in half precision, a calibration fitted on the validation scenes, scores on the held-out
sets with it, the card, and with --bundle the bundles, as compressed zips, which are unpacked to be used. With the
id of a released model instead of a run all but the weights is made anew.
"""

import shutil
import tempfile
from pathlib import Path

import click
import msgspec

from benchmarks.heldout import heldout_scores, listen
from benchmarks.heldout_detection import hear_and_score
from benchmarks.release_card import card, model_of, score_table
from edgeseld.bench.accuracy import dataset_for, hear_dataset
from edgeseld.bench.calibrating import hear_estranged
from edgeseld.cli import run_command
from edgeseld.cli.terminal import print_table, progress
from edgeseld.core.atomic import write_atomic
from edgeseld.core.catalogue import BUNDLES, RESULTS_FILE, Cost, DetectionScores, HeldoutScores, LastRun, ModelResults
from edgeseld.core.errors import ConfigError
from edgeseld.core.locate import MODEL_FILE, models_folder
from edgeseld.core.manifest import CALIBRATION_FILE, CARD_FILE, Fitted
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import read_json, read_toml, to_json
from edgeseld.data.dataset import read_scene_labels
from edgeseld.data.layout import SPEC_NAME, DatasetSpec
from edgeseld.export.bundle_writer import zip_bundle
from edgeseld.export.calibration import fit_calibration, uncalibrated
from edgeseld.export.exporting import export_model
from edgeseld.export.recipe import read_recipe, recipe_path
from edgeseld.nn.cost import network_cost
from edgeseld.nn.weights import WEIGHTS_FILE, load_network, save_weights
from edgeseld.runtime.calibrate import calibrated
from edgeseld.runtime.model import Model, load
from edgeseld.train.origin import Origin
from edgeseld.train.run import TrainingResults

SAMPLES = 10
Scores = dict[str, HeldoutScores] | dict[str, DetectionScores]
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command(help=__doc__)
@click.argument("source", metavar="RUN|MODEL")
@click.option("--onward", is_flag=True, help="The run began with --init-from the released weights of its model.")
@click.option("--data", type=FOLDER, required=True, help="The data set of the training.")
@click.option("--validation", type=FOLDER, required=True, help="Scenes that the calibration is fitted on.")
@click.option("--simulated", type=FOLDER, required=True)
@click.option("--measured", type=FOLDER, help="Measured rooms; none are known for a tetrahedral array.")
@click.option("--bundle", "pairs", multiple=True, help="TARGET-PRECISION to ship, such as onnx-fp32; may be repeated.")
def main(
    source: str,
    onward: bool,
    data: Path,
    validation: Path,
    simulated: Path,
    measured: Path | None,
    pairs: tuple[str, ...],
) -> None:
    run = Path(source)
    released = None if (run / RESULTS_FILE).exists() else models_folder() / source
    spec = read_toml((released or run) / MODEL_FILE, ModelFile)
    folder = models_folder() / spec.id
    if read_toml(folder / MODEL_FILE, ModelFile) != spec:
        raise ConfigError(f"{run} was trained by another recipe than {folder / MODEL_FILE}: release with its recipe")
    if measured is None and spec.signal.channel_format != "mic":
        raise ConfigError(f"{spec.id} is released with its scores in measured rooms too: name them with --measured")
    before = read_json(folder / RESULTS_FILE, ModelResults) if released or onward else None
    network = load_network(spec, (released or run) / WEIGHTS_FILE)
    if released is None:
        save_weights(network, folder / WEIGHTS_FILE, half=True)
    sets = {"simulated": simulated} | ({} if measured is None else {"measured": measured})
    fitted, scores = _hear(folder, validation, sets)
    write_atomic(folder / CALIBRATION_FILE, to_json(fitted))
    if before is not None and released is not None:
        results = msgspec.structs.replace(before, cost=network_cost(network), **_by_kind(scores))
    else:
        training = read_json(run / RESULTS_FILE, TrainingResults)
        results = _results(spec, network_cost(network), scores, training, before, _dataset(data))
    write_atomic(folder / RESULTS_FILE, to_json(results))
    write_atomic(folder / CARD_FILE, card(spec, results, _dataset(data)).encode())
    for pair in pairs:
        target, _, precision = pair.partition("-")
        exported = export_model(folder, read_recipe(recipe_path(target, precision)), folder / BUNDLES)
        click.echo(f"{exported.path.name}: {exported.model_bytes / 1e6:.2f} MB")
        zip_bundle(exported.path, exported.path.with_suffix(".seld.zip"), compressed=True)
        shutil.rmtree(exported.path)
    header, rows = score_table(results)
    print_table(spec.id, header, rows)


def _dataset(data: Path) -> DatasetSpec:
    return read_json(data / SPEC_NAME, DatasetSpec)


def _results(
    spec: ModelFile,
    cost: Cost,
    scores: Scores,
    training: TrainingResults,
    before: ModelResults | None,
    data: DatasetSpec,
) -> ModelResults:
    """results.json after a run; what was seen and spent before it counts too."""
    return ModelResults(
        cost=cost,
        **_by_kind(scores),
        runs=1 + (before.runs if before else 0),
        last_run=LastRun(
            steps=training.steps,
            best_step=training.best_step,
            validation=training.validation,
            started_from=training.origin.started_from,
            teachers=training.origin.teachers,
        ),
        hours_seen=round(training.hours_seen + (before.hours_seen if before else 0.0), 2),
        training_s=round(training.seconds + (before.training_s if before else 0.0), 1),
        training_device=_devices(before.training_device if before else "", training.device),
        training_data=f"{data.scenes} made scenes of {data.scene_s} s, seed {data.seed}",
        commands=(
            training_command(spec, training.origin),
            "python -m benchmarks.release RUN --data DATA/train --validation DATA/validation "
            + " ".join(f"--{name} DATA/{name}" for name in scores),
        ),
    )


def _devices(before: str, last: str) -> str:
    """What all runs were trained on, in order."""
    known = before.split(", then ") if before else []
    return ", then ".join(dict.fromkeys([*known, last]))


def training_command(spec: ModelFile, origin: Origin) -> str:
    """What a user types to repeat the last run."""
    teachers = [f"--teacher {model_of(teacher)}" for teacher in origin.teachers]
    start = [] if origin.started_from is None else [f"--init-from {model_of(origin.started_from)}"]
    scenes = "--data DATA/train --validation DATA/validation --output RUN"
    verb = "distill" if teachers else "train"
    return " ".join([f"edgeseld {verb} models/{spec.id}/model.toml", *teachers, *start, scenes])


def _by_kind(scores: Scores) -> dict[str, Scores]:
    """The field of results.json that scores fill."""
    detected = any(isinstance(one, DetectionScores) for one in scores.values())
    return {"detection" if detected else "heldout": scores}


def _hear(folder: Path, validation: Path, sets: dict[str, Path]) -> tuple[Fitted, Scores]:
    """Calibration and held-out scores of the very weights that are released, by a bundle made for the purpose."""
    with tempfile.TemporaryDirectory() as temporary:
        bundle = export_model(folder, read_recipe(recipe_path("onnx", "fp32")), Path(temporary)).path
        model = uncalibrated(load(bundle))
        fitted = fitted_calibration(model, validation, SAMPLES)
        released = Model(calibrated(model.interface, fitted), model.backend)
        if model.interface.output_format == "sed":
            return fitted, {name: hear_and_score(released, root) for name, root in sets.items()}
        scores = listen({"released": released}, sets)
    return fitted, {name: heldout_scores(models["released"]) for name, models in scores.items()}


def fitted_calibration(model: Model, validation: Path, mc_samples: int) -> Fitted:
    """Temperatures rest on the scenes made strange; spreads on Monte Carlo samples, where there are any."""
    dataset = dataset_for(model, validation)
    references = {scene.name: read_scene_labels(dataset, scene) for scene in dataset.scenes}
    plain = hear_dataset(model, dataset, progress)
    sampled = None
    if mc_samples > 0 and model.interface.monte_carlo is not None:
        sampled = hear_dataset(model, dataset, progress, mc_samples=mc_samples)
    strange = hear_estranged(model, dataset, progress)
    return fit_calibration(model.interface, plain, references, validation.name, sampled, strange)


if __name__ == "__main__":
    run_command(main)
