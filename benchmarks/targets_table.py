"""The rows of benchmarks/targets.py as tables: on a terminal, and in docs/precisions.md."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.targets_rows import TargetRow, TargetsReport
from edgeseld.bench.machine import Machine
from edgeseld.bench.parity import SceneParity
from edgeseld.bench.report import Timing
from edgeseld.cli.terminal import print_table
from edgeseld.core.structs import read_json

RESULTS = Path(__file__).parent / "results" / "targets.json"
COSTS = ["export", "verified", "MB", "of fp32", "ms 1 thread", "ms 2 threads", "of fp32", "memory MB"]
PARITY = ["export", "set", "scenes", "raw difference", "golden frames changed", "scene frames changed", "turned"]
PARITY += ["F20", "SELD"]


def show(rows: Sequence[TargetRow]) -> None:
    """What the exports of a model cost, what changed in them, and which pairs were refused."""
    whole = {row.target: row for row in rows if row.precision == "fp32"}
    made = [row for row in rows if row.refused is None]
    if made:
        lines = [line for row in made for line in _parity(row)]
        print_table(f"{made[0].model}: costs", COSTS, [_costs(row, whole.get(row.target)) for row in made])
        print_table(f"{made[0].model}: against the float model", PARITY, lines)
    refused = [[_name(row), str(row.refused)] for row in rows if row.refused is not None]
    if refused:
        print_table("refused", ["export", "why"], refused)


def _name(row: TargetRow) -> str:
    return f"{row.target}-{row.precision}"


def _costs(row: TargetRow, whole: TargetRow | None) -> list[str]:
    """Sizes and times, and their ratio to fp32 on the same target."""
    one, two = row.timings.get("1"), row.timings.get("2")
    base = None if whole is None else whole.timings.get("1")
    bytes_before = None if whole is None else whole.model_bytes
    return [
        _name(row),
        "yes" if row.verified else "NO",
        _maybe(row.model_bytes and row.model_bytes / 1e6, ".2f"),
        _maybe(row.model_bytes and bytes_before and row.model_bytes / bytes_before, ".2f"),
        _maybe(one and one.total.median_ms, ".1f"),
        _maybe(two and two.total.median_ms, ".1f"),
        _maybe(one and base and one.total.median_ms / base.total.median_ms, ".2f"),
        _maybe(one and one.memory_bytes / 1e6, ".0f"),
    ]


def _parity(row: TargetRow) -> list[list[str]]:
    """A line per set of scenes; F20 and SELD beside their change from the float model."""
    golden = [_maybe(row.raw_max, ".1e"), _maybe(row.changed_frames, ".2%")]
    lines = [
        [_name(row), name, str(found.scenes), *golden, f"{found.changed_frames:.2%}", f"{found.direction_deg:.2f}°"]
        + [_score(found, "F"), _score(found, "SELD")]
        for name, found in row.scenes.items()
    ]
    return lines or [[_name(row), "-", "-", *golden, "-", "-", "-", "-"]]


def _score(found: SceneParity, measure: str) -> str:
    value = getattr(found.exported, measure)
    return f"{value:.3f} ({value - getattr(found.reference, measure):+z.3f})"


def _maybe(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def precisions_lines() -> list[str]:
    """The tables of docs/precisions.md, one for each model."""
    report = read_json(RESULTS, TargetsReport)
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    lines = [f"{_host(report.machine)}; {versions}."]
    for model in dict.fromkeys(row.model for row in report.rows):
        rows = [row for row in report.rows if row.model == model]
        sets = list(dict.fromkeys(name for row in rows for name in row.scenes))
        header = ["", "MB", "of fp32", "ms", "of fp32", "ms, 2 threads", "memory MB", "frames changed"]
        header += [f"{measure}, {name.partition('-')[0]}" for measure in ("F20", "SELD") for name in sets]
        others = dict.fromkeys(_host(row.timed_on) for row in rows if row.timed_on is not None)
        lines += ["", f"### {model}", *(f"Timed on {other}." for other in others)]
        lines += ["", f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
        lines += _document_rows(rows, sets)
    return lines


def _host(machine: Machine) -> str:
    return f"{machine.processor}, {machine.cores} cores, {machine.system}"


def _document_rows(rows: Sequence[TargetRow], sets: Sequence[str]) -> Iterator[str]:
    """A line for each pair; those that were refused say why."""
    whole = {row.target: row for row in rows if row.precision == "fp32"}
    for row in rows:
        if row.refused is not None:
            yield f"| {_name(row)} | {row.refused} |" + " |" * (6 + 2 * len(sets))
            continue
        base = whole[row.target]
        one, two = row.timings.get("1"), row.timings.get("2")
        heard = sum(found.changed_frames * found.active_frames for found in row.scenes.values())
        active = sum(found.active_frames for found in row.scenes.values())
        cells = [
            _name(row) + ("" if row.verified else ", not verified"),
            _maybe(row.model_bytes and row.model_bytes / 1e6, ".2f"),
            _maybe(row.model_bytes and base.model_bytes and row.model_bytes / base.model_bytes, ".2f"),
            _maybe(one and one.total.median_ms, ".1f"),
            _maybe(_undisturbed_ratio(one, base.timings.get("1")), ".2f"),
            _maybe(two and two.total.median_ms, ".1f"),
            _maybe(one and one.memory_bytes / 1e6, ".0f"),
            f"{heard / max(active, 1):.2%}",
            *(_score(row.scenes[name], measure) for measure in ("F", "SELD") for name in sets if name in row.scenes),
        ]
        yield f"| {' | '.join(cells)} |"


def _undisturbed_ratio(timing: Timing | None, base: Timing | None) -> float | None:
    """Both stand against the same first bundle of one run."""
    return None if timing is None or base is None else timing.ratio.value / base.ratio.value
