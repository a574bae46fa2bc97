"""`edgeseld train`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseld.cli.training import print_results, training_options
from edgeseld.core.errors import BackendMissingError

if TYPE_CHECKING:
    from edgeseld.data.layout import Part


@click.command(
    epilog="Example: edgeseld train models/student-xs/model.toml --data scenes --validation heldout --output runs/xs"
)
@training_options
def command(
    model_toml: Path,
    data: tuple[Path, ...],
    part: "Part | None",
    validation: Path | None,
    validation_part: "Part | None",
    output: Path,
    init_from: str | None,
    resume: bool,
) -> None:
    """Train the network of MODEL_TOML; the class list comes from the data.

    The run's folder holds model.toml, checkpoints, TensorBoard logs, and in the end weights and results.json. A killed
    run goes on with --resume and ends with the weights of an unbroken one. Early exits are trained along.
    """
    try:
        from edgeseld.train.supervised import Sources, train
    except ModuleNotFoundError as error:
        raise BackendMissingError("training", "train") from error
    from edgeseld.cli.terminal import progress
    from edgeseld.core.locate import find_model

    sources = Sources(data, validation, part, validation_part)
    start = None if init_from is None else find_model(init_from)
    print_results(train(model_toml, sources, output, init_from=start, resume=resume, progress=progress), output)
