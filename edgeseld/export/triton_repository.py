"""`edgeseld export --triton-repository DIR`: ONNX bundles as a model repository of Triton, and as a KServe manifest.

Graph `full` becomes the model {id}, the head for Monte Carlo samples {id}-head. Names and shapes of tensors are those
of the bundle and of `edgeseld serve`, so that a client of the Open Inference Protocol v2 speaks to either.
https://docs.nvidia.com/deeplearning/triton-inference-server, model repository and model configuration.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from edgeseld.core.atomic import atomic_folder, write_atomic
from edgeseld.core.errors import ExportError
from edgeseld.core.manifest import GraphSpec, Manifest, Role, TensorSpec
from edgeseld.runtime.bundle import Bundle

WEIGHTS = "weights.bin"
SERVED: dict[Role, str] = {"full": "{id}", "head": "{id}-head"}
VERSION = "1"
KSERVE_FILE = "inference-service.yaml"
DTYPES = {"float32": "TYPE_FP32", "int8": "TYPE_INT8", "uint8": "TYPE_UINT8"}


def write_triton_repository(bundles: Sequence[Bundle], repository: Path) -> list[str]:
    """Write or replace the models of these bundles in a repository; the names of the models.

    ExportError for a bundle that is not ONNX, or two of one model: Triton runs one file per name.
    """
    ids = [bundle.manifest.id for bundle in bundles]
    for bundle in bundles:
        if bundle.manifest.target != "onnx":
            raise ExportError(
                f"Triton runs ONNX, {bundle.manifest.name} is {bundle.manifest.target}: use --target onnx"
            )
        if ids.count(bundle.manifest.id) > 1:
            raise ExportError(
                f"a repository holds one precision of {bundle.manifest.id}: export one, or to two folders"
            )
    names = [name for bundle in bundles for name in _write_models(bundle, repository)]
    write_atomic(repository / KSERVE_FILE, _kserve(repository.name).encode())
    return names


def _write_models(bundle: Bundle, repository: Path) -> list[str]:
    names = []
    for role, pattern in SERVED.items():
        if role not in bundle.manifest.graphs:
            continue
        name, graph = pattern.format(id=bundle.manifest.id), bundle.manifest.graphs[role]
        with atomic_folder(repository / name) as folder:
            (folder / VERSION).mkdir()
            shutil.copyfile(bundle.folder / graph.file, folder / VERSION / "model.onnx")
            if (bundle.folder / WEIGHTS).exists():
                shutil.copyfile(bundle.folder / WEIGHTS, folder / VERSION / WEIGHTS)
            (folder / "config.pbtxt").write_text(_config(name, graph, bundle.manifest))
        names.append(name)
    return names


def _config(name: str, graph: GraphSpec, manifest: Manifest) -> str:
    """config.pbtxt; graphs hold one window, so Triton must not stack requests."""
    inputs = ",\n".join(_tensor(tensor) for tensor in graph.inputs)
    outputs = ",\n".join(_tensor(tensor) for tensor in graph.outputs)
    return (
        f"# {manifest.name} {manifest.version}, {manifest.signal.channel_format} at "
        f"{manifest.signal.sample_rate_hz} Hz, classes {', '.join(manifest.classes)}\n"
        f'name: "{name}"\nbackend: "onnxruntime"\nmax_batch_size: 0\n'
        f"input [\n{inputs}\n]\noutput [\n{outputs}\n]\n"
        "instance_group [\n  { kind: KIND_CPU, count: 1 }\n]\n"
    )


def _tensor(tensor: TensorSpec) -> str:
    dims = ", ".join(map(str, tensor.shape))
    return f'  {{ name: "{tensor.name}", data_type: {DTYPES[tensor.dtype]}, dims: [ {dims} ] }}'


def _kserve(name: str) -> str:
    """An InferenceService that runs Triton on the repository, once it lies on a volume."""
    label = "".join(letter if letter.isalnum() else "-" for letter in name.lower()).strip("-") or "edgeseld"
    return (
        "# Copy this folder to a volume that the cluster can read, and name it in storageUri.\n"
        "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\n"
        f"metadata:\n  name: {label}\n"
        "spec:\n  predictor:\n    model:\n      modelFormat:\n        name: triton\n"
        f"      protocolVersion: v2\n      storageUri: pvc://models/{name}\n"
    )
