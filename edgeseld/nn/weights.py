"""Weights on disk: safetensors beside model.toml. Nothing is ever unpickled."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from edgeseld.core.atomic import atomic_file
from edgeseld.core.errors import ConfigError
from edgeseld.core.spec import ModelSpec
from edgeseld.nn.network import SeldNetwork
from edgeseld.nn.truncate import truncated

WEIGHTS_FILE = "weights.safetensors"


def save_weights(network: SeldNetwork, path: Path, *, half: bool = False) -> None:
    """Write parameters and buffers; `half` stores them as float16, statistics of features and BatchNorm excepted."""
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    if half:
        state = {name: tensor.half() if _can_be_half(name, tensor) else tensor for name, tensor in state.items()}
    with atomic_file(path) as temporary:
        # One key only: safetensors writes several in random order.
        save_file(state, temporary, metadata={"model": f"{network.spec.id} {network.spec.version}"})


def _can_be_half(name: str, tensor: torch.Tensor) -> bool:
    statistics = ("running_mean", "running_var", "frontend.mean", "frontend.inverse_std")
    return tensor.is_floating_point() and not name.endswith(statistics)


def load_network(spec: ModelSpec, weights: Path) -> SeldNetwork:
    """The network of `spec` with its weights, in evaluation mode and float32; cut at `network.exit` where one is named.

    ConfigError where the weights belong to another architecture.
    """
    network = SeldNetwork(spec)
    if not weights.is_file():
        raise ConfigError(f"no weights at {weights}; train the model, or point at a folder that holds them")
    try:
        state = {name: tensor.float() for name, tensor in load_file(weights).items()}
        network.load_state_dict(state)
    except Exception as error:
        reason = str(error).splitlines()[-1].strip()
        raise ConfigError(
            f"{weights} does not fit {spec.id!r}: {reason}; use the weights this model.toml made"
        ) from error
    exit_name = spec.network.exit
    return (network if exit_name is None else truncated(network, exit_name)).eval()


def load_matching(network: SeldNetwork, weights: Path) -> int:
    """Take over every layer of `weights` that the network has in the same shapes; the number of tensors taken.

    A layer comes whole or not at all: a bias without its matrix says nothing.
    """
    if not weights.is_file():
        raise ConfigError(f"no weights at {weights}; point at a folder that holds {WEIGHTS_FILE}")
    own, other = network.state_dict(), load_file(weights)
    strangers = {_layer(name) for name, t in own.items() if name not in other or other[name].shape != t.shape}
    taken = {name: other[name].to(tensor.dtype) for name, tensor in own.items() if _layer(name) not in strangers}
    network.load_state_dict({**own, **taken})
    return len(taken)


def _layer(name: str) -> str:
    return name.rpartition(".")[0]
