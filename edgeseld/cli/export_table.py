"""What `edgeseld export` says of the bundles it wrote: size, parity, latency; on stderr, where the time went."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from edgeseld.bench.host import bench_host
from edgeseld.bench.report import Timing
from edgeseld.cli.terminal import print_table, progress
from edgeseld.core.structs import to_json
from edgeseld.export.exporting import Exported

if TYPE_CHECKING:
    from edgeseld.export.tuning import Tuning

ROUNDS = 15
HEADER = ["bundle", "verified", "MB", "raw difference", "changed frames", "direction", "ms", "real-time factor"]


def print_exported(
    exported: Sequence[Exported], left_out: Sequence[str], *, as_json: bool, tuning: "Tuning | None" = None
) -> None:
    """A row per bundle, then its path, and a line per target that was left out; latency side by side with one thread.

    Paths stand in lines of their own: a table would cut them.
    """
    for item in exported:
        steps = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in item.seconds.items())
        click.echo(f"{item.manifest.name}: {steps}", err=True)
    timings = _timings(exported)
    if as_json:
        click.echo(_json(exported, left_out, timings, tuning).decode(), nl=False)
        return
    if exported:
        table = [_row(item, timings.get(item.manifest.name)) for item in exported]
        print_table("exported and verified against the float model", HEADER, table)
    for item in exported:
        click.echo(str(item.path))
    for reason in left_out:
        click.echo(f"left out: {reason}")


def _json(
    exported: Sequence[Exported], left_out: Sequence[str], timings: dict[str, Timing], tuning: "Tuning | None"
) -> bytes:
    rows = [
        {
            "path": str(item.path),
            "bytes": item.model_bytes,
            "verification": item.report,
            "timing": timings.get(item.manifest.name),
            "seconds": item.seconds,
        }
        for item in exported
    ]
    return to_json({"bundles": rows, "left_out": list(left_out), "tuning": tuning})


def _timings(exported: Sequence[Exported]) -> dict[str, Timing]:
    """By name; a Core ML program off a Mac is checked by an interpreter, whose time says nothing."""
    timed = [
        item.path
        for item in exported
        if item.report.passed and (item.manifest.target != "coreml" or sys.platform == "darwin")
    ]
    return {timing.name: timing for timing in bench_host(timed, [1], ROUNDS, progress).timings} if timed else {}


def _row(item: Exported, timing: Timing | None) -> list[str]:
    return [
        item.manifest.name,
        "yes" if item.report.passed else "NO",
        f"{item.model_bytes / 1e6:.2f}",
        f"{item.report.raw_max:.1e}",
        f"{100 * item.report.changed_frames:.2f} %",
        f"{item.report.direction_deg:.3f}°",
        "-" if timing is None else f"{timing.total.median_ms:.1f}",
        "-" if timing is None else f"{timing.real_time_factor:.4f}",
    ]
