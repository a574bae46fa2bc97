"""What every network of models/ costs: `python -m benchmarks.model_costs` writes models/costs.json.

Parameters, and multiply-accumulates for 5 s of audio, features to output and the frontend apart. `edgeseld models`
reads the file, so that it needs no torch and answers at once.
"""

import click

from edgeseld.cli import run_command
from edgeseld.core.atomic import write_atomic
from edgeseld.core.catalogue import COSTS_FILE, KnownCost, architecture_key
from edgeseld.core.locate import MODEL_FILE, model_ids, models_folder
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import read_toml, to_json
from edgeseld.nn.cost import network_cost
from edgeseld.nn.network import SeldNetwork


def measure() -> dict[str, KnownCost]:
    """Costs of all models by id."""
    specs = [read_toml(models_folder() / model_id / MODEL_FILE, ModelFile) for model_id in model_ids()]
    return {
        spec.id: KnownCost(architecture=architecture_key(spec), cost=network_cost(SeldNetwork(spec))) for spec in specs
    }


@click.command(help=__doc__)
def main() -> None:
    write_atomic(models_folder() / COSTS_FILE, to_json(measure()))


if __name__ == "__main__":
    run_command(main)
