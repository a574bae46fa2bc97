"""`edgeseld.load`: a model by id, training run or bundle, ready to hear."""

import importlib
from pathlib import Path
from typing import Literal

import numpy as np

from edgeseld.core.errors import AudioFormatError, BackendMissingError, BundleError, ConfigError
from edgeseld.core.locate import MODEL_FILE, find_model, released_bundle
from edgeseld.core.manifest import Interface, bundle_name
from edgeseld.core.prediction import Float32, Prediction
from edgeseld.runtime.backends import Backend, open_backend
from edgeseld.runtime.bundle import SUFFIX, open_bundle
from edgeseld.runtime.calibrate import calibration_of
from edgeseld.runtime.golden import self_test
from edgeseld.runtime.hearing import hear_once, hear_samples, hear_shifts
from edgeseld.runtime.interpret import finish
from edgeseld.runtime.passes import Graphs, MonteCarlo
from edgeseld.runtime.streaming.engines import FrameEngine, WindowEngine
from edgeseld.runtime.streaming.stream import Stream

DEFAULT_HOP_FRAMES = 5

SelfTest = Literal["strict", "quick", "off"]


class Model:
    """A model on its backend; threads may share it."""

    def __init__(self, interface: Interface, backend: Backend) -> None:
        self.interface, self.backend = interface, backend
        self._graphs = Graphs(interface, backend, calibration_of(interface))

    def predict(self, audio: Float32, *, mc_samples: int = 0, time_shifts: int = 1, seed: int = 0) -> Prediction:
        """Hear audio (channels, samples) float32 at 24 kHz, full scale 1; silence stands before its start.

        `mc_samples` N > 0 draws N dropout samples with masks of `seed`; `time_shifts` K > 1, odd, hears the audio at K
        shifts of 30 ms; both together hear K x N passes. Either gives the Prediction its uncertainty and makes
        activity and direction means over the passes (docs/uncertainty.md); without them it is the deterministic pass.

        Returns a Prediction on the 100 ms grid, ceil(samples / 2400) frames, near tracks unified. AudioFormatError for
        another number of channels, no samples, or samples that are not finite; ConfigError for impossible numbers of
        passes; BundleError where the model lacks the graphs for them.
        """
        self._check(audio)
        audio = audio.astype(np.float32, copy=False)
        if time_shifts != 1:
            prediction = hear_shifts(self._graphs, audio, time_shifts, mc_samples, seed)
        elif mc_samples:
            prediction = hear_samples(self._graphs, audio, mc_samples, seed)
        else:
            prediction = hear_once(self._graphs, audio)
        return finish(prediction, self.interface, self._graphs.calibration)

    def stream(
        self, *, hop_frames: int | None = None, lookahead_frames: int = 0, mc_samples: int = 0, seed: int = 0
    ) -> Stream:
        """A live stream, to be fed with blocks of any size (runtime/streaming/stream.py).

        A causal model goes from label frame to label frame. Any other slides its window on by `hop_frames` (5 by
        default, 0.5 s) and gives out frames that lie `lookahead_frames` before the end of the window: more of them
        means better heard and later. `mc_samples` gives every frame its uncertainty. ConfigError and BundleError as
        for `predict`.
        """
        monte_carlo = MonteCarlo(self._graphs, mc_samples, seed) if mc_samples else None
        if "stream" not in self.interface.graphs:
            hop_frames = DEFAULT_HOP_FRAMES if hop_frames is None else hop_frames
            return Stream(self._graphs, WindowEngine(self._graphs, hop_frames, lookahead_frames, monte_carlo))
        if hop_frames is not None or lookahead_frames:
            raise ConfigError(f"{self.interface.id} goes frame by frame: leave out hop_frames and lookahead_frames")
        return Stream(self._graphs, FrameEngine(self._graphs, monte_carlo))

    def _check(self, audio: Float32) -> None:
        channels = self.interface.signal.channels
        if audio.ndim != 2 or audio.shape[0] != channels:
            raise AudioFormatError(
                f"{self.interface.id} hears {self.interface.signal.channel_format} audio ({channels}, samples), "
                f"got shape {audio.shape}: convert it, or choose another model"
            )
        if self.interface.input != "waveform":
            raise BundleError(f"{self.interface.id} takes features, not audio: export it with --input waveform")
        if audio.shape[1] == 0 or not np.isfinite(audio).all():
            found = "no samples" if audio.shape[1] == 0 else "NaN or infinite ones"
            raise AudioFormatError(f"audio needs finite samples, got {found}: repair the recording")


def load(
    model: str | Path,
    *,
    threads: int = 1,
    backend: str | None = None,
    precision: str = "fp32",
    check: SelfTest = "quick",
    allow_drift: bool = False,
) -> Model:
    """Load a model id, a training run, a bundle folder or its zip.

    An id means its released bundle for `backend` (default onnx) at `precision`; a folder with model.toml and weights
    runs on torch (`backend="torch"`, or where there is no bundle). `check` runs the golden self-test: "quick" one case,
    "strict" all, "off" none. ConfigError and BundleError say what is wrong; BackendMissingError what to install.
    """
    path = find_model(str(model))
    if (path / MODEL_FILE).exists():
        target = backend or "onnx"
        released = released_bundle(path, target, precision)
        if backend == "torch" or (backend is None and precision == "fp32" and released is None):
            return _load_torch(path, threads)
        if released is None:
            raise ConfigError(
                f"{path.name} has no released bundle {bundle_name(path.name, target, precision)}{SUFFIX}: export it, "
                "or name another backend"
            )
        path = released
    bundle = open_bundle(path, allow_drift=allow_drift)
    if backend is not None and backend != bundle.manifest.target:
        raise ConfigError(
            f"{bundle.manifest.name} is for {bundle.manifest.target}, got --backend {backend}: leave it out"
        )
    running = open_backend(bundle, threads=threads)
    if check != "off":
        self_test(bundle, running, strict=check == "strict")
    return Model(bundle.manifest, running)


def _load_torch(folder: Path, threads: int) -> Model:
    """Weights on torch, which lives above this room and is loaded only here."""
    try:
        open_torch = importlib.import_module("edgeseld.export.torch_backend").open_torch
    except ModuleNotFoundError as error:
        raise BackendMissingError(f"{folder} has no bundle, and running its weights", "train") from error
    interface, backend = open_torch(folder, threads)
    return Model(interface, backend)
