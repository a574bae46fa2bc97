"""A model folder on torch itself: the reference all exports are compared with, and the way to run a fresh training."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from edgeseld.core.locate import MODEL_FILE
from edgeseld.core.manifest import Interface, Role
from edgeseld.core.prediction import Float32
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import read_toml
from edgeseld.export.graphs import Graph, export_graphs, interface
from edgeseld.nn.weights import WEIGHTS_FILE, load_network
from edgeseld.runtime.calibrate import with_own_calibration

MC_CHUNK_SAMPLES = 10


class TorchBackend:
    """The graphs as torch modules."""

    def __init__(self, graphs: Mapping[Role, Graph]) -> None:
        self.graphs = graphs

    def run(self, role: Role, inputs: Sequence[Float32]) -> list[Float32]:
        """Outputs of a graph in the manifest's order."""
        with torch.no_grad():
            outputs = self.graphs[role].module(*(torch.from_numpy(np.ascontiguousarray(array)) for array in inputs))
        return [output.numpy() for output in outputs]


def open_torch(folder: Path, threads: int) -> tuple[Interface, TorchBackend]:
    """Interface and backend of a folder with model.toml and weights."""
    torch.set_num_threads(threads)
    network = load_network(read_toml(folder / MODEL_FILE, ModelFile), folder / WEIGHTS_FILE)
    graphs = export_graphs(network, input_kind="waveform", mc_chunk=MC_CHUNK_SAMPLES, time_shifts=True)
    files = dict.fromkeys(graphs, (WEIGHTS_FILE, None))
    shared = interface(network, graphs, files, mc_chunk=MC_CHUNK_SAMPLES)
    return with_own_calibration(shared, folder), TorchBackend(graphs)
