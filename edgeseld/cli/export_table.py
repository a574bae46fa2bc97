"""What `edgeseld export` says of the bundles it wrote: size, parity, latency."""

from collections.abc import Sequence

import click

from edgeseld.bench.host import bench_host
from edgeseld.cli.terminal import print_table, progress
from edgeseld.core.structs import to_json
from edgeseld.export.exporting import Exported

ROUNDS = 15


def print_exported(exported: Sequence[Exported], skipped: Sequence[str], *, as_json: bool) -> None:
    """A row per bundle, one per target that was skipped; latency side by side in one run with one thread."""
    report = bench_host([item.path for item in exported], [1], ROUNDS, progress)
    if as_json:
        rows = [
            {"path": str(item.path), "bytes": item.model_bytes, "verification": item.report, "timing": timing}
            for item, timing in zip(exported, report.timings, strict=True)
        ]
        click.echo(to_json({"bundles": rows, "skipped": list(skipped)}).decode(), nl=False)
        return
    header = ["bundle", "verified", "MB", "raw difference", "changed frames", "direction", "ms", "real-time factor"]
    table = [
        [
            str(item.path),
            "yes" if item.report.passed else "NO",
            f"{item.model_bytes / 1e6:.2f}",
            f"{item.report.raw_max:.1e}",
            f"{100 * item.report.changed_frames:.2f} %",
            f"{item.report.direction_deg:.3f}°",
            f"{timing.total.median_ms:.1f}",
            f"{timing.real_time_factor:.4f}",
        ]
        for item, timing in zip(exported, report.timings, strict=True)
    ]
    table += [[reason, "skipped", *["-"] * 6] for reason in skipped]
    print_table("exported and verified against the float model", header, table)
