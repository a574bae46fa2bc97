"""What `edgeseld verify` says beyond the golden vectors: scenes, and the layer that drifts."""

from pathlib import Path

import click

from edgeseld.bench.parity import SceneParity, scene_parity
from edgeseld.cli.terminal import print_table, progress
from edgeseld.core.errors import BackendMissingError
from edgeseld.core.structs import to_json
from edgeseld.runtime.backends import open_backend
from edgeseld.runtime.bundle import Bundle
from edgeseld.runtime.model import Model, load


def hear_scenes(bundle: Bundle, model: str, data: Path) -> SceneParity:
    """Scores of both on a data set, and what changed between them."""
    exported = Model(bundle.manifest, open_backend(bundle))
    return scene_parity(load(model, backend="torch"), exported, data, progress)


def show_culprit(bundle: Bundle, model: Path, *, as_json: bool) -> None:
    """The first layer that drifts, with what was measured on the way to it."""
    try:
        from edgeseld.export.culprit import find_culprit
    except ModuleNotFoundError as error:
        raise BackendMissingError("looking for the layer that drifts", "export") from error

    found = find_culprit(bundle, model)
    if as_json:
        click.echo(to_json(found).decode(), nl=False)
        return
    where = f"drift begins in {found.layer}" if found.layer else "a fresh export does not drift"
    rows = [[drift.layer, f"{drift.difference:.2e}", drift.case] for drift in found.measured]
    print_table(f"{bundle.manifest.name}: {where}", ["up to layer", "difference / deviation", "worst case"], rows)
