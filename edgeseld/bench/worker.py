"""One bundle in a process of its own: loads it, then runs once per line on stdin and answers in JSON lines."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgeseld.bench.memory import peak_bytes, reset_peak, resident_bytes


def main() -> None:
    """`python -m edgeseld.bench.worker MODEL THREADS`; answers "ready", then one line per request, "run" or "quit"."""
    model_path, threads = sys.argv[1], int(sys.argv[2])
    import numpy as np

    from edgeseld.runtime.backends import open_backend
    from edgeseld.runtime.bundle import open_bundle
    from edgeseld.runtime.model import Model

    bundle = open_bundle(Path(model_path))
    bare = _import_runtime(bundle.manifest.target)
    reset_peak()
    started = time.perf_counter()
    model = Model(bundle.manifest, open_backend(bundle, threads=threads))
    signal = bundle.manifest.signal
    audio = np.random.default_rng(0).normal(0.0, 0.05, (signal.channels, signal.window_pcm_samples)).astype(np.float32)
    loaded = time.perf_counter()
    model.predict(audio).events()
    first = time.perf_counter()
    _answer(event="ready", load_s=loaded - started, first_s=first - loaded, window_s=audio.shape[1] / 24_000)
    for line in sys.stdin:
        if line.strip() == "quit":
            _answer(event="done", memory_bytes=peak_bytes() - bare)
            return
        _answer(event="run", **_stages(model, audio))


def _import_runtime(target: str) -> int:
    """Resident memory with the runtime's library loaded and no model."""
    import importlib

    from edgeseld.runtime.backends import BACKENDS

    importlib.import_module(BACKENDS[target][0].partition(":")[0])
    return resident_bytes()


def _stages(model: Any, audio: Any) -> dict[str, float]:
    """Seconds from PCM to events, and of the graph alone and the frontend alone where the bundle has one."""
    import numpy as np

    from edgeseld.runtime.windows import cut_windows

    window = cut_windows(audio, model.interface.signal)[:1]
    stages = {"total_s": _seconds(lambda: model.predict(audio).events())}
    if model.interface.input == "waveform":
        stages["graph_s"] = _seconds(lambda: model.backend.run("full", [window]))
    if "frontend" in model.interface.graphs:
        # The frontend graph takes a window with margins for time shifts.
        shape = model.interface.graphs["frontend"].inputs[0].shape
        longer = np.resize(window, shape)
        stages["frontend_s"] = _seconds(lambda: model.backend.run("frontend", [longer]))
    return stages


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _answer(**values: Any) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
