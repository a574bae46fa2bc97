"""`edgeseld fallback`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseld.cli.options import json_option, model_argument
from edgeseld.core.errors import BackendMissingError

if TYPE_CHECKING:
    from edgeseld.cloud.client import Codec
    from edgeseld.cloud.strategies import FallbackReport, StrategyResult
    from edgeseld.core.interval import Interval

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(
    name="fallback", epilog="Example: edgeseld fallback student-xs --cloud http://server:8000 heldout --share 0.25"
)
@model_argument
@click.argument("data", type=FOLDER)
@click.option("--cloud", required=True, help="Address of `edgeseld serve`; EDGESELD_TOKEN holds its token.")
@click.option("--cloud-model", help="Name of a model there.  [default: its first]")
@click.option("--share", type=click.FloatRange(0.0, 1.0), default=0.25, help="Share of windows that may be sent.")
@click.option("--fit", type=FOLDER, help="Data set that thresholds are fitted on.  [default: DATA itself]")
@click.option("--mc-samples", type=click.IntRange(2), default=10, help="Monte Carlo samples on the device.")
@click.option("--codec", type=click.Choice(("flac", "opus")), default="flac", help="How windows are sent.")
@click.option("--link", type=click.Choice(("none", "4g", "poor", "lost")), default="none", help="Network to imitate.")
@click.option("--deadline-s", type=click.FloatRange(0.1), default=10.0, help="Longest wait for the cloud.")
@click.option("--threads", type=click.IntRange(1), default=1)
@click.option("--plot", type=FILE, help="Draw F20 over the share sent (png, svg).")
@click.option("--save-policy", type=FILE, help="Write the best measure and its threshold as policy.json.")
@json_option
def command(
    model: str,
    data: Path,
    cloud: str,
    cloud_model: str | None,
    share: float,
    fit: Path | None,
    mc_samples: int,
    codec: "Codec",
    link: str,
    deadline_s: float,
    threads: int,
    plot: Path | None,
    save_policy: Path | None,
    as_json: bool,
) -> None:
    """Hear DATA with MODEL here and with a larger model on a server, and show what asking it buys and costs.

    Compares the device alone, the cloud alone, random windows, uncertain windows by five measures, and an oracle.
    """
    try:
        from edgeseld.cloud.asking import asking
        from edgeseld.cloud.comparison import compare_with_cloud
    except ModuleNotFoundError as error:
        raise BackendMissingError("asking a server", "serve") from error
    from edgeseld.cli.terminal import progress
    from edgeseld.core.atomic import write_atomic
    from edgeseld.core.structs import to_json
    from edgeseld.runtime.model import load

    loaded = load(model, threads=threads)
    token = os.environ.get("EDGESELD_TOKEN")
    connected = asking(cloud, cloud_model, token=token, codec=codec, deadline_s=deadline_s, link=link)
    with connected as asked:
        report, policy = compare_with_cloud(loaded, asked, data, fit, progress, share=share, mc_samples=mc_samples)
    if plot is not None:
        from edgeseld.cloud.figures import fallback_figure
        from edgeseld.runtime.plots import save_figure

        save_figure(fallback_figure(report), plot)
    if save_policy is not None:
        write_atomic(save_policy, to_json(policy))
    if as_json:
        click.echo(to_json(report).decode(), nl=False)
    else:
        print_report(report)


def print_report(report: "FallbackReport") -> None:
    """Strategies at their thresholds, and measures at exactly the share."""
    from edgeseld.cli.terminal import print_table

    header = ["strategy", "sent", "F20", "gap closed", "LE", "SELD", "MB/h", "p50 ms", "p95", "p99", "J/h (estimate)"]
    title = (
        f"{report.device} asking {report.cloud} over link {report.link}: {report.windows} windows of "
        f"{report.window_s:g} s of {report.data}, thresholds fitted on {report.fitted_on}"
    )
    print_table(title, header, [_row(result) for result in report.results])
    print_table(
        f"exactly {report.share:.0%} of the windows, 95 % intervals over scenes",
        ["chosen by", "gap closed", "F20 above random windows"],
        [
            [row.strategy, _span(row.gap_closed, "{:.0%}"), _span(row.above_random, "{:+.3f}")]
            for row in report.equal_share
        ],
    )
    if report.link_means is not None:
        click.echo(f"Link {report.link} by {report.link_means}.")
    if report.unanswered:
        click.echo(f"{report.unanswered} windows had no answer in time; the device's stands there", err=True)


def _span(interval: "Interval | None", form: str) -> str:
    if interval is None:
        return "-"
    low, high = form.format(interval.low), form.format(interval.high)
    return f"{form.format(interval.value)} ({low} to {high})"


def _row(result: "StrategyResult") -> list[str]:
    return [
        result.strategy,
        f"{100 * result.share:.0f} %",
        f"{result.F20:.3f}",
        "-" if result.gap_closed is None else f"{100 * result.gap_closed:.0f} %",
        f"{result.LE:.1f}°",
        f"{result.SELD:.3f}",
        f"{result.megabytes_per_hour:.1f}",
        *(f"{1e3 * value:.0f}" for value in (result.p50_s, result.p95_s, result.p99_s)),
        f"{result.joules_per_hour:.0f}",
    ]
