"""`edgeseld export`."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import msgspec

from edgeseld.cli.options import json_option, model_argument
from edgeseld.core.errors import BackendMissingError, ExportError

TARGETS = ("onnx", "tflite", "executorch", "coreml")
PRECISIONS = ("fp32", "fp16", "int8-dynamic", "int8", "palette")


@click.command(
    name="export", epilog="Example: edgeseld export student-s --target tflite --precision int8-dynamic --output bundles"
)
@model_argument
@click.option("--target", type=click.Choice((*TARGETS, "all")), required=True)
@click.option("--precision", type=click.Choice(PRECISIONS), default="fp32")
@click.option(
    "--recipe", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Own recipe (export/*.toml)."
)
@click.option("--input", "input_kind", type=click.Choice(("waveform", "features")), default="waveform")
@click.option("--exit", "exit_name", help="End in an early exit of the model, such as block-1.")
@click.option(
    "--calibration",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Recordings at 24 kHz that static int8 learns its ranges on; made scenes by default.",
)
@click.option(
    "--tune",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Labelled scenes on which the network first learns to bear int8.",
)
@click.option(
    "--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of the bundles."
)
@click.option(
    "--triton-repository",
    type=click.Path(path_type=Path, file_okay=False),
    help="Also write the ONNX bundles as a Triton model repository with a KServe manifest.",
)
@click.option("--zip", "as_zip", is_flag=True, help="Also write NAME.seld.zip.")
@click.option("--allow-drift", is_flag=True, help="Write a bundle that fails verification, marked unverified.")
@json_option
def command(
    model: str,
    target: str,
    precision: str,
    recipe: Path | None,
    input_kind: str,
    exit_name: str | None,
    calibration: Path | None,
    tune: Path | None,
    output: Path,
    triton_repository: Path | None,
    as_zip: bool,
    allow_drift: bool,
    as_json: bool,
) -> None:
    """Export MODEL to a bundle that is proven to hear what the float model hears, or to nothing.

    Golden vectors and the events in them are compared; a file that strays beyond the recipe's tolerance is not written.
    With --tune the float model is the tuned one.
    """
    try:
        from edgeseld.export.exporting import export_model
        from edgeseld.export.several import export_several
    except ModuleNotFoundError as error:
        raise BackendMissingError("exporting", "export") from error
    from edgeseld.cli.export_table import print_exported
    from edgeseld.core.locate import find_model
    from edgeseld.export.bundle_writer import zip_bundle

    folder = find_model(model)
    recipes, left_out = _recipes(target, precision, recipe, input_kind, exit_name)
    failed: list[str] = []
    with ExitStack() as stack:
        tuning = None
        if tune is not None:
            folder, tuning = stack.enter_context(_tuned(folder, recipes[0], tune, calibration))
            click.echo(tuning.line(), err=True)
        if target == "all":
            exported, failed = export_several(folder, recipes, output, calibration=calibration, allow_drift=allow_drift)
        else:
            exported = [
                export_model(folder, one, output, calibration=calibration, allow_drift=allow_drift) for one in recipes
            ]
    if as_zip:
        for item in exported:
            zip_bundle(item.path, item.path.with_suffix(".seld.zip"))
    if triton_repository is not None:
        _serve_by_triton(exported, triton_repository, only_onnx=target == "all", allow_drift=allow_drift)
    print_exported(exported, [*left_out, *failed], as_json=as_json, tuning=tuning)
    if failed:
        raise ExportError("; ".join(failed))


def _tuned(folder: Path, recipe: Any, data: Path, calibration: Path | None) -> Any:
    """The context in which the model is tuned on a data set for the precision that all recipes share."""
    from edgeseld.cli.terminal import progress

    try:
        from edgeseld.export.quiet import quiet

        with quiet():
            from edgeseld.export.tuning import tuned
    except ModuleNotFoundError as error:
        raise BackendMissingError("tuning", "export") from error
    return tuned(folder, recipe, data, calibration=calibration, progress=progress)


def _recipes(
    target: str, precision: str, own: Path | None, input_kind: str, exit_name: str | None
) -> tuple[list[Any], list[str]]:
    """A recipe for every wanted target, and what is not supported of "all"."""
    from edgeseld.export.recipe import read_recipe, recipe_path, supported_pairs

    wanted, left_out = [target], []
    if target == "all":
        wanted = [name for name in TARGETS if f"{name}-{precision}" in supported_pairs()]
        left_out = [f"{name} at {precision} is not supported" for name in TARGETS if name not in wanted]
    recipes = []
    for name in wanted:
        recipe = read_recipe(own or recipe_path(name, precision))
        if (recipe.target, recipe.precision) != (name, precision):
            raise ExportError(
                f"{own} is a recipe for {recipe.target} at {recipe.precision}, asked for {name} at {precision}: "
                "name the same target and precision"
            )
        recipes.append(msgspec.structs.replace(recipe, input=input_kind, exit=exit_name or recipe.exit))
    return recipes, left_out


def _serve_by_triton(exported: Sequence[Any], repository: Path, *, only_onnx: bool, allow_drift: bool) -> None:
    """The ONNX bundles as models of Triton; another target that was asked for by name is refused."""
    from edgeseld.export.triton_repository import write_triton_repository
    from edgeseld.runtime.bundle import open_bundle

    chosen = [item.path for item in exported if not only_onnx or item.manifest.target == "onnx"]
    write_triton_repository([open_bundle(path, allow_drift=allow_drift) for path in chosen], repository)
