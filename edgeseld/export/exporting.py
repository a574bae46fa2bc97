"""`edgeseld export`: a trained model to a verified bundle, or to nothing at all."""

import importlib
import importlib.metadata
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edgeseld.core.atomic import atomic_folder
from edgeseld.core.disk import ELSEWHERE_TEMPORARY, require_space
from edgeseld.core.errors import BackendMissingError, ParityError
from edgeseld.core.locate import MODEL_FILE, PACKAGE
from edgeseld.core.manifest import (
    CARD_FILE,
    GOLDEN_FILE,
    MANIFEST_FILE,
    VERIFICATION_FILE,
    Manifest,
    ProvenanceSpec,
    Role,
    bundle_name,
)
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import read_toml, to_json
from edgeseld.export.bundle_writer import sha256, sources_sha256, write_sums
from edgeseld.export.card import bundle_card
from edgeseld.export.golden_vectors import golden_tensors, write_golden
from edgeseld.export.graphs import Graph, export_graphs, interface
from edgeseld.export.operators import graph_operators, require_budget
from edgeseld.export.proof import Proof, proof_of
from edgeseld.export.recipe import ExportRecipe
from edgeseld.export.refusals import explained
from edgeseld.export.repetition import without_repetition
from edgeseld.export.representative import Runs, calibration_windows, graph_inputs
from edgeseld.export.sensitivity import sensitivities
from edgeseld.export.stopwatch import Stopwatch
from edgeseld.nn.network import SeldNetwork
from edgeseld.nn.truncate import truncated
from edgeseld.nn.weights import WEIGHTS_FILE, load_network
from edgeseld.runtime.backends import open_backend
from edgeseld.runtime.bundle import SUFFIX, Bundle, graph_bytes
from edgeseld.runtime.calibrate import with_own_calibration
from edgeseld.runtime.verification import require_parity, verify

Files = Mapping[Role, tuple[str, str | None]]
Exporter = Callable[[Mapping[Role, Graph], ExportRecipe, Path, Runs], Files]

# Target to module:function, and the distributions whose versions decide on the bytes.
TARGETS = {
    "onnx": ("edgeseld.export.onnx_target:export_onnx", ("torch", "onnx", "onnxscript", "onnxruntime")),
    "tflite": ("edgeseld.export.tflite_target:export_tflite", ("torch", "litert-torch", "ai-edge-quantizer")),
    "executorch": ("edgeseld.export.executorch_target:export_executorch", ("torch", "executorch", "torchao")),
    "coreml": ("edgeseld.export.coreml_target:export_coreml", ("torch", "coremltools")),
}
# Pairs whose quantisation has to see data.
LEARNING = {
    ("onnx", "int8"),
    ("tflite", "int8"),
    ("executorch", "int8"),
    ("executorch", "int8-dynamic"),
    ("coreml", "int8"),
}
# Pairs where single layers can stay float, and how many are tried where all in int8 strays.
SEARCHED = {
    ("onnx", "int8"),
    ("tflite", "int8"),
    ("tflite", "int8-dynamic"),
    ("executorch", "int8"),
    ("coreml", "int8"),
}
# Copies of the weights in float32 that converters and the graphs of a bundle hold at once, and what goes with them.
COPIES, SPACE_BYTES = 6, 8 << 20
FLOAT_LAYER_COUNTS = (1, 2, 4, 8)


@dataclass(frozen=True, slots=True)
class Exported:
    """A written bundle, the proof of it, and how long the steps on the way took."""

    path: Path
    manifest: Manifest
    report: Proof
    seconds: Mapping[str, float]

    @property
    def model_bytes(self) -> int:
        """Size of the model files that one deterministic pass needs."""
        return graph_bytes(Bundle(self.path, self.manifest))


def export_model(
    model: Path, recipe: ExportRecipe, output: Path, *, calibration: Path | None = None, allow_drift: bool = False
) -> Exported:
    """Export the model in a folder (model.toml and weights) to `output`/NAME.seld and verify it.

    Static int8 learns its ranges on the recordings below `calibration`, or on made scenes.

    ParityError where the exported file strays beyond the recipe's tolerance, and nothing is written, unless
    `allow_drift` asks for a bundle marked unverified. ExportError and BackendMissingError say what else is wrong.
    """
    clock = Stopwatch()
    with clock.lap("libraries"):
        exporter = exporter_of(recipe.target)
    spec = read_toml(model / MODEL_FILE, ModelFile)
    network = load_network(spec, model / WEIGHTS_FILE)
    if recipe.exit is not None:
        network = truncated(network, recipe.exit)
        spec = network.spec = msgspec.structs.replace(spec, id=f"{spec.id}.{recipe.exit}")
    graphs = export_graphs(
        network, input_kind=recipe.input, mc_chunk=recipe.mc_chunk_samples, time_shifts=recipe.time_shifts
    )
    with clock.lap("calibration data"):
        runs = runs_of(graphs, network, recipe, calibration)
    path = output / (bundle_name(spec.id, recipe.target, recipe.precision) + SUFFIX)
    source = _Source(model, spec, network, graphs, runs, clock.seconds)
    try:
        return _attempt(source, recipe, exporter, path, allow_drift=allow_drift)
    except ParityError:
        if (recipe.target, recipe.precision) not in SEARCHED or recipe.float_layers:
            raise
        ranked = sensitivities(graphs, runs or _representative(graphs, network, recipe, calibration))
        return _search(source, recipe, exporter, path, [one.layer for one in ranked])


