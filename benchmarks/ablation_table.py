"""The ablation's report as a table: on a terminal, and in docs/training.md."""

from collections.abc import Iterator
from pathlib import Path

from edgeseld.bench.report import Machine
from edgeseld.cli.terminal import print_table
from edgeseld.core.catalogue import Cost
from edgeseld.core.interval import Interval
from edgeseld.core.structs import Frozen, read_json

RESULTS = Path(__file__).parent / "results" / "ablation.json"
HEADER = ["system", "seeds", "F20", "95 %", "LE", "F20 - labels", "LE - labels", "SELD - labels", "SELD added"]
HEADER += ["parameters", "MMAC", "ms", "hours"]


class Row(Frozen, frozen=True, kw_only=True):
    """A system: scores over all its seeds, and its differences, paired over files.

    `differences` are to the student with labels alone, `added` to the arm that it adds one thing to.
    """

    title: str
    seeds: tuple[int, ...]
    scores: dict[str, float]
    F20_interval: tuple[float, float]
    differences: dict[str, Interval]
    added: dict[str, Interval]
    cost: Cost
    latency_ms: float | None
    hours_seen: float | None


class AblationReport(Frozen, frozen=True, kw_only=True):
    """ablation.json."""

    tier: str
    machine: Machine
    data: tuple[str, ...]
    heldout: tuple[str, ...]
    teacher: Row
    start: Row | None
    rows: dict[str, Row]
    exits: dict[str, Row]


def show(report: AblationReport) -> None:
    """The table on stdout."""
    title = f"tier {report.tier}, {' + '.join(report.heldout)}: 2023 rules, headline classes"
    print_table(title, HEADER, [_cells(row) for row in _rows(report)])


def ablation_lines() -> list[str]:
    """The table of docs/training.md."""
    report = read_json(RESULTS, AblationReport)
    machine = report.machine
    return [
        f"Tier `{report.tier}`, held-out sets {', '.join(report.heldout)}; {machine.processor}, {machine.cores} cores,"
        f" {machine.system}.",
        "",
        f"| {' | '.join(HEADER)} |",
        "|" + "---|" * len(HEADER),
        *(f"| {' | '.join(_cells(row))} |" for row in _rows(report)),
    ]


def _rows(report: AblationReport) -> Iterator[Row]:
    yield from filter(None, (report.teacher, report.start))
    yield from report.rows.values()
    yield from report.exits.values()


def _cells(row: Row) -> list[str]:
    return [
        row.title,
        str(len(row.seeds)),
        f"{row.scores['F']:.3f}",
        f"{row.F20_interval[0]:.3f} to {row.F20_interval[1]:.3f}",
        f"{row.scores['LE']:.1f}°",
        *(_change(row.differences[name], form) for name, form in (("F", "+.3f"), ("LE", "+.1f"), ("SELD", "+.3f"))),
        _change(row.added["SELD"], "+.3f") if row.added else "",
        f"{row.cost.parameters / 1e6:.2f} M",
        f"{row.cost.macs / 1e6:.0f}",
        "-" if row.latency_ms is None else f"{row.latency_ms:.1f}",
        "-" if row.hours_seen is None else f"{row.hours_seen:.1f}",
    ]


def _change(change: Interval, form: str) -> str:
    return f"{change.value:{form}} ({change.low:{form}} to {change.high:{form}})"
