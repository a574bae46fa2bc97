"""`edgeseld bench`."""

from pathlib import Path

import click

from edgeseld.cli.options import json_option

FILE = click.Path(path_type=Path, dir_okay=False)


def _numbers(context: click.Context, parameter: click.Parameter, value: str) -> list[int]:
    words = value.split(",")
    if not all(word.isdigit() and int(word) > 0 for word in words):
        raise click.BadParameter(f"numbers of threads separated by commas, such as 1,2; got {value!r}")
    return [int(word) for word in words]


@click.command(name="bench", epilog="Example: edgeseld bench student-s student-xs --threads 1,2 --html latency.html")
@click.argument("models", nargs=-1, required=True)
@click.option("--device", default="host", help="host, adb[:SERIAL] for a phone, or arm, emulated.")
@click.option("--benchmark-model", type=FILE, help="With adb: time by LiteRT's benchmark_model instead.")
@click.option("--cores", help="With adb, apart from the demo app: cores to run on, a mask for taskset such as f0.")
@click.option("--threads", callback=_numbers, default="1", help="Numbers of threads, separated by commas.")
@click.option("--rounds", type=click.IntRange(5), default=30, help="Counted rounds over all bundles.")
@click.option("--html", type=FILE, help="Write one page with pictures.")
@click.option("--compare", "old", type=FILE, help="Compare with what --json wrote before.")
@click.option(
    "--fail-above", type=click.FloatRange(min=1.0), help="With --compare: fail if a bundle takes more times as long."
)
@json_option
def command(
    models: tuple[str, ...],
    device: str,
    benchmark_model: Path | None,
    cores: str | None,
    threads: list[int],
    rounds: int,
    html: Path | None,
    old: Path | None,
    fail_above: float | None,
    as_json: bool,
) -> None:
    """Time bundles side by side: PCM of one window to events, each in a process of its own, all in turn.

    MODELS are bundles, zips or ids. Ratios are to the first one.
    """
    kind, _, serial = device.partition(":")
    if kind != "host":
        from edgeseld.cli.bench_devices import on_emulated_arm, on_phone
        from edgeseld.core.errors import ConfigError

        if kind == "adb":
            on_phone(models, serial or None, benchmark_model, cores, threads, as_json)
        elif kind == "arm":
            on_emulated_arm(models, as_json)
        else:
            raise ConfigError(f"--device is host, arm, adb or adb:SERIAL, got {device!r}")
        return
    from edgeseld.bench.comparison import compare, read_report, require_no_regression
    from edgeseld.bench.host import bench_host
    from edgeseld.bench.report import COSTS, NAMES, TIMES, table, title
    from edgeseld.cli.terminal import print_table, progress
    from edgeseld.core.locate import find_bundle
    from edgeseld.core.structs import to_json

    if fail_above is not None and old is None:
        raise click.UsageError("--fail-above needs --compare OLD.json")
    before = None if old is None else read_report(old)
    report = bench_host([find_bundle(model) for model in models], threads, rounds, progress)
    if as_json:
        click.echo(to_json(report).decode(), nl=False)
    else:
        for columns in (NAMES | TIMES, NAMES | COSTS):
            print_table(title(report), list(columns), table(report, columns))
    if html is not None:
        from edgeseld.bench.page import write_page

        write_page(report, html)
    if before is not None:
        comparison = compare(before, report)
        for change in comparison.changes:
            click.echo(
                f"{change.name}, {change.threads} threads: {change.then:.2f} before, {change.now:.2f} now "
                f"({comparison.unit}), {change.times:.2f} times",
                err=True,
            )
        require_no_regression(comparison, fail_above or float("inf"))
