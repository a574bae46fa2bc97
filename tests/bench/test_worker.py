"""What a benchmark's process does before it looks at the clock."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest

from edgeseld.bench import worker
from edgeseld.bench.worker import StopwatchBackend, _stages

WINDOW_S = 0.03
WAKING_S = 0.5


@dataclass
class Clock:
    """Stands while nothing runs."""

    now_s: float = 7.0

    def perf_counter(self) -> float:
        return self.now_s


@dataclass
class Sleeper:
    """A model without stages whose first window after a sleep takes long."""

    clock: Clock
    interface: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(graphs={}))
    windows: int = 0

    def predict(self, _: object) -> SimpleNamespace:
        self.clock.now_s += WINDOW_S if self.windows else WAKING_S
        self.windows += 1
        return SimpleNamespace(events=tuple)


def heard(wake_s: float, monkeypatch: pytest.MonkeyPatch) -> tuple[int, float]:
    """Windows that were heard in all, and the time of the one that counts."""
    clock = Clock()
    monkeypatch.setattr(worker, "time", clock)
    model = Sleeper(clock)
    stages = _stages(model, StopwatchBackend(None), np.zeros((4, 10), np.float32), wake_s)
    return model.windows, stages["total_s"]


def test_the_window_that_wakes_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    windows, total_s = heard(0.0, monkeypatch)
    assert windows == 2
    assert total_s == pytest.approx(WINDOW_S)


def test_several_threads_are_awake_for_a_while_before_they_count(monkeypatch: pytest.MonkeyPatch) -> None:
    # 0.5 s for the first, 0.03 s for each of 4 more: 0.62 s is the first time past 0.6 s.
    windows, total_s = heard(0.6, monkeypatch)
    assert windows == 1 + 4 + 1
    assert total_s == pytest.approx(WINDOW_S)
