"""What models/ holds, read without torch: cards' figures stand in results.json beside the weights."""

from edgeseld.core.locate import MODEL_FILE, model_ids, models_folder
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import Frozen, read_json, read_toml

RESULTS_FILE = "results.json"
BUNDLES = "bundles"


class Cost(Frozen, frozen=True, kw_only=True):
    """Parameters, and multiply-accumulates for 5 s of audio from features to output, the frontend apart."""

    parameters: int
    macs: int
    frontend_macs: int
    receptive_field_s: float


class HeldoutScores(Frozen, frozen=True, kw_only=True):
    """Scores on one held-out set: 2023 rules, macro over the headline classes, and F over all 13 beside them."""

    F20: float
    F20_interval: tuple[float, float]
    F20_all: float
    LE: float
    LR: float
    ER: float
    SELD: float


class ModelResults(Frozen, frozen=True, kw_only=True):
    """results.json of a released model, every figure measured by a command of the repository."""

    cost: Cost
    heldout: dict[str, HeldoutScores]
    hours_seen: float
    training_s: float
    training_device: str
    training_data: str
    commands: tuple[str, ...]


class ModelEntry(Frozen, frozen=True, kw_only=True):
    """One model of models/."""

    id: str
    description: str
    channel_format: str
    output_format: str
    results: ModelResults | None
    bundles: tuple[str, ...]


def list_models() -> tuple[ModelEntry, ...]:
    """All models under models/, by id."""
    entries = []
    for model_id in model_ids():
        folder = models_folder() / model_id
        spec = read_toml(folder / MODEL_FILE, ModelFile)
        path = folder / RESULTS_FILE
        bundles = sorted(bundle.stem.removeprefix(f"{model_id}-") for bundle in (folder / BUNDLES).glob("*.seld*"))
        entries.append(
            ModelEntry(
                id=spec.id,
                description=spec.description,
                channel_format=spec.signal.channel_format,
                output_format=spec.head.format,
                results=read_json(path, ModelResults) if path.exists() else None,
                bundles=tuple(bundles),
            )
        )
    return tuple(entries)
