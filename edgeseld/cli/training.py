"""What `edgeseld train` and `edgeseld distill` share: options for data and the table at the end."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from edgeseld.train.run import TrainingResults

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
PART = click.Choice(("dev-train", "dev-test"))

OPTIONS = (
    click.argument("model_toml", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
    click.option("--data", type=FOLDER, multiple=True, help="Data set to train on; may be repeated."),
    click.option("--part", type=PART, help="Part of the data sets, where they have parts (STARSS, DCASE 2025)."),
    click.option(
        "--validation",
        type=FOLDER,
        help="Data set that stops training and picks the weights.  [default: one scene in ten of --data]",
    ),
    click.option("--validation-part", type=PART, help="Part of the validation set."),
    click.option("--output", type=click.Path(path_type=Path), required=True, help="Folder of the run."),
    click.option("--init-from", metavar="MODEL", help="Model whose layers are taken over where the shapes agree."),
    click.option("--resume", is_flag=True, help="Go on from the last checkpoint of the run."),
)


def training_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a training, in the order that --help shows them."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def print_results(results: "TrainingResults", output: Path) -> None:
    """Scores of the weights that were kept, and what it took."""
    from edgeseld.cli.terminal import print_table

    rows = [[name, f"{value:.4g}"] for name, value in results.validation.items()]
    rows += [["hours of audio seen", f"{results.hours_seen:.4g}"], ["best step", str(results.best_step)]]
    rows += [["waiting for data", f"{100 * results.data_loading_share:.1f} %"]]
    print_table(f"{results.model}: {output}", ["validation", "value"], rows)
