"""`edgeseld train`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseld.cli.training import print_results, training_options
from edgeseld.core.errors import BackendMissingError

if TYPE_CHECKING:
    from edgeseld.data.layout import Part
    from edgeseld.data.synth.dataset import Request

HELDOUT = click.Path(path_type=Path, exists=True, dir_okay=False)
# Simulated rooms that scenes mixed on the fly lie in, and the length of a set that would have as many built-in sounds.
ROOMS, SCENES = 60, 1_200


@click.command(
    epilog="Example: edgeseld train models/student-xs/model.toml --data scenes --validation heldout --output runs/xs"
)
@training_options
@click.option("--mix", "sounds", help="Instead of --data: mix scenes on the fly from `builtin` sounds or a folder.")
@click.option("--rooms", multiple=True, default=("simulated",), help="Rooms for --mix, as in `edgeseld synth`.")
@click.option("--heldout", type=HELDOUT, help="heldout.toml: what --mix must not use.")
def command(
    model_toml: Path,
    data: tuple[Path, ...],
    part: "Part | None",
    validation: Path | None,
    validation_part: "Part | None",
    output: Path,
    init_from: str | None,
    resume: bool,
    sounds: str | None,
    rooms: tuple[str, ...],
    heldout: Path | None,
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

    mixed = None if sounds is None else _request(sounds, rooms, heldout)
    sources = Sources(data, validation, part, validation_part, mixed)
    start = None if init_from is None else find_model(init_from)
    print_results(train(model_toml, sources, output, init_from=start, resume=resume, progress=progress), output)


def _request(sounds: str, rooms: tuple[str, ...], heldout: Path | None) -> "Request":
    """Scenes as `edgeseld synth` would make them, without end."""
    from edgeseld.data.synth.dataset import Request
    from edgeseld.data.synth.definition import SimulatedRooms, read_definition

    measured = [Path(name) for name in rooms if name != "simulated"]
    if len(measured) > 1:
        raise click.UsageError("--rooms takes one folder of measured responses: put them together under one index.csv")
    return Request(
        scenes=SCENES,
        sounds=None if sounds == "builtin" else Path(sounds),
        simulated=SimulatedRooms(count=ROOMS) if "simulated" in rooms else None,
        measured=measured[0] if measured else None,
        split="train" if heldout else "all",
        definition=read_definition(heldout) if heldout else None,
    )
