"""Accuracy on the held-out sets: `python -m benchmarks.heldout MODEL... --simulated DIR --measured DIR`.

F20, LE, LR, ER and SELD under the 2023 rules, macro over the headline classes of heldout.toml, F over all 13 classes
beside it; intervals are bootstrapped over files. Each model is compared with the first one on the same files, in
simulated rooms, in measured rooms, and over the scenes of both.
"""

from collections.abc import Mapping
from pathlib import Path

import click

from edgeseld.bench.accuracy import evaluate
from edgeseld.cli import run_command
from edgeseld.cli.terminal import print_table, progress
from edgeseld.core.atomic import write_atomic
from edgeseld.core.catalogue import HeldoutScores
from edgeseld.core.interval import Interval
from edgeseld.core.structs import Frozen, read_toml, to_json
from edgeseld.data.synth.definition import HeldoutDefinition
from edgeseld.metrics.counts import join
from edgeseld.metrics.rules import RULES
from edgeseld.metrics.score import Score, score_counts
from edgeseld.metrics.significance import bootstrap_intervals, paired_bootstrap
from edgeseld.runtime.model import Model, load

DEFINITION = Path(__file__).parent / "heldout.toml"
MEASURES = ("F", "LE", "LR", "ER", "SELD")
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


class HeldoutReport(Frozen, frozen=True, kw_only=True):
    """Scores by set and model, differences to the first model (paired over files) by set, model and measure."""

    scores: dict[str, dict[str, HeldoutScores]]
    differences: dict[str, dict[str, dict[str, Interval]]]


def heldout_scores(score: Score) -> HeldoutScores:
    """Headline scores with the interval of F, and F over all classes."""
    values = score.values
    return HeldoutScores(
        F20=values["F"],
        F20_interval=bootstrap_intervals(score)["F"],
        F20_all=score_counts(score.counts, score.rules).values["F"],
        **{name: values[name] for name in ("LE", "LR", "ER", "SELD")},
    )


def compare(first: Score, second: Score) -> dict[str, Interval]:
    """Second minus first in every measure."""
    found = paired_bootstrap(first, second)
    return {
        name: Interval(value=found[name].difference, low=found[name].low, high=found[name].high) for name in MEASURES
    }


def listen(models: Mapping[str, Model], sets: Mapping[str, Path]) -> dict[str, dict[str, Score]]:
    """Scores of every model on every set, by set and model."""
    classes = read_toml(DEFINITION, HeldoutDefinition).headline_classes
    return {
        set_name: {
            name: evaluate(model, root, RULES["dcase2023"], progress, classes).score for name, model in models.items()
        }
        for set_name, root in sets.items()
    }


def with_all(scores: Mapping[str, Mapping[str, Score]]) -> dict[str, Mapping[str, Score]]:
    """The scores, and under "all" those of the scenes of all sets together."""
    together: dict[str, Score] = {}
    for model, one in next(iter(scores.values())).items():
        counts = join({set_name: models[model].counts for set_name, models in scores.items()})
        together[model] = score_counts(counts, one.rules, one.average, one.classes)
    return {**scores, "all": together}


def report_of(scores: Mapping[str, Mapping[str, Score]]) -> HeldoutReport:
    """Scores with intervals; differences are to the first model."""
    differences = {}
    for set_name, models in scores.items():
        first, *others = models
        differences[set_name] = {name: compare(models[first], models[name]) for name in others}
    return HeldoutReport(
        scores={
            set_name: {name: heldout_scores(score) for name, score in models.items()}
            for set_name, models in scores.items()
        },
        differences=differences,
    )


def show(report: HeldoutReport) -> None:
    """A table per set."""
    header = ["model", "F20", "95 %", "F20 all 13", "LE", "LR", "ER", "SELD", "F20 - first", "LE - first"]
    for set_name, models in report.scores.items():
        rows = []
        for model, s in models.items():
            against = report.differences[set_name].get(model)
            rows.append(
                [
                    model,
                    f"{s.F20:.3f}",
                    f"{s.F20_interval[0]:.3f} to {s.F20_interval[1]:.3f}",
                    f"{s.F20_all:.3f}",
                    f"{s.LE:.1f}°",
                    f"{s.LR:.3f}",
                    f"{s.ER:.3f}",
                    f"{s.SELD:.3f}",
                    *(["", ""] if against is None else [_change(against[name]) for name in ("F", "LE")]),
                ]
            )
        print_table(f"held-out set, {set_name} rooms", header, rows)


def _change(difference: Interval) -> str:
    return f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})"


@click.command(help=__doc__)
@click.argument("models", nargs=-1, required=True)
@click.option("--simulated", type=FOLDER, required=True)
@click.option("--measured", type=FOLDER, required=True)
@click.option("--backend", help="onnx, tflite, torch ...; default: the released ONNX bundle, or torch.")
@click.option("--precision", default="fp32")
@click.option("--save", type=click.Path(path_type=Path, dir_okay=False), help="Write the report as JSON.")
def main(
    models: tuple[str, ...], simulated: Path, measured: Path, backend: str | None, precision: str, save: Path | None
) -> None:
    loaded = {name: load(name, backend=backend, precision=precision) for name in models}
    report = report_of(with_all(listen(loaded, {"simulated": simulated, "measured": measured})))
    show(report)
    if save is not None:
        write_atomic(save, to_json(report))


if __name__ == "__main__":
    run_command(main)
