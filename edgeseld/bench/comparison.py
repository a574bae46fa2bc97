"""`edgeseld bench --compare OLD.json`: did anything become slower?"""

from dataclasses import dataclass
from pathlib import Path

from edgeseld.bench.report import BenchError, BenchReport, Timing
from edgeseld.core.errors import ConfigError
from edgeseld.core.structs import read_json


@dataclass(frozen=True, slots=True)
class Change:
    """A bundle now and then; `times` is now over then."""

    name: str
    threads: int
    then: float
    now: float

    @property
    def times(self) -> float:
        """Above 1 is slower."""
        return self.now / self.then


@dataclass(frozen=True, slots=True)
class Comparison:
    """Changes of the bundles that both reports hold, in `unit`."""

    unit: str
    changes: tuple[Change, ...]


def compare(old: BenchReport, new: BenchReport) -> Comparison:
    """Least milliseconds on the same processor, else ratios to the first bundle.

    The least time of many rounds is what neighbours disturb least. ConfigError where the two hold nothing in common,
    or ran on different processors with different first bundles.
    """
    same_machine = (old.machine.processor, old.machine.cores) == (new.machine.processor, new.machine.cores)
    if not same_machine and _key(old.timings[0]) != _key(new.timings[0]):
        raise ConfigError(
            f"reports of different processors ({old.machine.processor}, {new.machine.processor}) compare by ratios to "
            f"their first bundle, got {old.timings[0].name} and {new.timings[0].name}: name the same bundle first"
        )
    then = {_key(timing): timing for timing in old.timings}
    common = [timing for timing in new.timings if _key(timing) in then]
    if not common:
        held = ", ".join(f"{name} ({threads} threads)" for name, threads in then)
        raise ConfigError(f"the old report holds none of these bundles, only {held}: bench the same ones")
    pairs = [(then[_key(timing)], timing) for timing in common]
    if same_machine:
        changes = [Change(b.name, b.threads, a.total.min_ms, b.total.min_ms) for a, b in pairs]
        return Comparison("least ms", tuple(changes))
    changes = [Change(b.name, b.threads, a.ratio.value, b.ratio.value) for a, b in pairs]
    return Comparison(f"ratio to {new.timings[0].name}", tuple(changes))


def read_report(path: Path) -> BenchReport:
    """A file that `edgeseld bench --json` wrote."""
    report = read_json(path, BenchReport)
    if not report.timings:
        raise ConfigError(f"{path} holds no timings: write it again with `edgeseld bench --json`")
    return report


def require_no_regression(comparison: Comparison, fail_above: float) -> None:
    """BenchError where a bundle now takes more than `fail_above` times what it took."""
    slower = [change for change in comparison.changes if change.times > fail_above]
    if slower:
        named = ", ".join(f"{change.name} ({change.threads} threads) {change.times:.2f}" for change in slower)
        raise BenchError(
            f"no bundle may take more than {fail_above:g} times as long as before, got {named}; "
            "run it again on a quiet machine, then look at what changed"
        )


def _key(timing: Timing) -> tuple[str, int]:
    return timing.name, timing.threads
