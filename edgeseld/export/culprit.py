"""Which layer an exported model begins to drift in: prefixes of the network are exported, and the interval halved."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import Tensor, nn

from edgeseld.core.disk import temporary_folder
from edgeseld.core.errors import ExportError
from edgeseld.core.locate import MODEL_FILE
from edgeseld.core.manifest import GraphSpec, Manifest, Role, TensorSpec
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import read_toml
from edgeseld.export.bundle_writer import sha256
from edgeseld.export.exporting import exporter_of, runs_of
from edgeseld.export.graphs import Graph, example_pcm
from edgeseld.export.recipe import ExportRecipe, read_recipe, recipe_path
from edgeseld.nn.flow import Flow
from edgeseld.nn.freeze import frozen
from edgeseld.nn.graphs import output_names
from edgeseld.nn.network import SeldNetwork
from edgeseld.nn.weights import WEIGHTS_FILE, load_network
from edgeseld.runtime.backends import open_backend
from edgeseld.runtime.bundle import Bundle
from edgeseld.runtime.golden import golden_inputs, read_golden

# Mean absolute difference over the standard deviation of what the float layer says.
LIMITS = {"fp32": 1e-4, "fp16": 1e-2}
LOSSY_LIMIT = 0.1


@dataclass(frozen=True, slots=True)
class Drift:
    """What a layer of an export says against the float layer, on the worst golden case."""

    layer: str
    difference: float
    case: str


@dataclass(frozen=True, slots=True)
class Culprit:
    """The first layer beyond the limit, or none; all that was measured on the way, in network order."""

    layer: str | None
    limit: float
    measured: tuple[Drift, ...]


class Prefix(nn.Module):
    """The network up to and with one of its layers."""

    def __init__(self, network: SeldNetwork, last: str) -> None:
        super().__init__()
        self.network, self.last = network, last

    def forward(self, pcm: Tensor) -> tuple[Tensor, ...]:
        """PCM to what the last layer says."""
        for layer, values in _steps(self.network, pcm):
            if layer == self.last:
                return values
        raise ValueError(self.last)


def _steps(network: SeldNetwork, pcm: Tensor) -> Iterator[tuple[str, tuple[Tensor, ...]]]:
    """Layers and what they say, one after the other."""
    flow = Flow()
    x = network.frontend(pcm)
    yield "frontend", (x,)
    if network.stem is not None:
        x = network.stem(x, flow)
        yield "stem", (x,)
    for index, stage in enumerate(network.stages):
        x = stage(x, flow)
        yield f"stages.{index}", (x,)
    x = network.projection(x, flow)
    yield "projection", (x,)
    for index, block in enumerate(network.context):
        x = block(x, flow)
        yield f"context.{index}", (x,)
    output = network.head(network.to_label_frames(x), flow)
    yield "head", tuple(output[name] for name in output_names(network.spec))


def find_culprit(bundle: Bundle, model: Path) -> Culprit:
    """Bisect the model of a folder, exported as the bundle was.

    ConfigError where the folder holds no model, ExportError where it is not the one that the bundle was made from.
    """
    manifest = bundle.manifest
    if sha256(model / WEIGHTS_FILE) != manifest.provenance.weights_sha256:
        raise ExportError(
            f"a drift is sought in the weights that {manifest.name} was made from, {model} holds others: "
            "name the right ones with --model, or export them again"
        )
    recipe = read_recipe(recipe_path(manifest.target, manifest.precision))
    network = frozen(load_network(read_toml(model / MODEL_FILE, ModelFile), model / WEIGHTS_FILE))
    cases = golden_inputs(msgspec.structs.replace(manifest, input="waveform"), read_golden(bundle.folder))
    with torch.no_grad():
        layers = [layer for layer, _ in _steps(network, example_pcm(network.spec.signal))]
    limit = LIMITS.get(manifest.precision, LOSSY_LIMIT)
    return bisect(layers, lambda layer: _drift(network, layer, manifest, recipe, cases), limit)


def bisect(layers: list[str], measure: Callable[[str], Drift], limit: float) -> Culprit:
    """First of the layers whose drift is above the limit, if that of the last one is; a drift stays once begun."""
    measured = {layers[-1]: measure(layers[-1])}
    if not measured[layers[-1]].difference > limit:
        return Culprit(None, limit, tuple(measured.values()))
    low, high = 0, len(layers) - 1
    while low < high:
        middle = (low + high) // 2
        measured[layers[middle]] = measure(layers[middle])
        if measured[layers[middle]].difference > limit:
            high = middle
        else:
            low = middle + 1
    return Culprit(layers[low], limit, tuple(measured[layer] for layer in layers if layer in measured))


def _drift(
    network: SeldNetwork, layer: str, manifest: Manifest, recipe: ExportRecipe, cases: dict[str, np.ndarray]
) -> Drift:
    """Export the network up to a layer and run every golden case through it."""
    module = Prefix(network, layer).eval()
    pcm = example_pcm(network.spec.signal)
    with torch.no_grad():
        shapes = [tuple(tensor.shape) for tensor in module(pcm)]
    outputs = tuple(TensorSpec(name=f"value_{i}", shape=shape, meaning=layer) for i, shape in enumerate(shapes))
    inputs = (TensorSpec(name="pcm", shape=tuple(pcm.shape), meaning="audio"),)
    graphs: dict[Role, Graph] = {"full": Graph(module, inputs, outputs, (pcm,))}
    with temporary_folder() as folder:
        # The frontend alone is float32 at every precision.
        alone = msgspec.structs.replace(recipe, precision="fp32") if layer == "frontend" else recipe
        files = exporter_of(recipe.target)(graphs, alone, folder, runs_of(graphs, network, alone, None))
        spec = GraphSpec(file=files["full"][0], entry=files["full"][1], inputs=inputs, outputs=outputs)
        partial = msgspec.structs.replace(manifest, graphs={"full": spec})
        backend = open_backend(Bundle(folder, partial))
        return max(
            (_difference(layer, case, module, backend.run("full", [array]), array) for case, array in cases.items()),
            key=lambda drift: drift.difference,
        )


def _difference(layer: str, case: str, module: nn.Module, heard: list[np.ndarray], pcm: np.ndarray) -> Drift:
    with torch.no_grad():
        expected = [tensor.numpy() for tensor in module(torch.from_numpy(pcm))]
    worst = max(
        float(np.abs(ours - theirs).mean() / max(float(theirs.std()), 1e-6))
        for ours, theirs in zip(heard, expected, strict=True)
    )
    return Drift(layer, worst if np.isfinite(worst) else float("inf"), case)
