"""`edgeseld bench` on other processors than the host's."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from edgeseld.bench.arm import ArmReport, ArmRow
    from edgeseld.bench.benchmark_model import PhoneTiming
    from edgeseld.bench.demo_app import AppTiming
    from edgeseld.bench.runner_phone import RunnerTiming

T = TypeVar("T")


def on_phone(
    models: Sequence[str],
    serial: str | None,
    benchmark_model: Path | None,
    cores: str | None,
    threads: Sequence[int],
    as_json: bool,
) -> None:
    """ExecuTorch bundles by our runner; others by LiteRT's benchmark_model, or by the demo app without it."""
    from edgeseld.bench.adb import find_device
    from edgeseld.core.locate import find_bundle
    from edgeseld.runtime.bundle import open_bundle

    bundles = [open_bundle(find_bundle(model, "tflite")) for model in models]
    targets = {bundle.manifest.target for bundle in bundles}
    by_runner = "executorch" in targets
    if by_runner and (len(targets) > 1 or benchmark_model is not None):
        raise click.UsageError(
            f"ExecuTorch bundles run apart from others, without --benchmark-model, got {', '.join(sorted(targets))}: "
            "bench them in a call of their own"
        )
    if cores is not None and benchmark_model is None and not by_runner:
        raise click.UsageError("--cores needs --benchmark-model: Android alone decides where the app runs")
    device = find_device(serial)
    pairs = [(bundle, count) for count in threads for bundle in bundles]
    if by_runner:
        from edgeseld.bench.executorch_runner import open_runner
        from edgeseld.bench.runner_phone import benchmark_by_runner

        runner = open_runner()
        by_runner_timings = [benchmark_by_runner(device, runner, bundle, count, cores) for bundle, count in pairs]
        _tell(device.serial, by_runner_timings, _print_runner, as_json)
    elif benchmark_model is None:
        from edgeseld.bench.demo_app import benchmark_in_app

        app_timings = [benchmark_in_app(device, bundle, count) for bundle, count in pairs]
        _tell(device.serial, app_timings, _print_app, as_json)
    else:
        from edgeseld.bench.benchmark_model import benchmark_on_phone

        tool_timings = [benchmark_on_phone(device, benchmark_model, bundle, count, cores) for bundle, count in pairs]
        _tell(device.serial, tool_timings, _print_tool, as_json)


def _tell(serial: str, timings: list[T], show: Callable[[str, Sequence[T]], None], as_json: bool) -> None:
    from edgeseld.core.structs import to_json

    if as_json:
        click.echo(to_json(timings).decode(), nl=False)
    else:
        show(serial, timings)


def _print_runner(serial: str, timings: Sequence["RunnerTiming"]) -> None:
    from edgeseld.cli.terminal import print_table

    header = ["bundle", "threads", "verified", "median ms", "p90", "min", "max", "load ms", "first ms", "after C"]
    rows = []
    for one in timings:
        graph = one.graph
        shown = [graph.median_ms, graph.p90_ms, graph.min_ms, graph.max_ms, one.load_ms, one.first_ms]
        cells = [_cell(value) for value in (*shown, one.after.battery_c)]
        rows.append([one.name, str(one.threads), "yes" if one.verified else "no", *cells])
    print_table(f"{serial}: ExecuTorch, graph alone, PCM of one window to raw output", header, rows)
    for one in timings:
        if not one.verified:
            _print_failures(one.name, one.failures)


def _print_app(serial: str, timings: Sequence["AppTiming"]) -> None:
    from edgeseld.cli.terminal import print_table

    header = [
        "bundle",
        "threads",
        "runtime",
        "median ms",
        "p90",
        "min",
        "max",
        "real-time factor",
        "before C",
        "after C",
    ]
    rows = []
    for one in timings:
        total = one.total
        shown = [total.median_ms, total.p90_ms, total.min_ms, total.max_ms]
        cells = [_cell(value) for value in (*shown, one.real_time_factor, one.before.battery_c, one.after.battery_c)]
        rows.append([one.name, str(one.threads), one.runtime, *cells])
    print_table(f"{timings[0].device} ({serial}): the demo app, PCM of one window to events", header, rows)


def _print_tool(serial: str, timings: Sequence["PhoneTiming"]) -> None:
    from edgeseld.cli.terminal import print_table

    header = ["bundle", "threads", "mean ms", "std", "min", "max", "first ms", "before C", "after C"]
    rows = []
    for timing in timings:
        f = timing.figures
        shown = [f.mean_ms, f.std_ms, f.min_ms, f.max_ms, f.first_ms, timing.before.battery_c, timing.after.battery_c]
        rows.append([timing.name, str(timing.threads), *map(_cell, shown)])
    print_table(f"{serial}: graph alone, PCM of one window to raw output", header, rows)


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def on_emulated_arm(models: Sequence[str], as_json: bool) -> None:
    """Parity and instruction counts under qemu-user."""
    from edgeseld.bench.arm import bench_arm
    from edgeseld.cli.terminal import progress
    from edgeseld.core.locate import find_bundle
    from edgeseld.core.structs import to_json

    report = bench_arm([find_bundle(model) for model in models], progress)
    if as_json:
        click.echo(to_json(report).decode(), nl=False)
    else:
        print_arm(report)


def print_arm(report: "ArmReport") -> None:
    """A row per bundle; what strays from its golden vectors on stderr."""
    from edgeseld.cli.terminal import print_table

    print_table(
        f"{report.processor} under {report.emulator} against {report.machine.processor}: one window, PCM to raw output",
        ["bundle", "verified", "largest difference", "SNR dB", "M instructions", "per MAC"],
        [_arm_row(row) for row in report.rows],
    )
    click.echo("Instructions do not depend on how busy this machine is, and they are not milliseconds.")
    for row in report.rows:
        if not row.verified:
            _print_failures(row.name, row.failures)


def _print_failures(name: str, failures: Sequence[str]) -> None:
    click.echo(f"{name} strays from its golden vectors there: {'; '.join(failures)}", err=True)


def _arm_row(row: "ArmRow") -> list[str]:
    per_mac = "-" if row.macs_per_window is None else f"{row.instructions / row.macs_per_window:.2f}"
    snr = "same bits" if row.snr_db is None else f"{row.snr_db:.0f}"
    return [
        row.name,
        "yes" if row.verified else "no",
        f"{row.difference_max:.1e}",
        snr,
        f"{row.instructions / 1e6:.1f}",
        per_mac,
    ]
