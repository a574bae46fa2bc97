"""`edgeseld export`: a trained model to a verified bundle, or to nothing at all."""

import importlib
import importlib.metadata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edgeseld.core.atomic import atomic_folder
from edgeseld.core.errors import BackendMissingError
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
from edgeseld.export.recipe import ExportRecipe
from edgeseld.nn.network import SeldNetwork
from edgeseld.nn.weights import WEIGHTS_FILE, load_network
from edgeseld.runtime.backends import open_backend
from edgeseld.runtime.bundle import SUFFIX, Bundle
from edgeseld.runtime.calibrate import with_own_calibration
from edgeseld.runtime.verification import VerificationReport, require_parity, verify

Files = Mapping[Role, tuple[str, str | None]]
Exporter = Callable[[Mapping[Role, Graph], ExportRecipe, Path], Files]

# Target to module:function, and the distributions whose versions decide on the bytes.
TARGETS = {
    "onnx": ("edgeseld.export.onnx_target:export_onnx", ("torch", "onnx", "onnxscript", "onnxruntime")),
    "tflite": ("edgeseld.export.tflite_target:export_tflite", ("torch", "litert-torch", "ai-edge-quantizer")),
    "executorch": ("edgeseld.export.executorch_target:export_executorch", ("torch", "executorch", "torchao")),
}


@dataclass(frozen=True, slots=True)
class Exported:
    """A written bundle and the proof of it."""

    path: Path
    manifest: Manifest
    report: VerificationReport

    @property
    def model_bytes(self) -> int:
        """Size of the model files that one deterministic pass needs."""
        graph = self.manifest.graphs["full"].file
        return sum((self.path / name).stat().st_size for name in (graph, "weights.bin") if (self.path / name).exists())


def export_model(model: Path, recipe: ExportRecipe, output: Path, *, allow_drift: bool = False) -> Exported:
    """Export the model in a folder (model.toml and weights) to `output`/NAME.seld and verify it.

    ParityError where the exported file strays beyond the recipe's tolerance, and nothing is written, unless
    `allow_drift` asks for a bundle marked unverified. ExportError and BackendMissingError say what else is wrong.
    """
    exporter = _exporter(recipe.target)
    spec = read_toml(model / MODEL_FILE, ModelFile)
    network = load_network(spec, model / WEIGHTS_FILE)
    graphs = export_graphs(
        network, input_kind=recipe.input, mc_chunk=recipe.mc_chunk_samples, time_shifts=recipe.time_shifts
    )
    path = output / (bundle_name(spec.id, recipe.target, recipe.precision) + SUFFIX)
    with atomic_folder(path) as folder:
        manifest = _manifest(spec, network, recipe, graphs, exporter(graphs, recipe, folder), model)
        golden = golden_tensors(manifest, graphs)
        write_golden(golden, folder / GOLDEN_FILE)
        report = verify(manifest, open_backend(Bundle(folder, manifest)), golden)
        if not allow_drift:
            require_parity(report, manifest.name)
        manifest = msgspec.structs.replace(manifest, verified=report.passed)
        (folder / MANIFEST_FILE).write_bytes(to_json(manifest))
        (folder / VERIFICATION_FILE).write_bytes(to_json(report))
        (folder / CARD_FILE).write_text(bundle_card(manifest, report, model))
        write_sums(folder)
    return Exported(path, manifest, report)


def _exporter(target: str) -> Exporter:
    module, _, name = TARGETS[target][0].partition(":")
    try:
        exporter: Exporter = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise BackendMissingError(f"exporting to {target}", "export") from error
    return exporter


def _manifest(
    spec: ModelFile, network: SeldNetwork, recipe: ExportRecipe, graphs: Mapping[Role, Graph], files: Files, model: Path
) -> Manifest:
    shared = interface(network, graphs, files, input_kind=recipe.input, mc_chunk=recipe.mc_chunk_samples)
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
            sources_sha256=sources_sha256({room: PACKAGE / room for room in ("core", "nn", "export")}),
            weights_sha256=sha256(model / WEIGHTS_FILE),
            tools={name: importlib.metadata.version(name) for name in TARGETS[recipe.target][1]},
        ),
    )
