"""What `edgeseld export` says of the bundles it wrote: size, parity, latency."""

import sys
from collections.abc import Sequence

import click

from edgeseld.bench.host import bench_host
from edgeseld.bench.report import Timing
from edgeseld.cli.terminal import print_table, progress
from edgeseld.core.structs import to_json
from edgeseld.export.exporting import Exported

ROUNDS = 15
HEADER = ["bundle", "verified", "MB", "raw difference", "changed frames", "direction", "ms", "real-time factor"]


def print_exported(exported: Sequence[Exported], left_out: Sequence[str], *, as_json: bool) -> None:
    """A row per bundle, one per target that was left out and why; latency side by side in one run with one thread."""
    timings = _timings(exported)
    if as_json:
        rows = [
            {
                "path": str(item.path),
                "bytes": item.model_bytes,
                "verification": item.report,
                "timing": timings.get(item.manifest.name),
            }
            for item in exported
        ]
        click.echo(to_json({"bundles": rows, "left_out": list(left_out)}).decode(), nl=False)
        return
    table = [_row(item, timings.get(item.manifest.name)) for item in exported]
    table += [[reason, "left out", *["-"] * 6] for reason in left_out]
    print_table("exported and verified against the float model", HEADER, table)


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
        str(item.path),
        "yes" if item.report.passed else "NO",
        f"{item.model_bytes / 1e6:.2f}",
        f"{item.report.raw_max:.1e}",
        f"{100 * item.report.changed_frames:.2f} %",
        f"{item.report.direction_deg:.3f}°",
        "-" if timing is None else f"{timing.total.median_ms:.1f}",
        "-" if timing is None else f"{timing.real_time_factor:.4f}",
    ]
