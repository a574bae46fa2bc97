"""What models/ holds, read without torch: cards' figures stand in results.json beside the weights."""

import hashlib

import msgspec

from edgeseld.core.errors import ConfigError
from edgeseld.core.locate import MODEL_FILE, model_ids, models_folder
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import Frozen, read_json, read_toml, to_json

RESULTS_FILE = "results.json"
COSTS_FILE = "costs.json"
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


class DetectionScores(Frozen, frozen=True, kw_only=True):
    """Scores on one held-out set of a model without directions: segments of 1 s, macro over the headline classes.

    F1 and the error rate (micro) are at the model's own thresholds, F1_MO at the best one of each class.
    """

    F1: float
    F1_interval: tuple[float, float]
    F1_MO: float
    ER: float


class LastRun(Frozen, frozen=True, kw_only=True):
    """The run whose weights a released model holds: those of its best step, by the scores on the validation set.

    `started_from` and `teachers`, where there were such, are ids with the start of the hashes of their weights.
    """

    steps: int
    best_step: int
    validation: dict[str, float]
    started_from: str | None = None
    teachers: tuple[str, ...] = ()


class ModelResults(Frozen, frozen=True, kw_only=True):
    """results.json of a released model, every figure measured by a command of the repository.

    Hours and seconds are those of all `runs`, each from the weights of the one before. Models with directions have
    `heldout` scores, those without `detection` scores, by held-out set.
    """

    cost: Cost
    heldout: dict[str, HeldoutScores] = msgspec.field(default_factory=dict)
    detection: dict[str, DetectionScores] = msgspec.field(default_factory=dict)
    runs: int
    last_run: LastRun
    hours_seen: float
    training_s: float
    training_device: str
    training_data: str
    commands: tuple[str, ...]


class KnownCost(Frozen, frozen=True, kw_only=True):
    """One model of costs.json; the key says which architecture the cost belongs to."""

    architecture: str
    cost: Cost


class ModelEntry(Frozen, frozen=True, kw_only=True):
    """One model of models/; a cost of None stands for an architecture that costs.json does not know."""

    id: str
    description: str
    channel_format: str
    output_format: str
    exits: tuple[str, ...]
    trained: bool
    cost: Cost | None
    results: ModelResults | None
    bundles: tuple[str, ...]


def architecture_key(spec: ModelFile) -> str:
    """Changes with everything that the cost of a network depends on."""
    parts = (spec.signal, spec.network, spec.head, len(spec.classes))
    return hashlib.sha256(b"".join(map(to_json, parts))).hexdigest()[:16]


def list_models() -> tuple[ModelEntry, ...]:
    """All models under models/, by id."""
    known = _known_costs()
    entries = []
    for model_id in model_ids():
        folder = models_folder() / model_id
        spec = read_toml(folder / MODEL_FILE, ModelFile)
        path = folder / RESULTS_FILE
        names = [bundle.name.partition(".seld")[0] for bundle in (folder / BUNDLES).glob("*.seld*")]
        entries.append(
            ModelEntry(
                id=spec.id,
                description=spec.description,
                channel_format=spec.signal.channel_format,
                output_format=spec.head.format,
                exits=spec.network.exits,
                trained=any(folder.glob("weights.safetensors*")),
                cost=known.get(architecture_key(spec)),
                results=read_json(path, ModelResults) if path.exists() else None,
                bundles=tuple(sorted(name.removeprefix(f"{model_id}-") for name in names)),
            )
        )
    return tuple(entries)


def _known_costs() -> dict[str, Cost]:
    """costs.json by architecture, which `python -m benchmarks.model_costs` writes; none where it is not there."""
    path = models_folder() / COSTS_FILE
    if not path.exists():
        return {}
    try:
        known = msgspec.json.decode(path.read_bytes(), type=dict[str, KnownCost])
    except msgspec.MsgspecError as error:
        raise ConfigError(f"{path}: {error}; make it again with `python -m benchmarks.model_costs`") from error
    return {entry.architecture: entry.cost for entry in known.values()}
