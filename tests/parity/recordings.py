"""Recorded passes that every language repeats: `python -m tests.parity.recordings` writes tests/golden/hearing.

A recording is a made-up model whose backend answers by rote: what it was asked (hashes of its inputs, in order), what
it answered, and what the host made of it. A runtime in another language plays the answers back, must ask the same,
and must make the same of it: windows, masks, shifted features, states, alignment, aggregation, calibration,
unification, events.

The audio is the noise of runtime/golden.py at ten times its level.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from safetensors.numpy import save_file

from edgeseld.core.events import SeldEvent
from edgeseld.core.manifest import (
    CalibrationSpec,
    GraphSpec,
    Interface,
    Manifest,
    MaskSiteSpec,
    MonteCarloSpec,
    ProvenanceSpec,
    Role,
    TensorSpec,
    ToleranceSpec,
)
from edgeseld.core.prediction import Float32, Prediction
from edgeseld.core.spec import OutputFormat, SignalSpec, TrackingSpec
from edgeseld.core.structs import Frozen
from edgeseld.runtime.golden import formula_cases
from edgeseld.runtime.model import Model

GOLDEN = Path(__file__).parent.parent / "golden" / "hearing"
CLASSES = ("bell", "knock")
SIGNAL = SignalSpec(n_fft=512, window="tapered", window_samples=512, mel_bands=3, window_frames=6)
CHUNK_SAMPLES = 4
WIDTH = 5
MAPS = 2
TILE_FRAMES = 40
AUDIO_SAMPLES = 33_000
SITES = (
    MaskSiteSpec(name="head.0", channels=5, rate=0.2),
    MaskSiteSpec(name="head.1", channels=9, rate=0.0),
)
CALIBRATION = CalibrationSpec(
    data="none", temperature={"bell": 1.4}, bias={"bell": 0.3, "knock": -0.2}, spread_factor=1.3
)


@dataclass(frozen=True)
class Recipe:
    """A made-up model and the passes it is heard with."""

    format: OutputFormat
    mc_samples: int = 0
    time_shifts: int = 1
    streams: bool = False
    distance: bool = False
    calibrated: bool = False


RECIPES = {
    "multi-accdoa-once": Recipe("multi-accdoa", distance=True),
    "multi-accdoa-samples": Recipe("multi-accdoa", mc_samples=10, calibrated=True),
    "multi-accdoa-shifts": Recipe("multi-accdoa", time_shifts=5, distance=True, calibrated=True),
    "multi-accdoa-both": Recipe("multi-accdoa", mc_samples=10, time_shifts=5, distance=True),
    "multi-accdoa-stream": Recipe("multi-accdoa", mc_samples=3, time_shifts=3, streams=True, calibrated=True),
    "accdoa-both": Recipe("accdoa", mc_samples=4, time_shifts=3),
    "sed-doa-once": Recipe("sed-doa", calibrated=True),
    "sed-doa-both": Recipe("sed-doa", mc_samples=5, time_shifts=3, distance=True, calibrated=True),
    "sed-both": Recipe("sed", mc_samples=5, time_shifts=3),
}


class Call(Frozen, frozen=True, kw_only=True):
    """One question to the backend: SHA-256 of its inputs, float32, little endian."""

    role: Role
    inputs: tuple[str, ...]


def call_of(role: Role, inputs: Sequence[Float32]) -> Call:
    """The question as it is written down."""
    hashes = (hashlib.sha256(np.ascontiguousarray(array, "<f4").tobytes()).hexdigest() for array in inputs)
    return Call(role=role, inputs=tuple(hashes))


class Recording(Frozen, frozen=True, kw_only=True):
    """NAME.json; NAME.safetensors holds `call/I/OUTPUT` and the arrays of the prediction."""

    manifest: Manifest
    audio_samples: int
    mc_samples: int
    time_shifts: int
    seed: int
    calls: tuple[Call, ...]
    events: tuple[SeldEvent, ...]


@dataclass
class Rote:
    """A backend that makes its answers up and remembers them."""

    interface: Interface
    generator: np.random.Generator
    calls: list[Call] = field(default_factory=list)
    answers: dict[str, Float32] = field(default_factory=dict)

    def run(self, role: Role, inputs: Sequence[Float32]) -> list[Float32]:
        """Outputs of a graph in the manifest's order."""
        graph = self.interface.graphs[role]
        expected = [tensor.shape for tensor in graph.inputs]
        assert [array.shape for array in inputs] == expected, f"{role} takes {expected}"
        outputs = [self._answer(tensor) for tensor in graph.outputs]
        self.answers |= {f"call/{len(self.calls)}/{t.name}": a for t, a in zip(graph.outputs, outputs, strict=True)}
        self.calls.append(call_of(role, inputs))
        return outputs

    def _answer(self, tensor: TensorSpec) -> Float32:
        noise = self.generator.normal(0.0, 0.1, tensor.shape)
        if tensor.name == "activity":
            noise = np.clip(0.5 + 4.0 * noise, 0.0, 1.0)
        elif tensor.name == "accdoa":
            noise += self._tracks(tensor.shape)
        elif tensor.name == "vectors":
            noise += np.array([0.5, -0.3, 0.1])[:, np.newaxis]
        return noise.astype(np.float32)

    def _tracks(self, shape: tuple[int, ...]) -> np.ndarray:
        """Vectors (batch, frames, tracks, axes, classes): two tracks that are often one source, in changing order."""
        batch, frames, tracks, axes, classes = shape
        base = np.array([[0.6, 0.4, 0.1, 2.0], [0.5, 0.55, 0.1, 2.2], [-0.4, 0.2, -0.3, 1.0]])[:tracks, :axes]
        order = self.generator.permuted(np.tile(np.arange(tracks), (batch * frames * classes, 1)), axis=1)
        placed = base[order].reshape(batch, frames, classes, tracks, axes)
        return np.transpose(placed, (0, 1, 3, 4, 2))


