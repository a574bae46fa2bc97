"""`edgeseld models`."""

from typing import TYPE_CHECKING

import click

from edgeseld.cli.options import json_option

if TYPE_CHECKING:
    from edgeseld.core.catalogue import ModelEntry


@click.command(name="models", epilog="Example: edgeseld models")
@json_option
def command(as_json: bool) -> None:
    """List the models that are there: parameters, multiply-accumulates for 5 s, receptive field, scores, bundles.

    MMAC are millions from features to output; those of the frontend stand beside them.
    """
    from edgeseld.cli.terminal import print_table
    from edgeseld.core.catalogue import list_models
    from edgeseld.core.structs import to_json

    entries = list_models()
    if as_json:
        click.echo(to_json(entries).decode(), nl=False)
        return
    header = ["model", "parameters", "MMAC", "frontend", "hears", "F20", "LE", "input, output", "export"]
    rows = [[entry.id, *_cost(entry), *_score(entry), _output(entry), _export(entry)] for entry in entries]
    print_table("F20 and LE: held-out set, simulated rooms, 2023 rules, headline classes", header, rows)


def _cost(entry: "ModelEntry") -> list[str]:
    cost = entry.cost
    if cost is None:
        return ["-"] * 4
    return [
        f"{cost.parameters / 1e6:.2f} M",
        f"{cost.macs / 1e6:.0f}",
        f"{cost.frontend_macs / 1e6:.0f}",
        f"{cost.receptive_field_s:.1f} s",
    ]


def _score(entry: "ModelEntry") -> list[str]:
    """Held-out scores in simulated rooms, where they were measured; F1 of models without directions."""
    if entry.results is None:
        return ["-", "-"]
    location, detection = entry.results.heldout.get("simulated"), entry.results.detection.get("simulated")
    if location is not None:
        return [f"{location.F20:.3f}", f"{location.LE:.1f}°"]
    return ["-" if detection is None else f"F1 {detection.F1:.3f}", "-"]


def _output(entry: "ModelEntry") -> str:
    return f"{entry.channel_format}, {entry.output_format}"


def _export(entry: "ModelEntry") -> str:
    """Released bundles, or what is missing for one."""
    if entry.bundles:
        return ", ".join(entry.bundles)
    return "weights, no bundle" if entry.trained else "to be trained"
