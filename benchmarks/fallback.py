"""What asking a larger model buys and costs: `python -m benchmarks.fallback --simulated DIR --measured DIR --fit DIR`.

The device's model hears both held-out sets, a server on this machine hears every window of them with the larger model;
device only, cloud only, random windows, doubt by every measure, and an oracle are compared over the headline classes.
Latencies are those of this machine without a network, or of an imitated one (--link).
"""

import contextlib
from pathlib import Path

import click

from benchmarks.local_server import local_server
from edgeseld.bench.machine import Machine, installed_versions, this_machine
from edgeseld.cli import run_command
from edgeseld.cli.fallback import print_report
from edgeseld.cli.terminal import progress
from edgeseld.cloud.asking import NO_LINK, asking
from edgeseld.cloud.comparison import compare_with_cloud
from edgeseld.cloud.figures import fallback_figure
from edgeseld.cloud.link import LINKS
from edgeseld.cloud.strategies import FallbackReport
from edgeseld.core.atomic import write_atomic
from edgeseld.core.structs import Frozen, read_toml, to_json
from edgeseld.data.synth.definition import HeldoutDefinition
from edgeseld.runtime.model import load
from edgeseld.runtime.plots import save_figure

DEFINITION = Path(__file__).parent / "heldout.toml"
RESULTS = Path(__file__).parent / "results"
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
CLOUD_NAME = "cloud"


class FallbackStudy(Frozen, frozen=True, kw_only=True):
    """results/fallback.json: reports by held-out set."""

    machine: Machine
    versions: dict[str, str]
    cloud_model: str
    reports: dict[str, FallbackReport]


@click.command(help=__doc__)
@click.option("--device", "device_model", default="student-xs", help="Model on the device.")
@click.option("--cloud", "cloud_model", default="student-s", help="Model in the cloud.")
@click.option("--simulated", type=FOLDER, required=True)
@click.option("--measured", type=FOLDER, required=True)
@click.option("--fit", type=FOLDER, required=True, help="Scenes that thresholds are fitted on.")
@click.option("--share", type=click.FloatRange(0.0, 1.0), default=0.25, help="Share of windows that may be sent.")
@click.option("--link", type=click.Choice((NO_LINK, *LINKS)), default=NO_LINK, help="Network to imitate.")
@click.option("--plots", type=click.Path(path_type=Path, file_okay=False), help="Folder for a picture of each set.")
@click.option("--save", is_flag=True, help="Write fallback.json under benchmarks/results.")
def main(
    device_model: str,
    cloud_model: str,
    simulated: Path,
    measured: Path,
    fit: Path,
    share: float,
    link: str,
    plots: Path | None,
    save: bool,
) -> None:
    model = load(device_model)
    classes = read_toml(DEFINITION, HeldoutDefinition).headline_classes
    columns = tuple(model.interface.classes.index(name) for name in classes)
    reports = {}
    with contextlib.ExitStack() as stack:
        _, url = stack.enter_context(local_server(f"{CLOUD_NAME}={cloud_model}"))
        asked = stack.enter_context(asking(url, CLOUD_NAME, deadline_s=30.0, link=link))
        for name, data in {"simulated": simulated, "measured": measured}.items():
            reports[name], _ = compare_with_cloud(
                model, asked, data, fit, progress, share=share, mc_samples=10, classes=columns
            )
            print_report(reports[name])
            if plots is not None:
                save_figure(fallback_figure(reports[name]), plots / f"fallback-{name}.png")
    study = FallbackStudy(
        machine=this_machine(), versions=installed_versions(), cloud_model=cloud_model, reports=reports
    )
    if save:
        write_atomic(RESULTS / "fallback.json", to_json(study))


if __name__ == "__main__":
    run_command(main)
