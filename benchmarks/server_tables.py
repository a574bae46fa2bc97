"""Tables of docs/server.md from benchmarks/results/server_load.json and fallback.json."""

from benchmarks.fallback import RESULTS, FallbackStudy
from benchmarks.server_load import RESULTS as LOAD
from benchmarks.server_load import LoadReport
from edgeseld.bench.machine import Machine
from edgeseld.cloud.equal_share import EqualShare
from edgeseld.cloud.strategies import FallbackReport, StrategyResult
from edgeseld.core.interval import Interval
from edgeseld.core.structs import read_json


def load_lines() -> list[str]:
    """What clients that never rest get."""
    report = read_json(LOAD, LoadReport)
    statuses = ", ".join(f"{count} x {status}" for status, count in report.statuses.items())
    memory = ", ".join(f"{value:.0f}" for value in report.memory_mb)
    return [
        f"{report.clients} clients for {report.seconds:.0f} s ask {report.model} for 5 s of FLAC each, again and again;"
        f" {_where(report.machine)}:",
        f"answers {statuses}; half of those heard come within {report.p50_ms:.0f} ms, 99 % within {report.p99_ms:.0f}"
        f" ms; resident memory of the server at the start, in the middle and at the end: {memory} MB.",
    ]


def fallback_lines() -> list[str]:
    """What asking for some windows buys, by held-out set."""
    study = read_json(RESULTS / "fallback.json", FallbackStudy)
    lines = [f"`python -m benchmarks.fallback` on {_where(study.machine)}; intervals of 95 % over scenes."]
    for name, report in study.reports.items():
        lines += ["", *_report_lines(name, report, study.cloud_model)]
    return lines


def _report_lines(name: str, report: FallbackReport, cloud_model: str) -> list[str]:
    equal = {one.strategy: one for one in report.equal_share}
    return [
        f"**{name}**: {report.device} asks {cloud_model} ({report.windows} windows of {report.window_s:g} s,"
        f" thresholds fitted on {report.fitted_on} for a share of {report.share:g}).",
        "",
        "| windows | share | F20 | gap closed | MB an hour | p50, p99 | closed at equal share | above random there |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(result, equal.get(result.strategy)) for result in report.results),
    ]


def _row(result: StrategyResult, equal: EqualShare | None) -> str:
    closed = "-" if result.gap_closed is None else f"{100 * result.gap_closed:.0f} %"
    cells = [result.strategy, f"{100 * result.share:.0f} %", f"{result.F20:.3f}", closed]
    cells += [f"{result.megabytes_per_hour:.1f}", f"{1e3 * result.p50_s:.0f}, {1e3 * result.p99_s:.0f} ms"]
    cells += ["", ""] if equal is None else [_percent(equal.gap_closed), _change(equal.above_random)]
    return f"| {' | '.join(cells)} |"


def _percent(part: Interval | None) -> str:
    return "-" if part is None else f"{100 * part.value:.0f} % ({100 * part.low:.0f} to {100 * part.high:.0f})"


def _change(difference: Interval) -> str:
    return f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})"


def _where(machine: Machine) -> str:
    return f"{machine.processor}, {machine.cores} cores, {machine.system}"
