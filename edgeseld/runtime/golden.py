"""Golden vectors: inputs that any runtime makes for itself by formula, one made scene, and the float model's answers.

Keys of golden.safetensors: `scene` (channels, samples) int16, full scale 32768, or `features` where the bundle takes
features; `CASE/full/OUTPUT` raw outputs of the float torch model; `scene/head/OUTPUT` those of the first few samples of
the first Monte Carlo chunk with seed 0; `scene/activity`, `scene/direction` decoded, before unification.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from edgeseld.core.errors import BundleError
from edgeseld.core.frames import LABEL_FRAME_SAMPLES, SAMPLE_RATE_HZ
from edgeseld.core.manifest import GOLDEN_FILE, Interface, Manifest
from edgeseld.core.prediction import Float32
from edgeseld.runtime.backends import Backend
from edgeseld.runtime.bundle import Bundle
from edgeseld.runtime.masks import draw_masks
from edgeseld.runtime.passes import Graphs
from edgeseld.runtime.philox import philox4x32
from edgeseld.runtime.stepping import Stepper

SCENE_SCALE = 32_768
SINE_HZ = 1_000
QUIET = 1e-3
DC = 0.5
NOISE_PEAK = 0.1


@dataclass(frozen=True, slots=True)
class Replay:
    """What a backend says to a golden case, and what the float model says: arrays (batch, frames, ...) by name."""

    name: str
    outputs: dict[str, Float32]
    expected: dict[str, Float32]


def formula_cases(channels: int, samples: int) -> dict[str, Float32]:
    """Extremes (1, channels, samples): sine of 1 kHz at 0 dBFS and at -60 dBFS, silence, DC, noise.

    The noise of sample n in channel c is 0.1 (2 (word >> 8) / 2^24 - 1) of word n mod 4 of Philox counter
    (n div 4, c, 0, 0), key 0.
    """
    sine = np.sin(2 * np.pi * SINE_HZ / SAMPLE_RATE_HZ * np.arange(samples))
    counter = np.zeros((channels, -(-samples // 4), 4), np.uint32)
    counter[..., 0] = np.arange(counter.shape[1])
    counter[..., 1] = np.arange(channels)[:, np.newaxis]
    words = philox4x32(counter, (0, 0)).reshape(channels, -1)[:, :samples]
    cases = {
        "sine": np.tile(sine, (channels, 1)),
        "quiet": np.tile(QUIET * sine, (channels, 1)),
        "silence": np.zeros((channels, samples)),
        "dc": np.full((channels, samples), DC),
        "noise": NOISE_PEAK * (2.0 * (words >> np.uint32(8)) / 2**24 - 1.0),
    }
    return {name: case[np.newaxis].astype(np.float32) for name, case in cases.items()}


def read_golden(folder: Path) -> dict[str, Float32]:
    """Tensors of golden.safetensors; BundleError where it cannot be read."""
    try:
        return load_file(folder / GOLDEN_FILE)
    except Exception as error:
        raise BundleError(f"{folder / GOLDEN_FILE} cannot be read ({error}): export the bundle again") from error


def golden_inputs(manifest: Interface, golden: dict[str, Float32]) -> dict[str, Float32]:
    """Inputs of the graph `full` by case, the scene first."""
    if manifest.input == "features":
        return {"scene": golden["features"]}
    scene = golden["scene"].astype(np.float32)[np.newaxis] / np.float32(SCENE_SCALE)
    return {"scene": scene} | formula_cases(*scene.shape[1:])


def replay(manifest: Manifest, backend: Backend, golden: dict[str, Float32]) -> Iterator[Replay]:
    """Every golden case through every graph of the bundle, the scene through `full` first.

    The Monte Carlo samples of the scene run through `head`. `frontend` with `encoder`, and the steps of `stream`, must
    say of the scene what `full` says.
    """
    graphs = Graphs(manifest, backend)
    for case, array in golden_inputs(manifest, golden).items():
        outputs = graphs.run("full", array)
        expected = {name: golden[f"{case}/full/{name}"] for name in outputs if f"{case}/full/{name}" in golden}
        yield Replay(case, {name: outputs[name] for name in expected}, expected)
    if manifest.monte_carlo is not None:
        masks = draw_masks(manifest.monte_carlo.sites, 0, manifest.monte_carlo.chunk_samples, seed=0)
        chunk = graphs.run("head", golden["scene/full/embedding"], *masks)
        expected = {name: golden[f"scene/head/{name}"] for name in chunk}
        yield Replay("scene, samples", {name: chunk[name][: len(few)] for name, few in expected.items()}, expected)
    scene = {spec.name: golden[f"scene/full/{spec.name}"] for spec in manifest.graphs["full"].outputs}
    if "encoder" in manifest.graphs:
        yield Replay("scene, shared frontend", graphs.run("encoder", _scene_features(graphs, golden)), scene)
    if "stream" in manifest.graphs:
        yield Replay("scene, stream", _scene_steps(graphs, golden), scene)


def _scene_features(graphs: Graphs, golden: dict[str, Float32]) -> Float32:
    """Features of the scene from the frontend graph, which is longer than a window."""
    signal = graphs.interface.signal
    spare_hops = graphs.interface.graphs["frontend"].outputs[0].shape[2] - signal.window_hops
    before = spare_hops // 2
    margins = ((0, 0), (0, 0), (before * signal.hop_samples, (spare_hops - before) * signal.hop_samples))
    pcm = np.pad(golden_inputs(graphs.interface, golden)["scene"], margins)
    features = graphs.run("frontend", pcm)["features"]
    return np.ascontiguousarray(features[:, :, before : before + signal.window_hops])


def _scene_steps(graphs: Graphs, golden: dict[str, Float32]) -> dict[str, Float32]:
    """The scene frame by frame."""
    stepper, signal = Stepper(graphs), graphs.interface.signal
    scene = golden_inputs(graphs.interface, golden)["scene"]
    width = signal.context_samples + LABEL_FRAME_SAMPLES
    starts = range(0, signal.window_pcm_samples, LABEL_FRAME_SAMPLES)
    steps = [stepper.step(np.ascontiguousarray(scene[:, :, start : start + width])) for start in starts]
    return {name: np.concatenate([step[name] for step in steps], axis=1) for name in steps[0]}


def self_test(bundle: Bundle, backend: Backend, *, strict: bool) -> None:
    """Compare the backend with the float model: the scene alone, or (strict) all cases through all graphs.

    BundleError where an output strays further than the manifest's tolerance.
    """
    tolerance = bundle.manifest.tolerance
    for case in replay(bundle.manifest, backend, read_golden(bundle.folder)):
        for name, expected in case.expected.items():
            error = float(np.abs(case.outputs[name] - expected).max())
            if name != "embedding" and not error <= tolerance.raw_max:
                raise BundleError(
                    f"{bundle.manifest.name} must repeat its golden vectors within {tolerance.raw_max:g}, got "
                    f"{error:.3g} on {case.name!r}, {name}: this machine's runtime computes something else; update it"
                )
        if not strict:
            return
