"""Export recipes: export/{target}-{precision}.toml as structs."""

from pathlib import Path
from typing import Literal

from edgeseld.core.errors import ExportError
from edgeseld.core.locate import recipes_folder
from edgeseld.core.manifest import Precision, Target, ToleranceSpec
from edgeseld.core.spec import ExitName, Positive
from edgeseld.core.structs import Frozen, read_toml


class ExportRecipe(Frozen, frozen=True, kw_only=True):
    """How a model is exported to one target at one precision."""

    target: Target
    precision: Precision
    tolerance: ToleranceSpec
    input: Literal["waveform", "features"] = "waveform"
    mc_chunk_samples: Positive = 10
    time_shifts: bool = True
    # Ends in an early exit of the network, such as `block-1`.
    exit: ExitName | None = None
    # Operators that may run outside the delegate; any other fails the export. Without a list none does.
    outside_delegate: tuple[str, ...] | None = None
    # Static int8: how many windows its ranges are learnt on, and layers (such as `stages.0`) that stay float.
    calibration_windows: Positive = 16
    float_layers: tuple[str, ...] = ()


def recipe_path(target: str, precision: str) -> Path:
    """Where the recipe of a target and precision lies; ExportError lists the pairs there are."""
    path = recipes_folder() / f"{target}-{precision}.toml"
    if not path.exists():
        raise ExportError(f"{target} at {precision} is not supported; supported are {', '.join(supported_pairs())}")
    return path


def supported_pairs() -> list[str]:
    """All `target-precision` pairs that have a recipe."""
    return sorted(path.stem for path in recipes_folder().glob("*.toml"))


def read_recipe(path: Path) -> ExportRecipe:
    """Read a recipe file."""
    return read_toml(path, ExportRecipe)
