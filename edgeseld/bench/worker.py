"""One bundle in a process of its own: loads it, then runs once per line on stdin and answers in JSON lines."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from edgeseld.bench.memory import peak_bytes, reset_peak, resident_bytes

MEMORY_WINDOWS = 3
# Several threads that slept wake on one core and spread over the others only after some work.
SPREAD_S = 0.1


class StopwatchBackend:
    """A backend that counts the seconds spent in it."""

    def __init__(self, backend: Any) -> None:
        self.backend, self.seconds = backend, 0.0

    def run(self, role: Any, inputs: Sequence[Any]) -> Any:
        """Outputs of a graph."""
        started = time.perf_counter()
        try:
            return self.backend.run(role, inputs)
        finally:
            self.seconds += time.perf_counter() - started


def main() -> None:
    """`python -m edgeseld.bench.worker FOLDER THREADS`; answers "ready", then each "run" until stdin ends."""
    folder, threads = Path(sys.argv[1]), int(sys.argv[2])
    import numpy as np

    from edgeseld.runtime.backends import open_backend
    from edgeseld.runtime.bundle import open_bundle
    from edgeseld.runtime.model import Model

    bare = _import_runtime(open_bundle(folder).manifest.target)
    reset_peak()
    started = time.perf_counter()
    bundle = open_bundle(folder)
    backend = StopwatchBackend(open_backend(bundle, threads=threads))
    model = Model(bundle.manifest, backend)
    signal = bundle.manifest.signal
    audio = np.random.default_rng(0).normal(0.0, 0.05, (signal.channels, signal.window_pcm_samples)).astype(np.float32)
    loaded = time.perf_counter()
    model.predict(audio).events()
    first = time.perf_counter()
    # Before the graphs of single stages are opened, which nobody needs beside the whole one.
    for _ in range(MEMORY_WINDOWS):
        model.predict(audio).events()
    window_s = audio.shape[1] / signal.sample_rate_hz
    _answer(load_s=loaded - started, first_s=first - loaded, window_s=window_s, memory_bytes=peak_bytes() - bare)
    for _ in sys.stdin:
        _answer(**_stages(model, backend, audio, SPREAD_S if threads > 1 else 0.0))


def _import_runtime(target: str) -> int:
    """Resident memory with the runtime's library loaded and no model."""
    import importlib

    from edgeseld.runtime.backends import BACKENDS

    importlib.import_module(BACKENDS[target][0].partition(":")[0])
    return resident_bytes()


def _stages(model: Any, backend: StopwatchBackend, audio: Any, wake_s: float) -> dict[str, float]:
    """Seconds from PCM to events, of the runtime and of decoding inside them; of frontend and network apart.

    Uncounted windows come first, one at least, until `wake_s` have passed.
    """
    import numpy as np

    from edgeseld.runtime.windows import cut_windows

    # Caches and threads awake, as in a stream: those of a pool that slept through the other bundles' turns wake late.
    awake = time.perf_counter() + wake_s
    model.predict(audio)
    while time.perf_counter() < awake:
        model.predict(audio)
    backend.seconds = 0.0
    total_s = _seconds(lambda: model.predict(audio).events())
    stages = {"total_s": total_s, "graph_s": backend.seconds, "decoding_s": total_s - backend.seconds}
    graphs = model.interface.graphs
    if "frontend" in graphs and "encoder" in graphs:
        # The frontend graph is longer than a window, by margins for time shifts.
        longer = np.resize(cut_windows(audio, model.interface.signal)[:1], graphs["frontend"].inputs[0].shape)
        features = np.zeros(graphs["encoder"].inputs[0].shape, np.float32)
        share = features.shape[2] / graphs["frontend"].outputs[0].shape[2]
        stages["frontend_s"] = share * _seconds(lambda: backend.run("frontend", [longer]))
        stages["network_s"] = _seconds(lambda: backend.run("encoder", [features]))
    return stages


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _answer(**values: float) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
