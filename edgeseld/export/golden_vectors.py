"""Making golden vectors: what the float torch model says to inputs that any runtime can make for itself."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from edgeseld.core.atomic import atomic_file
from edgeseld.core.errors import ExportError
from edgeseld.core.manifest import Manifest, Role
from edgeseld.core.spec import SignalSpec
from edgeseld.data.synth.builtin import builtin_sound
from edgeseld.export.channel_formats import in_format
from edgeseld.export.graphs import Graph
from edgeseld.nn.frontend import Frontend
from edgeseld.runtime.decode import decode
from edgeseld.runtime.golden import SCENE_SCALE, golden_inputs
from edgeseld.runtime.masks import draw_masks
from edgeseld.signal.ambisonics import foa_gains

LARGEST_BYTES = 1_500_000
# Monte Carlo samples that are kept: wrong masks show in the first ones as in all.
KEPT_SAMPLES = 4
# Kind of built-in sound, onset in s, azimuth and elevation in degrees of the golden scene.
SCENE_EVENTS = (("bell", 0.3, 60.0, 20.0), ("knock", 1.6, -45.0, 0.0), ("male_speech", 2.4, 150.0, -10.0))
SCENE_PEAK = 0.2
SCENE_NOISE = 1e-3


def golden_scene(signal: SignalSpec) -> np.ndarray:
    """Three built-in sounds in the open, with sensor noise: (channels, context + window samples) int16."""
    samples = signal.context_samples + signal.window_pcm_samples
    scene = np.random.default_rng(0).normal(0.0, SCENE_NOISE, (4, samples))
    for number, (kind, onset_s, azimuth_deg, elevation_deg) in enumerate(SCENE_EVENTS):
        onset = int(onset_s * signal.sample_rate_hz) * signal.window_frames // 50
        sound = builtin_sound(kind, (0, number))[: samples - onset]
        peak = SCENE_PEAK / max(float(np.abs(sound).max()), 1e-9)
        scene[:, onset : onset + sound.size] += foa_gains(azimuth_deg, elevation_deg)[:, np.newaxis] * sound * peak
    heard = in_format(scene.astype(np.float32), signal.channel_format)
    return np.round(np.clip(heard, -1.0, 1.0) * (SCENE_SCALE - 1)).astype(np.int16)


def golden_tensors(manifest: Manifest, graphs: Mapping[Role, Graph]) -> dict[str, np.ndarray]:
    """All tensors of golden.safetensors; the keys are documented in runtime/golden.py."""
    scene = golden_scene(manifest.signal)
    tensors: dict[str, np.ndarray] = {"scene": scene}
    if manifest.input == "features":
        pcm = torch.from_numpy(scene.astype(np.float32) / SCENE_SCALE).unsqueeze(0)
        tensors = {"features": _frontend(graphs)(pcm).numpy()}
    for case, array in golden_inputs(manifest, tensors).items():
        for name, value in _run(graphs["full"], array).items():
            if name != "embedding" or case == "scene":
                tensors[f"{case}/full/{name}"] = value
    if manifest.monte_carlo is not None:
        masks = draw_masks(manifest.monte_carlo.sites, 0, manifest.monte_carlo.chunk_samples, seed=0)
        for name, value in _run(graphs["head"], tensors["scene/full/embedding"], *masks).items():
            tensors[f"scene/head/{name}"] = value[:KEPT_SAMPLES]
    outputs = {spec.name: tensors[f"scene/full/{spec.name}"][0] for spec in graphs["full"].outputs}
    prediction = decode(outputs, manifest.output_format, manifest.classes)
    return tensors | {"scene/activity": prediction.activity, "scene/direction": prediction.direction}


def write_golden(tensors: Mapping[str, np.ndarray], path: Path) -> None:
    """Write golden.safetensors; ExportError where it grows beyond what belongs in a bundle."""
    size = sum(tensor.nbytes for tensor in tensors.values())
    if size > LARGEST_BYTES:
        raise ExportError(f"golden vectors may take {LARGEST_BYTES} bytes, got {size}: lower mc_chunk_samples")
    with atomic_file(path) as temporary:
        save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, temporary)


def _frontend(graphs: Mapping[Role, Graph]) -> Frontend:
    network = graphs["full"].module.network
    assert isinstance(network, torch.nn.Module)
    frontend = network.frontend
    assert isinstance(frontend, Frontend)
    return frontend


def _run(graph: Graph, *inputs: np.ndarray) -> dict[str, np.ndarray]:
    with torch.no_grad():
        values = graph.module(*(torch.from_numpy(array) for array in inputs))
    return {spec.name: value.numpy() for spec, value in zip(graph.outputs, values, strict=True)}
