"""The graphs that leave the machine: plain tensors in, plain tensors out, all from the one network definition."""

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


class EncoderGraph(nn.Module):
    """Features to the outputs of the deterministic pass, and the embedding that Monte Carlo samples share."""

    def __init__(self, network: SeldNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: Tensor) -> tuple[Tensor, ...]:
        """(batch, maps, hops, mel_bands) to outputs, then the embedding (batch, frames, width)."""
        embedding = self.network.trunk(features, Flow())
        output = self.network.decide(embedding, Flow())
        return (*(output[name] for name in output_names(self.network.spec)), embedding)


class FrontendGraph(nn.Module):
    """PCM to standardised features."""

    def __init__(self, network: SeldNetwork) -> None:
        super().__init__()
        self.frontend = network.frontend

    def forward(self, pcm: Tensor) -> tuple[Tensor]:
        """(batch, channels, context + samples) to (batch, maps, hops, mel_bands)."""
        return (self.frontend(pcm),)


class FullGraph(EncoderGraph):
    """PCM to the outputs of the deterministic pass, and the embedding."""

    def forward(self, pcm: Tensor) -> tuple[Tensor, ...]:
        """(batch, channels, context + samples) to outputs, then the embedding."""
        return super().forward(self.network.frontend(pcm))


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
        """Outputs of the frame, its embedding (1, 1, width), then as many state tensors as went in."""
        flow = Flow(past=iter(past))
        embedding = self.network.trunk(self.network.frontend(pcm), flow)
        output = self.network.decide(embedding, flow)
        return (*(output[name] for name in output_names(self.network.spec)), embedding, *flow.kept)


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
