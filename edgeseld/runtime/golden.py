"""Golden vectors: inputs that any runtime makes for itself by formula, one made scene, and the float model's answers.

Keys of golden.safetensors: `scene` (channels, samples) int16, full scale 32768, or `features` where the bundle takes
features; `CASE/full/OUTPUT` raw outputs of the float torch model; `scene/head/OUTPUT` those of the first Monte Carlo
chunk with seed 0; `scene/activity`, `scene/direction` decoded, before unification.
"""

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from edgeseld.core.errors import BundleError
from edgeseld.core.frames import SAMPLE_RATE_HZ
from edgeseld.core.manifest import GOLDEN_FILE, Manifest
from edgeseld.core.prediction import Float32
from edgeseld.runtime.backends import Backend
from edgeseld.runtime.bundle import Bundle
from edgeseld.runtime.philox import philox4x32

SCENE_SCALE = 32_768
SINE_HZ = 1_000
QUIET = 1e-3
DC = 0.5
NOISE_PEAK = 0.1


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


def golden_inputs(manifest: Manifest, golden: dict[str, Float32]) -> dict[str, Float32]:
    """Inputs of the graph `full` by case, the scene first."""
    if manifest.input == "features":
        return {"scene": golden["features"]}
    scene = golden["scene"].astype(np.float32)[np.newaxis] / np.float32(SCENE_SCALE)
    return {"scene": scene} | formula_cases(*scene.shape[1:])


def self_test(bundle: Bundle, backend: Backend, *, strict: bool) -> None:
    """Compare the backend with the float model: the scene alone, or (strict) all cases.

    BundleError where an output strays further than the manifest's tolerance.
    """
    golden = read_golden(bundle.folder)
    tolerance = bundle.manifest.tolerance
    for case, array in golden_inputs(bundle.manifest, golden).items():
        for spec, output in zip(bundle.graph("full").outputs, backend.run("full", [array]), strict=True):
            expected = golden.get(f"{case}/full/{spec.name}")
            error = 0.0 if expected is None else float(np.abs(output - expected).max())
            if not error <= tolerance.raw_max:
                raise BundleError(
                    f"{bundle.manifest.name} must repeat its golden vectors within {tolerance.raw_max:g}, got "
                    f"{error:.3g} on {case!r}, {spec.name}: this machine's runtime computes something else; update it"
                )
        if not strict:
            return
