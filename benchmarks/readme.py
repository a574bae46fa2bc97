"""The tables of README.md and docs/ from committed results: `python -m benchmarks.readme`; with --check, only looks.

Accuracy and cost of models come from models/*/results.json, all else from benchmarks/results. A table whose marker a
document lacks is left out.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import click

from benchmarks.ablation_table import ablation_lines
from benchmarks.bundles import readme_lines
from benchmarks.cost import RESULTS as COST
from benchmarks.cost import CostReport, Row
from benchmarks.runtime_tables import passes_lines, stream_lines, uncertainty_lines
from benchmarks.server_tables import fallback_lines, load_lines
from benchmarks.targets_table import precisions_lines
from edgeseld.cli import run_command
from edgeseld.core.atomic import write_atomic
from edgeseld.core.catalogue import HeldoutScores, ModelEntry, ModelResults, list_models
from edgeseld.core.structs import read_json

ROOT = Path(__file__).parent.parent
DOCUMENTS = (
    ROOT / "README.md",
    *(ROOT / "docs" / f"{name}.md" for name in ("precisions", "server", "streaming", "training", "uncertainty")),
)
MARKER = "python -m benchmarks.readme"


@click.command(help=__doc__)
@click.option("--check", is_flag=True, help="Change nothing; fail where the tables are out of date.")
def main(check: bool) -> None:
    for document in DOCUMENTS:
        before = document.read_text()
        after = filled(before)
        if check and before != after:
            raise click.ClickException(f"tables of {document.name} are out of date: run python -m benchmarks.readme")
        if before != after:
            write_atomic(document, after.encode())


def filled(text: str) -> str:
    """The text with its tables made anew."""
    tables = {
        "models": _models,
        "cost": _cost,
        "bundles": readme_lines,
        "passes": passes_lines,
        "stream": stream_lines,
        "uncertainty": uncertainty_lines,
        "load": load_lines,
        "fallback": fallback_lines,
        "precisions": precisions_lines,
        "ablation": ablation_lines,
    }
    for name, lines in tables.items():
        opening = f"<!-- {name}: {MARKER} -->"
        if opening not in text:
            continue
        pattern = re.compile(re.escape(opening) + r".*?<!-- end -->", re.DOTALL)
        table = "\n".join([opening, *lines(), "<!-- end -->"])
        text = pattern.sub(lambda _, table=table: table, text)  # type: ignore[misc]
    return text


def _models() -> list[str]:
    released = [(entry, entry.results) for entry in list_models() if entry.results is not None]
    return [
        "F20 and LE: 2023 rules, macro over the headline classes of `benchmarks/heldout.toml`, on sounds, speakers and"
        " rooms that no training heard.",
        "The interval is a 95 % bootstrap over scenes. MACs are for 5 s, the frontend apart.",
        "",
        "| model | hears | parameters | MACs | F20, simulated rooms | LE | F20, measured rooms | LE | seen |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_model_row(entry, results) for entry, results in released if results.heldout),
        *_detection([(entry, results) for entry, results in released if results.detection]),
    ]


def _detection(released: Sequence[tuple[ModelEntry, ModelResults]]) -> list[str]:
    """The models without directions, where there are any."""
    if not released:
        return []
    return [
        "",
        "Sounds without directions: F1 in segments of a second, macro over the same classes; behind it F1 at the best"
        " threshold of each class.",
        "",
        "| model | hears | parameters | MACs | F1, simulated rooms | best | F1, measured rooms | best | seen |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_detection_row(entry, results) for entry, results in released),
    ]


def _detection_row(entry: ModelEntry, results: ModelResults) -> str:
    cells = _network_cells(entry, results)
    for scores in results.detection.values():
        low, high = scores.F1_interval
        cells += [f"{scores.F1:.3f} ({low:.3f} to {high:.3f})", f"{scores.F1_MO:.3f}"]
    return f"| {' | '.join([*cells, f'{results.hours_seen:.0f} h'])} |"


def _network_cells(entry: ModelEntry, results: ModelResults) -> list[str]:
    cost = results.cost
    name = f"[{entry.id}](models/{entry.id}/README.md)"
    return [name, entry.channel_format, f"{cost.parameters / 1e6:.2f} M", f"{cost.macs / 1e6:.0f} M"]


def _model_row(entry: ModelEntry, results: ModelResults) -> str:
    cells = _network_cells(entry, results)
    for rooms in ("simulated", "measured"):
        cells += _location_cells(results.heldout.get(rooms))
    return f"| {' | '.join([*cells, f'{results.hours_seen:.0f} h'])} |"


def _location_cells(scores: HeldoutScores | None) -> list[str]:
    """F20 with its interval, and LE; of a tetrahedral array no room is measured."""
    if scores is None:
        return ["", ""]
    low, high = scores.F20_interval
    return [f"{scores.F20:.3f} ({low:.3f} to {high:.3f})", f"{scores.LE:.1f}°"]


def _cost() -> list[str]:
    report = read_json(COST, CostReport)
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    return [
        f"5 s of PCM to raw output, one thread, ONNX Runtime, in turn over {report.rounds} rounds in one run of"
        " `python -m benchmarks.cost`.",
        f"{report.machine.processor}, {report.machine.cores} cores, {report.machine.system}; {versions}.",
        "",
        "| chain | median ms | of the usual pipeline |",
        "|---|---|---|",
        *(_cost_row(*item) for item in report.rows.items()),
    ]


def _cost_row(name: str, row: Row) -> str:
    ratio = f"{row.ratio.value:.2f} ({row.ratio.low:.2f} to {row.ratio.high:.2f})"
    return f"| {name} | {row.time.median_ms:.1f} | {ratio} |"


if __name__ == "__main__":
    run_command(main)
