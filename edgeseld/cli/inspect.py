"""`edgeseld inspect`."""

from pathlib import Path

import click

from edgeseld.cli.options import json_option


@click.command(name="inspect", epilog="Example: edgeseld inspect bundles/student-s-tflite-fp32.seld --operators")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--operators", is_flag=True, help="Also what the graphs are made of; needs the exporters' libraries.")
@json_option
def command(bundle: Path, operators: bool, as_json: bool) -> None:
    """Show what is inside BUNDLE, a folder or a zip: graphs, tensors, signal, cost, provenance, and its operators.

    Operators are told apart by whether a delegate (XNNPACK) runs them.
    """
    from edgeseld.cli.inspection import describe, print_description
    from edgeseld.core.structs import to_json
    from edgeseld.runtime.bundle import open_bundle

    description = describe(open_bundle(bundle, allow_drift=True), operators=operators)
    if as_json:
        click.echo(to_json(description).decode(), nl=False)
    else:
        print_description(description)
