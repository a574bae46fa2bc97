"""`edgeseld bench`."""

import click

from edgeseld.cli.options import json_option


def _numbers(context: click.Context, parameter: click.Parameter, value: str) -> list[int]:
    words = value.split(",")
    if not all(word.isdigit() and int(word) > 0 for word in words):
        raise click.BadParameter(f"numbers of threads separated by commas, such as 1,2; got {value!r}")
    return [int(word) for word in words]


@click.command(name="bench", epilog="Example: edgeseld bench student-s student-xs --threads 1,2")
@click.argument("models", nargs=-1, required=True)
@click.option("--device", default="host", help="host")
@click.option("--threads", callback=_numbers, default="1", help="Numbers of threads, separated by commas.")
@click.option("--rounds", type=click.IntRange(5), default=30, help="Counted rounds over all bundles.")
@json_option
def command(models: tuple[str, ...], device: str, threads: list[int], rounds: int, as_json: bool) -> None:
    """Time bundles side by side: PCM of one window to events, each in a process of its own, all in turn.

    MODELS are bundles, zips or ids. Ratios are to the first one.
    """
    from edgeseld.bench.host import bench_host
    from edgeseld.cli.terminal import print_table, progress
    from edgeseld.core.errors import ConfigError
    from edgeseld.core.locate import find_bundle
    from edgeseld.core.structs import to_json

    if device != "host":
        raise ConfigError(f"--device is host, got {device!r}")
    report = bench_host([find_bundle(model) for model in models], threads, rounds, progress)
    if as_json:
        click.echo(to_json(report).decode(), nl=False)
        return
    header = ["bundle", "threads", "median ms", "p90", "frontend", "real-time factor", "memory MB", "ratio"]
    rows = [
        [
            timing.name,
            str(timing.threads),
            f"{timing.total.median_ms:.2f}",
            f"{timing.total.p90_ms:.2f}",
            "-" if timing.frontend is None else f"{timing.frontend.median_ms:.2f}",
            f"{timing.real_time_factor:.5f}",
            f"{timing.memory_bytes / 1e6:.0f}",
            f"{timing.ratio.value:.2f} ({timing.ratio.low:.2f}-{timing.ratio.high:.2f})",
        ]
        for timing in report.timings
    ]
    print_table(f"{report.machine.processor}, {report.machine.cores} cores: one window, PCM to events", header, rows)
