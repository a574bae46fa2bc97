"""A tiny causal network, and bundles of it, for tests of everything that runs bundles."""

import warnings
from pathlib import Path

MODEL_TOML = """
id = "tiny"
version = "0.0.1"
description = "for tests"
classes = ["bell", "knock"]
signal = { n_fft = 512, window = "tapered", window_samples = 512, mel_bands = 16, window_frames = 6 }
head = { hidden = 8 }
[network]
causal = true
stem = { channels = 4 }
stages = [{ channels = 6, blocks = 2, pool = [5, 2] }, { channels = 6, blocks = 1, block = "separable" }]
context = { blocks = 2, width = 8, heads = 2, kernel_frames = 3, left_frames = 4 }
[train]
steps = 1000
"""


def make_model(folder: Path, recipe: str = MODEL_TOML) -> Path:
    """A folder with model.toml and random weights in which every parameter matters."""
    import torch

    from edgeseld.core.recipe import ModelFile
    from edgeseld.core.structs import read_toml
    from edgeseld.nn.network import SeldNetwork
    from edgeseld.nn.weights import save_weights

    (folder / "model.toml").write_text(recipe)
    torch.manual_seed(3)
    network = SeldNetwork(read_toml(folder / "model.toml", ModelFile))
    with torch.no_grad():
        for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 2.0)
            elif tensor.is_floating_point() and not name.startswith("frontend"):
                tensor.add_(torch.randn_like(tensor) * 0.1)
    save_weights(network, folder / "weights.safetensors")
    return folder


def make_bundle(model: Path, target: str, output: Path) -> Path:
    """The model as an fp32 bundle."""
    from edgeseld.export.exporting import export_model
    from edgeseld.export.recipe import read_recipe, recipe_path

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return export_model(model, read_recipe(recipe_path(target, "fp32")), output).path
