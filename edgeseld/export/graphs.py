"""What an exporter is given: graphs by role, with example inputs and the names and meanings of their tensors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from edgeseld.core.frames import LABEL_FRAME_SAMPLES
from edgeseld.core.manifest import GraphSpec, Interface, MaskSiteSpec, MonteCarloSpec, Role, TensorSpec
from edgeseld.core.spec import ModelSpec, SignalSpec
from edgeseld.nn.freeze import frozen
from edgeseld.nn.frontend import feature_channels
from edgeseld.nn.graphs import (
    EncoderGraph,
    FrontendGraph,
    FullGraph,
    HeadGraph,
    StreamGraph,
    example_masks,
    initial_state,
    output_names,
)
from edgeseld.nn.network import SeldNetwork

MEANINGS = {
    "accdoa": "activity-coupled vectors (batch, frames, tracks, axes, classes); axes x front, y left, z up[, metres]",
    "activity": "probability (batch, frames, classes)",
    "vectors": "direction (batch, frames, axes, classes); axes x front, y left, z up",
    "distance": "metres (batch, frames, classes)",
    "embedding": "what all Monte Carlo samples share (batch, frames, width)",
    "pcm": "audio at 24 kHz, full scale 1, its context before the window (batch, channels, samples)",
    "features": "standardised features (batch, maps, hops, mel bands)",
    "mask": "dropout mask (samples, 1, channels), 0 or 1 / (1 - rate)",
    "state": "what causal layers keep of the past, zeros at the start",
    "next_state": "the state of the same number after this frame",
}


# The frontend graph is longer than a window by this much on either side, so that one pass of it serves shifts by up to
# three steps of 30 ms; more shifts, and long files, are tiled.
SHIFT_MARGIN_SAMPLES = LABEL_FRAME_SAMPLES


@dataclass(frozen=True, slots=True)
class Graph:
    """One graph to export. The module takes the examples in order and returns one tensor per output."""

    module: nn.Module
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    examples: tuple[Tensor, ...]


def export_graphs(network: SeldNetwork, *, input_kind: str, mc_chunk: int, time_shifts: bool) -> dict[Role, Graph]:
    """The graphs of a network; `full` also gives the embedding, so it serves as `trunk` too.

    `head` is there where the network has mask sites; `stream` where the network is causal, which hears everything with
    it; `frontend` and `encoder` where other networks shall share a frontend between time shifts.
    """
    trained, network = network, frozen(network)
    signal = network.spec.signal
    pcm = example_pcm(signal)
    features = torch.zeros(1, feature_channels(signal), signal.window_hops, signal.mel_bands)
    outputs = [*output_names(network.spec), "embedding"]
    graphs: dict[Role, Graph] = {}
    if input_kind == "features":
        graphs["full"] = _graph(EncoderGraph(network), {"features": features}, outputs)
    else:
        graphs["full"] = _graph(FullGraph(network), {"pcm": pcm}, outputs)
    if network.mask_sites():
        graphs["head"] = _head(network, graphs["full"], mc_chunk)
    if input_kind == "waveform" and streams(network.spec):
        graphs["stream"] = _stream(trained, outputs)
    elif input_kind == "waveform" and time_shifts:
        margins = torch.zeros(1, signal.channels, 2 * SHIFT_MARGIN_SAMPLES)
        graphs["frontend"] = _graph(FrontendGraph(network), {"pcm": torch.cat([pcm, margins], dim=2)}, ["features"])
        graphs["encoder"] = _graph(EncoderGraph(network), {"features": features}, outputs)
    return graphs


def example_pcm(signal: SignalSpec) -> Tensor:
    """Silence of a window with its context, (1, channels, samples)."""
    return torch.zeros(1, signal.channels, signal.context_samples + signal.window_pcm_samples)


def interface(
    network: SeldNetwork,
    graphs: Mapping[Role, Graph],
    files: Mapping[Role, tuple[str, str | None]],
    *,
    input_kind: Literal["waveform", "features"] = "waveform",
    mc_chunk: int,
) -> Interface:
    """What a runtime must know; `files` holds file and entry point of each graph."""
    spec = network.spec
    return Interface(
        id=spec.id,
        signal=spec.signal,
        context_samples=spec.signal.context_samples,
        output_format=spec.head.format,
        classes=spec.classes,
        tracking=spec.tracking,
        input=input_kind,
        graphs={
            role: GraphSpec(file=files[role][0], entry=files[role][1], inputs=graph.inputs, outputs=graph.outputs)
            for role, graph in graphs.items()
        },
        monte_carlo=_monte_carlo(network, mc_chunk),
    )


def _monte_carlo(network: SeldNetwork, mc_chunk: int) -> MonteCarloSpec | None:
    """Mask sites of the network as the manifest states them."""
    sites = network.mask_sites()
    if not sites:
        return None
    listed = tuple(MaskSiteSpec(name=site.name, channels=site.channels, rate=site.rate) for site in sites)
    return MonteCarloSpec(sites=listed, chunk_samples=mc_chunk)


def _head(network: SeldNetwork, full: Graph, mc_chunk: int) -> Graph:
    embedding = full.module(*full.examples)[-1]
    masks = example_masks(network, mc_chunk)
    inputs = {"embedding": embedding} | {f"mask_{index}": mask for index, mask in enumerate(masks)}
    return _graph(HeadGraph(network), inputs, output_names(network.spec))


def streams(spec: ModelSpec) -> bool:
    """Whether a network can go on from frame to frame: causal convolutions, and attention to a bounded past."""
    return spec.network.causal and spec.network.context.left_frames is not None


def _stream(network: SeldNetwork, outputs: list[str]) -> Graph:
    """One label frame per call, the state as inputs and outputs."""
    signal = network.spec.signal
    frames = signal.hops_per_label_frame // network.spec.network.time_reduction()
    pcm = torch.zeros(1, signal.channels, signal.context_samples + LABEL_FRAME_SAMPLES)
    state = initial_state(network)
    inputs = {"pcm": pcm} | {f"state_{index}": tensor for index, tensor in enumerate(state)}
    names = [*outputs, *(f"next_state_{index}" for index in range(len(state)))]
    return _graph(StreamGraph(frozen(network, context_frames=frames)), inputs, names)


def _graph(module: nn.Module, inputs: dict[str, Tensor], output_names: list[str]) -> Graph:
    """Shapes of the outputs come from one pass."""
    module = module.eval()
    with torch.no_grad():
        outputs = module(*inputs.values())
    return Graph(
        module=module,
        inputs=tuple(_tensor(name, tensor) for name, tensor in inputs.items()),
        outputs=tuple(_tensor(name, tensor) for name, tensor in zip(output_names, outputs, strict=True)),
        examples=tuple(inputs.values()),
    )


def _tensor(name: str, tensor: Tensor) -> TensorSpec:
    """Numbered tensors, such as `mask_0`, share the meaning of their name."""
    return TensorSpec(name=name, shape=tuple(tensor.shape), meaning=MEANINGS[name.rstrip("_0123456789")])
