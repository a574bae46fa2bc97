"""Where models and export recipes lie: beside the sources, inside the package, or where the environment says."""

import os
from pathlib import Path

from edgeseld.core.errors import ConfigError

PACKAGE = Path(__file__).parent.parent
MODEL_FILE = "model.toml"


def models_folder() -> Path:
    """`EDGESELD_MODELS`, or models/ of the sources, or the copy that an installed package carries."""
    named = os.environ.get("EDGESELD_MODELS")
    if named:
        return Path(named)
    sources = PACKAGE.parent / "models"
    return sources if sources.is_dir() else PACKAGE / "shipped" / "models"


def recipes_folder() -> Path:
    """export/ of the sources, or the copy that an installed package carries."""
    sources = PACKAGE.parent / "export"
    return sources if sources.is_dir() else PACKAGE / "shipped" / "export"


def model_ids() -> list[str]:
    """Ids of the models that are there."""
    return sorted(path.parent.name for path in models_folder().glob(f"*/{MODEL_FILE}"))


def find_model(name: str) -> Path:
    """The folder of a model id or of a training run, or a bundle's folder or zip; ConfigError lists what there is."""
    path = Path(name)
    if path.exists():
        return path
    folder = models_folder() / name
    if folder.is_dir() and not path.is_absolute():
        return folder
    raise ConfigError(
        f"MODEL is an id, a training run, a bundle or its zip, got {name!r}; "
        f"ids here: {', '.join(model_ids()) or 'none'}"
    )


def find_bundle(name: str, target: str = "onnx", precision: str = "fp32") -> Path:
    """A bundle's folder or zip, or the released bundle of a model id; ConfigError says how to make a missing one."""
    path = find_model(name)
    if not (path / MODEL_FILE).exists():
        return path
    bundle = released_bundle(path, target, precision)
    if bundle is None:
        raise ConfigError(
            f"{path} holds no bundle {path.name}-{target}-{precision}.seld: make one with `edgeseld export {name} "
            f"--target {target} --precision {precision} --output DIR` and name that"
        )
    return bundle


def released_bundle(folder: Path, target: str, precision: str) -> Path | None:
    """The bundle in a model's folder, or its zip; None where there is neither."""
    bundle = folder / "bundles" / f"{folder.name}-{target}-{precision}.seld"
    return next((path for path in (bundle, bundle.with_suffix(".seld.zip")) if path.exists()), None)
