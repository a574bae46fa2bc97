"""Graphs of a model by name of their tensors, and the passes that uncertainty rests on."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from edgeseld.core.errors import BundleError, ConfigError
from edgeseld.core.frames import ceil_div
from edgeseld.core.manifest import Interface, MaskSiteSpec, Role
from edgeseld.core.prediction import Float32
from edgeseld.runtime.backends import Backend
from edgeseld.runtime.calibrate import Calibration
from edgeseld.runtime.masks import draw_masks
from edgeseld.runtime.samples import Samples, decode_samples

Outputs = dict[str, Float32]


@dataclass(frozen=True, slots=True)
class Graphs:
    """What a model is, the backend that runs it, and its calibration if it has one."""

    interface: Interface
    backend: Backend
    calibration: Calibration | None = None

    def run(self, role: Role, *inputs: Float32) -> Outputs:
        """Outputs by name."""
        names = [tensor.name for tensor in self.interface.graphs[role].outputs]
        return dict(zip(names, self.backend.run(role, inputs), strict=True))

    def require(self, role: Role, purpose: str) -> None:
        """BundleError where the model has no such graph."""
        graphs = self.interface.graphs
        if role not in graphs:
            raise BundleError(
                f"{purpose} needs the graph {role!r}, {self.interface.id} has only {', '.join(graphs)}: "
                "export it with that graph, or choose another model"
            )

    def decode(self, outputs: Outputs) -> Samples:
        """Outputs with a leading axis of samples, activities as the network gives them: tracks are aligned on these."""
        return decode_samples(outputs, self.interface.output_format)

    def calibrate(self, aligned: Samples) -> Samples:
        """Aligned samples with calibrated activities."""
        return aligned if self.calibration is None else self.calibration.samples(aligned)


@lru_cache(maxsize=4)
def _drawn(sites: tuple[MaskSiteSpec, ...], chunks: int, chunk_samples: int, seed: int) -> list[list[Float32]]:
    """Masks that call after call asks for, by chunk of samples; nobody writes into them."""
    masks = draw_masks(sites, 0, chunks * chunk_samples, seed)
    firsts = range(0, chunks * chunk_samples, chunk_samples)
    return [[mask[first : first + chunk_samples] for mask in masks] for first in firsts]


class MonteCarlo:
    """Draws of the network: the head with masks, on an embedding that all samples share."""

    def __init__(self, graphs: Graphs, samples: int, seed: int) -> None:
        """ConfigError for a negative number, BundleError for a model without dropout sites."""
        if samples < 0:
            raise ConfigError(f"mc_samples must be 0 (none) or more, got {samples}")
        graphs.require("head", "Monte Carlo dropout")
        spec = graphs.interface.monte_carlo
        if spec is None:
            raise BundleError(f"{graphs.interface.id} has no dropout sites: choose a model trained with dropout")
        self.graphs, self.samples = graphs, samples
        self.chunk_samples = spec.chunk_samples
        self._masks = _drawn(spec.sites, ceil_div(samples, self.chunk_samples), self.chunk_samples, seed)

    def draw(self, embedding: Float32) -> Samples:
        """All samples for an embedding (1, frames, width)."""
        runs = [self.graphs.run("head", embedding, *masks) for masks in self._masks]
        if len(runs) == 1 and self.samples == self.chunk_samples:
            return self.graphs.decode(runs[0])
        joined = {name: np.concatenate([run[name] for run in runs])[: self.samples] for name in runs[0]}
        return self.graphs.decode(joined)
