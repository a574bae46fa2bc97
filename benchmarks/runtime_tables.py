"""Tables of docs/uncertainty.md and docs/streaming.md from benchmarks/results/runtime.json and uncertainty.json."""

from collections.abc import Callable

from benchmarks.runtime import RESULTS as RUNTIME
from benchmarks.runtime import Row, RuntimeReport
from benchmarks.uncertainty import RESULTS as UNCERTAINTY
from benchmarks.uncertainty import PassesReport, Ranking, UncertaintyReport
from edgeseld.bench.machine import Machine
from edgeseld.core.structs import read_json

COLUMNS = ("dropout", "N", "K", "F20", "LE", "coverage gap", "calibrated", "precision")


def passes_lines() -> list[str]:
    """What samples and shifts cost."""
    return _parts(lambda part: part.endswith(", 5 s"))


def stream_lines() -> list[str]:
    """What live sound costs."""
    hour = read_json(RUNTIME, RuntimeReport).hour
    assert hour is not None
    memory = ", ".join(f"{value:.0f}" for value in hour.megabytes_by_ten_minutes)
    return [
        *_parts(lambda part: not part.endswith(", 5 s")),
        "",
        f"An hour in blocks of 0 to 300 ms: {hour.frames} of {hour.expected_frames} label frames came, in"
        f" {hour.processor_s:.0f} s of processor time;",
        f"resident memory every ten minutes: {memory} MB.",
    ]


def uncertainty_lines() -> list[str]:
    """What the values are worth."""
    report = read_json(UNCERTAINTY, UncertaintyReport)
    lines = [
        f"{report.model}, fitted on {report.fitted_on}, `python -m benchmarks.uncertainty`; {_where(report.machine)};"
        f" {_versions(report.versions)}.",
    ]
    for name, parts in report.passes.items():
        figures = report.calibration[name]
        lines += [
            "",
            f"**{name}**: calibration error {figures.error_before:.4f} before, {figures.error_after:.4f} after"
            f" ({figures.error_plain_fit:.4f} fitted on the same scenes as they are).",
            "",
            f"| {' | '.join([*COLUMNS, *parts[0].rankings])} |",
            f"|{'---|' * (len(COLUMNS) + len(parts[0].rankings))}",
            *map(_passes_row, parts),
        ]
    return lines


def _parts(chosen: Callable[[str], bool]) -> list[str]:
    report = read_json(RUNTIME, RuntimeReport)
    rows = [row for row in report.rows if chosen(row.part)]
    return [
        f"Processor time on one thread, {report.rounds} rounds in turn, in one run of `python -m benchmarks.runtime`;"
        f" {_where(report.machine)};",
        f"{_versions(report.versions)}.",
        "",
        "| | | median ms | of the first | asked |",
        "|---|---|---|---|---|",
        *map(_row, rows),
    ]


def _row(row: Row) -> str:
    ratio = "1" if row.ratio is None else f"{row.ratio.value:.2f} ({row.ratio.low:.2f} to {row.ratio.high:.2f})"
    return f"| {row.part} | {row.name} | {row.time.median_ms:.2f} | {ratio} | {row.limit} |"


def _passes_row(part: PassesReport) -> str:
    cells = [part.placement, str(part.mc_samples), str(part.time_shifts), f"{part.F20:.3f}", f"{part.LE:.1f}°"]
    cells += [f"{value:.3f}" for value in (part.coverage_gap_before, part.coverage_gap_after, part.precision)]
    return f"| {' | '.join([*cells, *map(_ranked, part.rankings.values())])} |"


def _ranked(ranking: Ranking) -> str:
    return f"{ranking.auroc:.3f}, {ranking.precision_kept:.3f}"


def _where(machine: Machine) -> str:
    return f"{machine.processor}, {machine.cores} cores, {machine.system}"


def _versions(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
