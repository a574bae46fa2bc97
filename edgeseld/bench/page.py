"""One self-contained HTML page of a benchmark: pictures inside the page, no script, no network."""

from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path

from edgeseld.bench.figures import label, latency_figure, trade_off_figure
from edgeseld.bench.report import COSTS, NAMES, TIMES, BenchReport, Timing, table
from edgeseld.core.atomic import write_atomic
from edgeseld.runtime.plots import render

STYLE = """
body { font-family: system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #222; }
svg { width: 100%; height: auto; } .wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: 0 0 1.5rem; }
th, td { padding: .3rem .5rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }
thead th { vertical-align: bottom; white-space: normal; } th:first-child, td:first-child { text-align: left; }
"""
TITLE = "edgeseld: latency, memory and size"
READING = (
    "Each bundle runs in a process of its own, all of them in turn, round after round, so that other work on the "
    "machine disturbs all alike. Ratios are medians over the rounds with their 95 % interval; they hold even where "
    "milliseconds do not. A real-time factor of 0.01 means one second of audio takes 10 ms. Memory is the peak over "
    "the bare runtime. F20 is that of the float model on held-out simulated rooms."
)


def write_page(report: BenchReport, path: Path) -> None:
    """Write the page; BackendMissingError without matplotlib."""
    sections = [f"<h1>{TITLE}</h1>", f"<p>{escape(_summary(report))}</p>", f"<p>{READING}</p>"]
    sections += ["<h2>Where the time goes</h2>", _svg(latency_figure(report))]
    trade_off = trade_off_figure(report)
    if trade_off is not None:
        sections += ["<h2>What accuracy costs</h2>", _svg(trade_off)]
    sections += ["<h2>All figures</h2>", _table(report, NAMES | TIMES), _table(report, NAMES | COSTS)]
    sections += [f"<p>{escape(_measured_on(report))}</p>"]
    page = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{TITLE}</title>\n'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>\n<body>\n'
        + "\n".join(sections)
        + "\n</body></html>\n"
    )
    write_atomic(path, page.encode())


def _summary(report: BenchReport) -> str:
    """The answer in a sentence: the fastest, and how it stands to the first."""
    fastest = min(report.timings, key=lambda timing: timing.total.median_ms)
    text = (
        f"Fastest: {label(fastest)}, {fastest.total.median_ms:.1f} ms for {fastest.window_s:g} s of audio "
        f"(real-time factor {fastest.real_time_factor:.4f})."
    )
    first = report.timings[0]
    return text if fastest is first else f"{text} That is {fastest.ratio.value:.2f} of the time of {label(first)}."


def _measured_on(report: BenchReport) -> str:
    machine = report.machine
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    rounds = report.timings[0].rounds
    return (
        f"{rounds} rounds on {machine.processor}, {machine.cores} cores, {machine.system}, Python {machine.python}; "
        f"{versions}."
    )


def _table(report: BenchReport, columns: Mapping[str, Callable[[Timing], str]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    rows = zip(report.timings, table(report, columns), strict=True)
    body = "\n".join(f"<tr>{''.join(_cell(timing, cell) for cell in row)}</tr>" for timing, row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'


def _cell(timing: Timing, cell: str) -> str:
    return f'<th scope="row">{escape(cell)}</th>' if cell == timing.name else f"<td>{escape(cell)}</td>"


def _svg(figure: object) -> str:
    """The svg element alone, as HTML takes it."""
    svg = render(figure, "svg").decode()
    return svg[svg.index("<svg") :]