@dataclass(frozen=True, slots=True)
class _Source:
    """What every attempt at an export begins with."""

    model: Path
    spec: ModelFile
    network: SeldNetwork
    graphs: Mapping[Role, Graph]
    runs: Runs
    seconds: dict[str, float]


def _search(source: _Source, recipe: ExportRecipe, exporter: Exporter, path: Path, ranked: Sequence[str]) -> Exported:
    """Leave more and more of the layers that int8 hurts most in float until the bundle passes, or raise."""
    *counts, last = FLOAT_LAYER_COUNTS
    for count in counts:
        with suppress(ParityError):
            return _attempt(source, _kept_float(recipe, ranked[:count]), exporter, path, allow_drift=False)
    return _attempt(source, _kept_float(recipe, ranked[:last]), exporter, path, allow_drift=False)


def _kept_float(recipe: ExportRecipe, layers: Sequence[str]) -> ExportRecipe:
    return msgspec.structs.replace(recipe, float_layers=tuple(layers))


def _attempt(source: _Source, recipe: ExportRecipe, exporter: Exporter, path: Path, *, allow_drift: bool) -> Exported:
    """Export, verify and write, or raise and leave nothing."""
    graphs, clock = source.graphs, Stopwatch()
    with atomic_folder(path) as folder:
        _require_space(source.network, folder.parent)
        with explained(recipe.target, graphs), clock.lap("conversion"), without_repetition():
            files = exporter(graphs, recipe, folder, source.runs)
        manifest = _manifest(source, recipe, files)
        bundle = Bundle(folder, manifest)
        if recipe.outside_delegate is not None:
            require_budget(graph_operators(bundle), recipe.outside_delegate, manifest.name)
        with clock.lap("golden vectors"):
            golden = golden_tensors(manifest, graphs)
            write_golden(golden, folder / GOLDEN_FILE)
        # A runtime may refuse what its converter wrote.
        with explained(recipe.target, graphs), clock.lap("verification"):
            found = verify(manifest, open_backend(bundle), golden)
        if not allow_drift:
            require_parity(found, manifest.name)
        manifest = msgspec.structs.replace(manifest, verified=found.passed)
        proof = proof_of(found, recipe.float_layers)
        _write_facts(folder, manifest, proof, source.model)
    return Exported(path, manifest, proof, source.seconds | clock.seconds)


def _write_facts(folder: Path, manifest: Manifest, proof: Proof, model: Path) -> None:
    """Everything beside the graphs and the golden vectors."""
    (folder / MANIFEST_FILE).write_bytes(to_json(manifest))
    (folder / VERIFICATION_FILE).write_bytes(to_json(proof))
    (folder / CARD_FILE).write_text(bundle_card(manifest, proof, model))
    write_sums(folder)


def runs_of(graphs: Mapping[Role, Graph], network: SeldNetwork, recipe: ExportRecipe, calibration: Path | None) -> Runs:
    """Inputs of every graph from which int8 learns; none for other precisions."""
    if (recipe.target, recipe.precision) not in LEARNING:
        return {}
    return _representative(graphs, network, recipe, calibration)


def _representative(
    graphs: Mapping[Role, Graph], network: SeldNetwork, recipe: ExportRecipe, calibration: Path | None
) -> Runs:
    return graph_inputs(graphs, calibration_windows(calibration, network.spec.signal, recipe.calibration_windows))


def exporter_of(target: str) -> Exporter:
    """The exporter of a target; BackendMissingError where its libraries are not installed."""
    module, _, name = TARGETS[target][0].partition(":")
    try:
        exporter: Exporter = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise BackendMissingError(f"exporting to {target}", "export") from error
    return exporter


def _require_space(network: SeldNetwork, folder: Path) -> None:
    """A full disk ends the process of some converters, and makes others say that they cannot take the model."""
    size_bytes = SPACE_BYTES + COPIES * sum(4 * tensor.numel() for tensor in network.state_dict().values())
    require_space(folder, size_bytes)
    require_space(Path(tempfile.gettempdir()), size_bytes, ELSEWHERE_TEMPORARY)


def _manifest(source: _Source, recipe: ExportRecipe, files: Files) -> Manifest:
    spec, model = source.spec, source.model
    shared = interface(source.network, source.graphs, files, input_kind=recipe.input, mc_chunk=recipe.mc_chunk_samples)
    shared = with_own_calibration(shared, model)
    return Manifest(
        **{name: getattr(shared, name) for name in shared.__struct_fields__},
        version=spec.version,
        description=spec.description,
        licence=spec.licence,
        target=recipe.target,
        precision=recipe.precision,
        verified=False,
        tolerance=recipe.tolerance,
        provenance=ProvenanceSpec(
            sources_sha256=sources_hash(),
            weights_sha256=sha256(model / WEIGHTS_FILE),
            tools={name: importlib.metadata.version(name) for name in TARGETS[recipe.target][1]},
        ),
    )


def sources_hash() -> str:
    """Hash of everything that decides on the bytes of an export beside weights, recipe and libraries."""
    return sources_sha256({room: PACKAGE / room for room in ("core", "nn", "export")})
