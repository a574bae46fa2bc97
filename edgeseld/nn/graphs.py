"""The graphs that leave the machine: plain tensors in, plain tensors out, all from the one network definition."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from edgeseld.core.spec import ModelSpec
from edgeseld.nn.flow import Flow
from edgeseld.nn.network import SeldNetwork


def output_names(spec: ModelSpec) -> list[str]:
    """Names of the output tensors, in their order."""
    if spec.head.format in ("accdoa", "multi-accdoa"):
        return ["accdoa"]
    names = ["activity"] + (["vectors"] if spec.head.format == "sed-doa" else [])
    return names + (["distance"] if spec.head.distance else [])


class FullGraph(nn.Module):
    """PCM (batch, channels, context + samples), or features, to the outputs; no masks."""

    def __init__(self, network: SeldNetwork, *, from_features: bool = False) -> None:
        super().__init__()
        self.network, self.from_features = network, from_features

    def forward(self, signal: Tensor) -> tuple[Tensor, ...]:
        """One deterministic pass."""
        features = signal if self.from_features else self.network.frontend(signal)
        output = self.network.infer(features)
        return tuple(output[name] for name in output_names(self.network.spec))


class TrunkGraph(nn.Module):
    """PCM, or features, to the embedding shared by all Monte Carlo samples."""

    def __init__(self, network: SeldNetwork, *, from_features: bool = False) -> None:
        super().__init__()
        self.network, self.from_features = network, from_features

    def forward(self, signal: Tensor) -> Tensor:
        """(batch, channels, samples) to (batch, frames, width)."""
        features = signal if self.from_features else self.network.frontend(signal)
        return self.network.trunk(features, Flow())


class HeadGraph(nn.Module):
    """Embedding and one mask (samples, 1, channels) per site to the outputs of all samples."""

    def __init__(self, network: SeldNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, embedding: Tensor, *masks: Tensor) -> tuple[Tensor, ...]:
        """Embedding (1, frames, width) and masks to outputs with the batch of the masks."""
        sites = self.network.mask_sites()
        flow = Flow(masks={site.name: mask for site, mask in zip(sites, masks, strict=True)})
        output = self.network.decide(embedding, flow)
        return tuple(output[name] for name in output_names(self.network.spec))


class StreamGraph(nn.Module):
    """One step of a causal network: PCM of a label frame with its context, and the state, to outputs and new state."""

    def __init__(self, network: SeldNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, pcm: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        """Outputs of the frame, then as many state tensors as went in."""
        flow = Flow(past=iter(past))
        output = self.network.infer(self.network.frontend(pcm), flow)
        return (*(output[name] for name in output_names(self.network.spec)), *flow.kept)


def initial_state(network: SeldNetwork) -> list[Tensor]:
    """The state of silence before the start: zeros in the shapes that one step keeps."""
    signal = network.spec.signal
    pcm = torch.zeros(1, signal.channels, signal.context_samples + signal.hops_per_label_frame * signal.hop_samples)
    flow = Flow()
    with torch.no_grad():
        network.infer(network.frontend(pcm), flow)
    return [torch.zeros_like(kept) for kept in flow.kept]


def example_masks(network: SeldNetwork, samples: int) -> list[Tensor]:
    """All-ones masks: with them every sample is the deterministic pass."""
    return [torch.ones(samples, 1, site.channels) for site in network.mask_sites()]


def state_shapes(states: Iterable[Tensor]) -> list[tuple[int, ...]]:
    """Shapes of state tensors."""
    return [tuple(state.shape) for state in states]
