"""`edgeseld distill`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseld.cli.training import print_results, training_options
from edgeseld.core.errors import BackendMissingError

if TYPE_CHECKING:
    from edgeseld.data.layout import Part


@click.command(
    epilog="Example: edgeseld distill models/student-s/model.toml --teacher runs/teacher --data scenes --output runs/s"
)
@click.option(
    "--teacher",
    "teachers",
    metavar="MODEL",
    multiple=True,
    required=True,
    help="Model id or training run to learn from; several are averaged, tracks aligned.",
)
@training_options
def command(
    teachers: tuple[str, ...],
    model_toml: Path,
    data: tuple[Path, ...],
    part: "Part | None",
    validation: Path | None,
    validation_part: "Part | None",
    output: Path,
    init_from: str | None,
    resume: bool,
) -> None:
    """Train the network of MODEL_TOML under teachers, as its [distill] table says.

    The student starts from the first teacher's layers where the shapes agree, or from --init-from. Each teacher hears
    every scene once; its outputs are kept beside the features of the data set.
    """
    try:
        from edgeseld.train.distillation import distill
        from edgeseld.train.supervised import Sources
    except ModuleNotFoundError as error:
        raise BackendMissingError("distillation", "train") from error
    from edgeseld.cli.terminal import progress
    from edgeseld.core.locate import find_model

    sources = Sources(data, validation, part, validation_part)
    start = None if init_from is None else find_model(init_from)
    folders = [find_model(teacher) for teacher in teachers]
    results = distill(model_toml, folders, sources, output, init_from=start, resume=resume, progress=progress)
    print_results(results, output)
