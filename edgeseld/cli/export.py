"""`edgeseld export`."""

from pathlib import Path

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
    output: Path,
    triton_repository: Path | None,
    as_zip: bool,
    allow_drift: bool,
    as_json: bool,
) -> None:
    """Export MODEL to a bundle that is proven to hear what the float model hears, or to nothing.

    Golden vectors and the events in them are compared; a file that strays beyond the recipe's tolerance is not written.
    """
    try:
        from edgeseld.export.exporting import export_model
    except ModuleNotFoundError as error:
        raise BackendMissingError("exporting", "export") from error
    from edgeseld.cli.export_table import print_exported
    from edgeseld.core.locate import find_model
    from edgeseld.export.bundle_writer import zip_bundle
    from edgeseld.export.recipe import read_recipe, recipe_path, supported_pairs

    targets = [name for name in TARGETS if f"{name}-{precision}" in supported_pairs()] if target == "all" else [target]
    skipped = [f"{name} at {precision} is not supported" for name in TARGETS if target == "all" and name not in targets]
    exported, failed = [], []
    for name in targets:
        settings = read_recipe(recipe or recipe_path(name, precision))
        if (settings.target, settings.precision) != (name, precision):
            raise ExportError(
                f"{recipe} is a recipe for {settings.target} at {settings.precision}, asked for {name} at {precision}: "
                "name the same target and precision"
            )
        settings = msgspec.structs.replace(settings, input=input_kind, exit=exit_name or settings.exit)
        try:
            exported.append(
                export_model(find_model(model), settings, output, calibration=calibration, allow_drift=allow_drift)
            )
        except ExportError as error:
            # One target that fails does not keep the others back.
            if target != "all":
                raise
            failed.append(str(error))
            continue
        if as_zip:
            zip_bundle(exported[-1].path, exported[-1].path.with_suffix(".seld.zip"))
    if triton_repository is not None:
        from edgeseld.export.triton_repository import write_triton_repository
        from edgeseld.runtime.bundle import open_bundle

        chosen = [item.path for item in exported if target != "all" or item.manifest.target == "onnx"]
        write_triton_repository([open_bundle(path, allow_drift=allow_drift) for path in chosen], triton_repository)
    print_exported(exported, [*skipped, *failed], as_json=as_json)
    if failed:
        raise ExportError("; ".join(failed))
