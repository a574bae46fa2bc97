"""`edgeseld models`."""

from typing import TYPE_CHECKING

import click

from edgeseld.cli.options import json_option

if TYPE_CHECKING:
    from edgeseld.core.catalogue import ModelEntry


@click.command(name="models", epilog="Example: edgeseld models")
@json_option
def command(as_json: bool) -> None:
    """List the models that are there: parameters, multiply-accumulates for 5 s, scores, bundles."""
    from edgeseld.cli.terminal import print_table
    from edgeseld.core.catalogue import list_models
    from edgeseld.core.structs import to_json

    entries = list_models()
    if as_json:
        click.echo(to_json(entries).decode(), nl=False)
        return
    header = ["model", "parameters", "MMAC", "frontend", "hears", "F20", "LE", "output", "bundles"]
    rows = [[entry.id, *_figures(entry), _output(entry), ", ".join(entry.bundles) or "none"] for entry in entries]
    print_table("F20 and LE: held-out set, simulated rooms, 2023 rules, headline classes", header, rows)


def _figures(entry: "ModelEntry") -> list[str]:
    if entry.results is None:
        return ["-"] * 6
    cost, score = entry.results.cost, entry.results.heldout["simulated"]
    return [
        f"{cost.parameters / 1e6:.2f} M",
        f"{cost.macs / 1e6:.0f}",
        f"{cost.frontend_macs / 1e6:.0f}",
        f"{cost.receptive_field_s:.1f} s",
        f"{score.F20:.3f}",
        f"{score.LE:.1f}°",
    ]


def _output(entry: "ModelEntry") -> str:
    return f"{entry.channel_format}, {entry.output_format}"
