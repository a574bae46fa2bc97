"""`edgeseld train`."""

from pathlib import Path

import click

from edgeseld.core.errors import BackendMissingError

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(
    epilog="Example: edgeseld train models/student-xs/model.toml --data scenes --validation heldout --output runs/xs"
)
@click.argument("model_toml", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--data", type=FOLDER, multiple=True, required=True, help="Data set to train on; may be repeated.")
@click.option("--validation", type=FOLDER, required=True, help="Data set that stops training and picks the weights.")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="Folder of the run.")
@click.option("--init-from", type=FOLDER, help="Folder of a model whose weights are taken over where shapes agree.")
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint of the run.")
def command(
    model_toml: Path, data: tuple[Path, ...], validation: Path, output: Path, init_from: Path | None, resume: bool
) -> None:
    """Train the network of MODEL_TOML; the class list comes from the data.

    The run's folder holds model.toml, checkpoints, TensorBoard logs, and in the end weights and results.json. A killed
    run goes on with --resume and ends with the weights of an unbroken one.
    """
    try:
        from edgeseld.train.supervised import train
    except ModuleNotFoundError as error:
        raise BackendMissingError("training", "train") from error
    from edgeseld.cli.terminal import print_table, progress

    results = train(model_toml, data, validation, output, init_from=init_from, resume=resume, progress=progress)
    rows = [[name, f"{value:.4g}"] for name, value in results.validation.items()]
    rows += [["hours of audio seen", f"{results.hours_seen:.4g}"], ["best step", str(results.best_step)]]
    rows += [["waiting for data", f"{100 * results.data_loading_share:.1f} %"]]
    print_table(f"{results.model}: {output}", ["validation", "value"], rows)