def manifest_of(recipe: Recipe) -> Manifest:
    """The manifest of a made-up model."""
    pcm = SIGNAL.context_samples
    full = _outputs(recipe, 1, SIGNAL.window_frames)
    embedding = _tensor("embedding", 1, SIGNAL.window_frames, WIDTH)
    masks = [_tensor(f"mask_{i}", CHUNK_SAMPLES, 1, site.channels) for i, site in enumerate(SITES)]
    features = _tensor("features", 1, MAPS, TILE_FRAMES, SIGNAL.mel_bands)
    window = _tensor("features", 1, MAPS, SIGNAL.window_hops, SIGNAL.mel_bands)
    graphs: dict[Role, GraphSpec] = {
        "full": _graph([_tensor("pcm", 1, 4, pcm + SIGNAL.window_pcm_samples)], [*full, embedding]),
        "head": _graph([embedding, *masks], _outputs(recipe, CHUNK_SAMPLES, SIGNAL.window_frames)),
    }
    if recipe.streams:
        frame = [*_outputs(recipe, 1, 1), _tensor("embedding", 1, 1, WIDTH)]
        state, next_state = _tensor("state_0", 1, 7), _tensor("next_state_0", 1, 7)
        graphs["stream"] = _graph([_tensor("pcm", 1, 4, pcm + 2_400), state], [*frame, next_state])
    else:
        graphs["frontend"] = _graph([_tensor("pcm", 1, 4, pcm + TILE_FRAMES * SIGNAL.hop_samples)], [features])
        graphs["encoder"] = _graph([window], [*full, embedding])
    return Manifest(
        id="by-rote",
        signal=SIGNAL,
        context_samples=SIGNAL.context_samples,
        output_format=recipe.format,
        classes=CLASSES,
        tracking=TrackingSpec(class_thresholds={"knock": 0.45}),
        graphs=graphs,
        monte_carlo=MonteCarloSpec(sites=SITES, chunk_samples=CHUNK_SAMPLES),
        calibration=CALIBRATION if recipe.calibrated else None,
        version="0.0.1",
        description="answers by rote",
        licence="MIT",
        target="onnx",
        precision="fp32",
        verified=True,
        tolerance=ToleranceSpec(raw_max=1.0, raw_mean=1.0, changed_frames=1.0, direction_deg=1.0),
        provenance=ProvenanceSpec(sources_sha256="0" * 64, weights_sha256="0" * 64, tools={}),
    )


def record(recipe: Recipe, seed: int) -> tuple[Recording, dict[str, Float32]]:
    """Hear with a made-up model; what was asked and answered, and what came of it."""
    manifest = manifest_of(recipe)
    rote = Rote(manifest, np.random.default_rng(seed))
    audio = formula_cases(4, AUDIO_SAMPLES)["noise"][0]
    passes = {"mc_samples": recipe.mc_samples, "time_shifts": recipe.time_shifts, "seed": seed}
    prediction = Model(manifest, rote).predict(audio, **passes)
    recording = Recording(
        manifest=manifest, audio_samples=AUDIO_SAMPLES, calls=tuple(rote.calls), events=prediction.events(), **passes
    )
    return recording, rote.answers | prediction_arrays(prediction)


def prediction_arrays(prediction: Prediction) -> dict[str, Float32]:
    """The arrays of a prediction by name."""
    arrays: dict[str, Any] = {"activity": prediction.activity, "direction": prediction.direction}
    if prediction.distance_m is not None:
        arrays["distance_m"] = prediction.distance_m
    if prediction.uncertainty is not None:
        names = ("activity_std", "entropy", "mutual_information", "direction_spread_deg")
        arrays |= dict(zip(names, prediction.uncertainty.arrays(), strict=True))
    return {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}


def _outputs(recipe: Recipe, batch: int, frames: int) -> list[TensorSpec]:
    classes = len(CLASSES)
    if recipe.format in ("accdoa", "multi-accdoa"):
        tracks = 3 if recipe.format == "multi-accdoa" else 1
        return [_tensor("accdoa", batch, frames, tracks, 4 if recipe.distance else 3, classes)]
    outputs = [_tensor("activity", batch, frames, classes)]
    if recipe.format == "sed-doa":
        outputs.append(_tensor("vectors", batch, frames, 3, classes))
    if recipe.distance:
        outputs.append(_tensor("distance", batch, frames, classes))
    return outputs


def _tensor(name: str, *shape: int) -> TensorSpec:
    return TensorSpec(name=name, shape=shape, meaning=name)


def _graph(inputs: list[TensorSpec], outputs: list[TensorSpec]) -> GraphSpec:
    return GraphSpec(file="none", inputs=tuple(inputs), outputs=tuple(outputs))


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for number, (name, recipe) in enumerate(RECIPES.items()):
        recording, arrays = record(recipe, number)
        (GOLDEN / f"{name}.json").write_bytes(msgspec.json.encode(recording) + b"\n")
        save_file(arrays, GOLDEN / f"{name}.safetensors")
