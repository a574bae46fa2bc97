"""Heads: embedding (batch, frames, width) to the named outputs of each format."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeseld.core.spec import HeadSpec
from edgeseld.nn.flow import Flow, MaskSite

Output = dict[str, Tensor]


class Branch(nn.Module):
    """Linear, activation, Linear with dropout sites before each."""

    def __init__(self, name: str, width: int, spec: HeadSpec, outputs: int, rate: float) -> None:
        super().__init__()
        self.activation = spec.activation
        self.hidden_site = MaskSite(f"{name}.embedding", width, rate)
        self.hidden = nn.Linear(width, spec.hidden)
        self.out_site = MaskSite(f"{name}.hidden", spec.hidden, rate)
        self.out = nn.Linear(spec.hidden, outputs)

    def forward(self, x: Tensor, flow: Flow) -> Tensor:
        """(batch, frames, width) to (batch, frames, outputs)."""
        y = self.hidden(self.hidden_site(x, flow))
        if self.activation != "none":
            y = F.relu(y) if self.activation == "relu" else F.leaky_relu(y)
        return self.out(self.out_site(y, flow))


class AccdoaHead(nn.Module):
    """ACCDOA (one track) and multi-ACCDOA: output `accdoa` (batch, frames, tracks, axes, classes).

    Axes x, y, z pass through tanh; the distance in metres, where there is one, is linear. A gated head multiplies the
    axes by an activity of their track and class: what sounds and where it is are learnt apart, which leaves silence
    thousands of steps sooner.
    """

    def __init__(self, width: int, spec: HeadSpec, classes: int, rate: float) -> None:
        super().__init__()
        self.shape = (spec.tracks if spec.format == "multi-accdoa" else 1, spec.axes, classes)
        self.gated = spec.gated
        self.branch = Branch("head", width, spec, self.shape[0] * (self.shape[1] + spec.gated) * classes, rate)

    def forward(self, x: Tensor, flow: Flow) -> Output:
        """Embedding to {"accdoa": ...}."""
        tracks, axes, classes = self.shape
        y = self.branch(x, flow)
        y = y.reshape(y.shape[0], y.shape[1], tracks, axes + self.gated, classes)
        # A slice of everything becomes an alias, which Core ML's converter does not know.
        vectors = torch.tanh(y if y.shape[3] == 3 else y[:, :, :, :3])
        if self.gated:
            vectors = vectors * torch.sigmoid(y[:, :, :, axes:])
        if axes == 3:
            return {"accdoa": vectors}
        return {"accdoa": torch.cat([vectors, y[:, :, :, 3:4]], dim=3)}


class SedDoaHead(nn.Module):
    """Branches (HDA-SELD): `activity` and `distance` (batch, frames, classes), `vectors` (batch, frames, 3, classes).

    The format "sed" has the first branch alone.
    """

    def __init__(self, width: int, spec: HeadSpec, classes: int, rate: float) -> None:
        super().__init__()
        self.classes = classes
        self.sed = Branch("head.sed", width, spec, classes, rate)
        self.doa = Branch("head.doa", width, spec, 3 * classes, rate) if spec.format == "sed-doa" else None
        self.distance = Branch("head.distance", width, spec, classes, rate) if spec.distance else None

    def forward(self, x: Tensor, flow: Flow) -> Output:
        """Embedding to probabilities, vectors and metres."""
        output = {"activity": torch.sigmoid(self.sed(x, flow))}
        if self.doa is not None:
            y = self.doa(x, flow)
            output["vectors"] = torch.tanh(y).reshape(y.shape[0], y.shape[1], 3, self.classes)
        if self.distance is not None:
            output["distance"] = F.relu(self.distance(x, flow))
        return output


def build_head(width: int, spec: HeadSpec, classes: int, rate: float) -> nn.Module:
    """The head of a format."""
    kind = AccdoaHead if spec.format in ("accdoa", "multi-accdoa") else SedDoaHead
    return kind(width, spec, classes, rate)
