"""`edgeseld bench` on other processors than the host's."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from edgeseld.bench.arm import ArmReport, ArmRow


def on_phone(
    models: tuple[str, ...],
    serial: str | None,
    benchmark_model: Path | None,
    cores: str | None,
    threads: list[int],
    as_json: bool,
) -> None:
    """LiteRT's benchmark_model on a phone."""
    from edgeseld.bench.adb import find_device
    from edgeseld.bench.benchmark_model import benchmark_on_phone
    from edgeseld.cli.terminal import print_table
    from edgeseld.core.locate import find_bundle
    from edgeseld.core.structs import to_json
    from edgeseld.runtime.bundle import open_bundle

    if benchmark_model is None:
        raise click.UsageError("--device adb needs --benchmark-model, LiteRT's tool built for the phone's processor")
    device = find_device(serial)
    bundles = [open_bundle(find_bundle(model, "tflite")) for model in models]
    timings = [benchmark_on_phone(device, benchmark_model, bundle, n, cores) for n in threads for bundle in bundles]
    if as_json:
        click.echo(to_json(timings).decode(), nl=False)
        return
    header = ["bundle", "threads", "mean ms", "std", "min", "max", "first ms", "before C", "after C"]
    rows = []
    for timing in timings:
        f = timing.figures
        shown = [f.mean_ms, f.std_ms, f.min_ms, f.max_ms, f.first_ms, timing.before.battery_c, timing.after.battery_c]
        cells = ["-" if value is None else f"{value:.2f}" for value in shown]
        rows.append([timing.name, str(timing.threads), *cells])
    print_table(f"{device.serial}: graph alone, PCM of one window to raw output", header, rows)


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
            click.echo(f"{row.name} strays from its golden vectors there: {'; '.join(row.failures)}", err=True)


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
