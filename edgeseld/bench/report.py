"""What a benchmark says, on disk and to the eye: `edgeseld bench --json` writes a BenchReport."""

from collections.abc import Callable, Mapping

from edgeseld.bench.machine import Machine
from edgeseld.bench.rounds import Stage
from edgeseld.core.errors import EdgeseldError
from edgeseld.core.interval import Interval
from edgeseld.core.structs import Frozen


class BenchError(EdgeseldError):
    """A measurement could not be made, or came out worse than allowed."""


class Timing(Frozen, frozen=True, kw_only=True):
    """One bundle with one number of threads: PCM of one window to events.

    `load_ms` checks the bundle and makes its backend; in `first_ms`, the first window, the runtime also reads the
    graph. `total` is PCM to events; inside it `graph` is the time in the runtime and `decoding` all else (windows,
    decoding, tracking). `frontend` and `network` are the two halves of the graph, run apart where the bundle can; the
    frontend, whose graph is longer than a window, in proportion. `memory_bytes` is the peak over the bare runtime.
    """

    name: str
    model: str
    threads: int
    rounds: int
    window_s: float
    load_ms: float
    first_ms: float
    total: Stage
    graph: Stage
    decoding: Stage | None
    frontend: Stage | None
    network: Stage | None
    real_time_factor: float
    macs_per_s: float | None
    memory_bytes: int
    model_bytes: int
    F20: float | None
    ratio: Interval


class BenchReport(Frozen, frozen=True, kw_only=True):
    """All timings of one run; ratios are to the first one."""

    machine: Machine
    versions: dict[str, str]
    timings: tuple[Timing, ...]


# Column to cell; the first two name the row.
NAMES: dict[str, Callable[[Timing], str]] = {"bundle": lambda t: t.name, "threads": lambda t: str(t.threads)}
TIMES: dict[str, Callable[[Timing], str]] = {
    "median ms": lambda t: f"{t.total.median_ms:.2f}",
    "p90": lambda t: f"{t.total.p90_ms:.2f}",
    "min": lambda t: f"{t.total.min_ms:.2f}",
    "max": lambda t: f"{t.total.max_ms:.2f}",
    "frontend": lambda t: _median(t.frontend),
    "network": lambda t: _median(t.network),
    "decoding": lambda t: _median(t.decoding),
    "ratio (95 %)": lambda t: f"{t.ratio.value:.2f} ({t.ratio.low:.2f}-{t.ratio.high:.2f})",
}
COSTS: dict[str, Callable[[Timing], str]] = {
    "real-time factor": lambda t: f"{t.real_time_factor:.5f}",
    "load ms": lambda t: f"{t.load_ms:.0f}",
    "first ms": lambda t: f"{t.first_ms:.0f}",
    "GMAC/s": lambda t: "-" if t.macs_per_s is None else f"{t.macs_per_s / 1e9:.1f}",
    "memory MB": lambda t: f"{t.memory_bytes / 1e6:.0f}",
    "file MB": lambda t: f"{t.model_bytes / 1e6:.1f}",
    "F20": lambda t: "-" if t.F20 is None else f"{t.F20:.3f}",
}


def table(report: BenchReport, columns: Mapping[str, Callable[[Timing], str]]) -> list[list[str]]:
    """A row per timing, a cell per column."""
    return [[cell(timing) for cell in columns.values()] for timing in report.timings]


def title(report: BenchReport) -> str:
    """What was measured where."""
    machine = report.machine
    return f"{machine.processor}, {machine.cores} cores: one window, PCM to events"


def _median(stage: Stage | None) -> str:
    return "-" if stage is None else f"{stage.median_ms:.2f}"
