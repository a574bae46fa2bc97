"""Core ML: one ML program per graph (iOS 17 and later), the frontend in float32 at every precision."""

import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edgeseld.core.manifest import Role
from edgeseld.core.structs import to_json
from edgeseld.export.graphs import Graph
from edgeseld.export.quiet import quiet
from edgeseld.export.recipe import ExportRecipe
from edgeseld.export.representative import Runs
from edgeseld.runtime.backends.mil.program import MODEL, Program, read_program, without_tensorflow

with without_tensorflow():
    import coremltools as ct
    import coremltools.optimize.coreml as compression

WEIGHTS = MODEL.parent / "weights"
PALETTE_BITS = 6
# Smaller tensors are left as they are: biases and norms.
COMPRESSED_FROM_ELEMENTS = 512


def export_coreml(
    graphs: Mapping[Role, Graph], recipe: ExportRecipe, folder: Path, runs: Runs
) -> dict[Role, tuple[str, str | None]]:
    """Write the graphs into `folder`; package name by role."""
    for role, graph in graphs.items():
        package = folder / f"{role}.mlpackage"
        with quiet():
            _write_package(_convert(role, graph, recipe.precision), package)
            if role != "frontend" and recipe.precision in ("int8", "palette"):
                _write_package(_compress(package, recipe), package)
    return {role: (f"{role}.mlpackage", None) for role in graphs}


def _convert(role: Role, graph: Graph, precision: str) -> Any:
    """A model with the names and float32 types of the manifest."""
    program = torch.export.export(graph.module, graph.examples).run_decompositions({})
    return ct.convert(
        program,
        convert_to="mlprogram",
        minimum_deployment_target=ct.target.iOS17,
        inputs=[ct.TensorType(name=spec.name, shape=spec.shape, dtype=np.float32) for spec in graph.inputs],
        outputs=[ct.TensorType(name=spec.name, dtype=np.float32) for spec in graph.outputs],
        compute_precision=_compute_precision(role, precision),
        skip_model_load=True,
    )


def _compute_precision(role: Role, precision: str) -> Any:
    """float16 behind the first convolution: powers of a full-scale tone do not fit into it."""
    if precision == "fp32" or role == "frontend":
        return ct.precision.FLOAT32
    if role in ("head", "encoder"):
        return ct.precision.FLOAT16
    return ct.transform.FP16ComputePrecision(op_selector=_behind_a_convolution())


def _behind_a_convolution() -> Callable[[Any], bool]:
    """Whether a convolution is the operation or upstream of it; the frontend has none."""
    known: dict[Any, bool] = {}

    def selected(operation: Any) -> bool:
        stack = [operation]
        while stack:
            one = stack[-1]
            before = [variable.op for variable in one.get_flattened_inputs() if variable.op is not None]
            waiting = [other for other in before if other not in known]
            if one.op_type == "conv" or not waiting:
                known[one] = one.op_type == "conv" or any(known[other] for other in before)
                stack.pop()
            else:
                stack.extend(waiting)
        return known[operation]

    return selected


def _compress(package: Path, recipe: ExportRecipe) -> Any:
    """Weights as int8 per channel or as indices into a palette; the frontend and the float layers are left alone."""
    setting = (
        compression.OpLinearQuantizerConfig(mode="linear_symmetric", weight_threshold=COMPRESSED_FROM_ELEMENTS)
        if recipe.precision == "int8"
        else compression.OpPalettizerConfig(
            mode="kmeans", nbits=PALETTE_BITS, weight_threshold=COMPRESSED_FROM_ELEMENTS
        )
    )
    program = read_program(package)
    kept = dict.fromkeys([*frontend_constants(program), *layer_constants(program, recipe.float_layers)])
    settings = compression.OptimizationConfig(global_config=setting, op_name_configs=kept)
    compress = compression.linear_quantize_weights if recipe.precision == "int8" else compression.palettize_weights
    return compress(ct.models.MLModel(str(package), skip_model_load=True), settings)


def frontend_constants(program: Program) -> list[str]:
    """Constants of the operations before the first convolution of a program that has one."""
    behind: set[str] = set()
    frontend: set[str] = set()
    constants = {operation.outputs[0].name for operation in program.operations if operation.kind == "const"}
    if not any(operation.kind == "conv" for operation in program.operations):
        return []
    for operation in program.operations:
        names = set(operation.names())
        if operation.kind == "conv" or names & behind:
            behind.update(output.name for output in operation.outputs)
        else:
            frontend |= names & constants
    return sorted(frontend)


def layer_constants(program: Program, layers: Sequence[str]) -> list[str]:
    """Constants of layers of the network, which coremltools names after their parameters."""
    beginnings = tuple(f"p_network_{layer.replace('.', '_')}_" for layer in layers)
    names = (operation.outputs[0].name for operation in program.operations if operation.kind == "const")
    return [name for name in names if name.startswith(beginnings)]


def _write_package(model: Any, package: Path) -> None:
    """The folder of a package; the same program gives the same bytes, identifiers included."""
    spec = model.get_spec()
    spec.description.metadata.ClearField("userDefined")
    temporary = package.with_suffix(".new")
    (temporary / MODEL.parent).mkdir(parents=True)
    (temporary / MODEL).write_bytes(spec.SerializeToString(deterministic=True))
    shutil.copytree(model.weights_dir, temporary / WEIGHTS)
    items = {_identifier(path): _item(path, text) for path, text in ((MODEL, "Specification"), (WEIGHTS, "Weights"))}
    manifest = {"fileFormatVersion": "1.0.0", "itemInfoEntries": items, "rootModelIdentifier": _identifier(MODEL)}
    (temporary / "Manifest.json").write_bytes(to_json(manifest))
    shutil.rmtree(package, ignore_errors=True)
    temporary.rename(package)


def _identifier(path: Path) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, path.as_posix())).upper()


def _item(path: Path, text: str) -> dict[str, str]:
    return {
        "author": "com.apple.CoreML",
        "description": f"CoreML Model {text}",
        "name": path.name,
        "path": path.relative_to("Data").as_posix(),
    }
