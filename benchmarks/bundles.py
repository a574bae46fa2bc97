"""Every released bundle: `python -m benchmarks.bundles` on this machine, `... --device arm` on emulated ARM.

On this machine all bundles run side by side twice, and the largest change of a ratio between the two runs is printed:
below 5 % the figures can be trusted. --save writes results/bundles.json or results/bundles_arm.json, from which
`python -m benchmarks.readme` makes the table of README.md.
"""

from pathlib import Path

import click

from edgeseld.bench.arm import ArmReport, ArmRow, bench_arm
from edgeseld.bench.host import bench_host
from edgeseld.bench.report import COSTS, NAMES, TIMES, BenchReport, Timing, table, title
from edgeseld.cli import run_command
from edgeseld.cli.bench_devices import print_arm
from edgeseld.cli.terminal import print_table, progress
from edgeseld.core.atomic import write_atomic
from edgeseld.core.catalogue import BUNDLES
from edgeseld.core.locate import models_folder
from edgeseld.core.structs import Frozen, read_json, to_json
from edgeseld.runtime.bundle import SUFFIX

RESULTS = Path(__file__).parent / "results"
HOST, ARM = RESULTS / "bundles.json", RESULTS / "bundles_arm.json"
THREADS = [1, 2]
# Two runs on the same machine agree in ratios within this.
AGREEMENT = 0.05


class HostRuns(Frozen, frozen=True, kw_only=True):
    """results/bundles.json: the first run, and how far the second one's ratios are from it at most."""

    report: BenchReport
    disagreement: float


def released() -> list[Path]:
    """All bundles under models/, by name."""
    return sorted(models_folder().glob(f"*/{BUNDLES}/*.seld*"))


def disagreement(first: BenchReport, second: BenchReport) -> float:
    """Largest relative change of a ratio between two runs of the same bundles."""
    pairs = zip(first.timings, second.timings, strict=True)
    return max(abs(b.ratio.value / a.ratio.value - 1.0) for a, b in pairs)


@click.command(help=__doc__)
@click.option("--device", type=click.Choice(("host", "arm")), default="host")
@click.option("--rounds", type=click.IntRange(5), default=250)
@click.option("--save", is_flag=True, help="Write the results under benchmarks/results.")
def main(device: str, rounds: int, save: bool) -> None:
    if device == "arm":
        report = bench_arm(released(), progress)
        print_arm(report)
        if save:
            write_atomic(ARM, to_json(report))
        return
    runs = _twice(rounds)
    for columns in (NAMES | TIMES, NAMES | COSTS):
        print_table(title(runs.report), list(columns), table(runs.report, columns))
    verdict = "can be trusted" if runs.disagreement <= AGREEMENT else "run it again on a quieter machine"
    click.echo(f"ratios of two runs differ by {runs.disagreement:.1%} at most: {verdict}")
    if save:
        write_atomic(HOST, to_json(runs))


def _twice(rounds: int) -> HostRuns:
    first, second = (bench_host(released(), THREADS, rounds, progress) for _ in range(2))
    return HostRuns(report=first, disagreement=disagreement(first, second))


def readme_lines() -> list[str]:
    """The table of README.md: of bundles that were measured, those that are still released."""
    runs, arm = read_json(HOST, HostRuns), read_json(ARM, ArmReport)
    report, by_name = runs.report, {row.name: row for row in arm.rows}
    machine, used = report.machine, ("edgeseld", "onnxruntime", "ai-edge-litert")
    versions = ", ".join(f"{name} {report.versions[name]}" for name in used if name in report.versions)
    there = {path.name.partition(SUFFIX)[0] for path in released()}
    singles = [timing for timing in report.timings if timing.threads == THREADS[0] and timing.name in there]
    doubles = {timing.name: timing for timing in report.timings if timing.threads == THREADS[1]}
    return [
        f"PCM of one window to events, median of {singles[0].rounds} rounds of `python -m benchmarks.bundles` on"
        f" {machine.processor}, {machine.cores} cores, {machine.system};",
        f"{versions}. Two runs agree in ratios within {runs.disagreement:.1%}. ARM is a"
        f" {arm.processor} under {arm.emulator}: instructions of the graph, no milliseconds.",
        "",
        "| bundle | file | 1 thread | 2 threads | ratio | peak memory | ARM instructions | ARM against x86 |",
        "|---|---|---|---|---|---|---|---|",
        *(_line(timing, doubles[timing.name], by_name[timing.name]) for timing in singles),
    ]


def _line(single: Timing, double: Timing, arm: ArmRow) -> str:
    cells = [
        single.name,
        f"{single.model_bytes / 1e6:.1f} MB",
        f"{single.total.median_ms:.1f} ms",
        f"{double.total.median_ms:.1f} ms",
        f"{single.ratio.value:.2f} ({single.ratio.low:.2f} to {single.ratio.high:.2f})",
        f"{single.memory_bytes / 1e6:.0f} MB",
        f"{arm.instructions / 1e6:.0f} M",
        "same bits" if arm.snr_db is None else f"{arm.snr_db:.0f} dB",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    run_command(main)
