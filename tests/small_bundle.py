"""A bundle written by hand in milliseconds: matrix products that hear loud sounds as events, without an exporter."""

from pathlib import Path

import msgspec
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from edgeseld.core.manifest import (
    GraphSpec,
    Manifest,
    MaskSiteSpec,
    MonteCarloSpec,
    ProvenanceSpec,
    Role,
    TensorSpec,
    ToleranceSpec,
)
from edgeseld.core.spec import SignalSpec, TrackingSpec
from edgeseld.core.structs import to_json
from edgeseld.export.bundle_writer import write_sums
from edgeseld.runtime.golden import golden_inputs
from edgeseld.runtime.masks import draw_masks

SIGNAL = SignalSpec(n_fft=512, window="tapered", window_samples=512, mel_bands=8, window_frames=10)
CLASSES = ("bell", "knock")
WIDTH, CHUNK = 8, 4
TILE_HOPS = SIGNAL.window_hops + 10
ACCDOA = (3, 3, len(CLASSES))

MANIFEST = Manifest(
    id="small",
    version="0.0.1",
    description="for tests",
    licence="MIT",
    target="onnx",
    precision="fp32",
    verified=True,
    tolerance=ToleranceSpec(raw_max=1e-4, raw_mean=1e-5, changed_frames=0.0, direction_deg=0.1),
    provenance=ProvenanceSpec(sources_sha256="0" * 64, weights_sha256="0" * 64, tools={}),
    signal=SIGNAL,
    context_samples=SIGNAL.context_samples,
    output_format="multi-accdoa",
    classes=CLASSES,
    tracking=TrackingSpec(),
    graphs={},
    monte_carlo=MonteCarloSpec(
        sites=(MaskSiteSpec(name="head.embedding", channels=WIDTH, rate=0.3),), chunk_samples=CHUNK
    ),
)


def write_small_bundle(folder: Path, model_id: str = "small") -> Path:
    """`folder`/{id}-onnx-fp32.seld with the graphs full, head, frontend and encoder."""
    path = folder / f"{model_id}-onnx-fp32.seld"
    path.mkdir(parents=True)
    frames, bands = SIGNAL.window_frames, SIGNAL.mel_bands
    features = ("features", (1, 4, SIGNAL.window_hops, bands))
    embedding, accdoa = ("embedding", (1, frames, WIDTH)), ("accdoa", (1, frames, *ACCDOA))
    parts: dict[Role, tuple[list[onnx.NodeProto], list[tuple], list[tuple]]] = {
        "full": ([*_frontend(SIGNAL.window_hops), *_encoder(), *_head("embedding", 1)], [_pcm(SIGNAL.window_hops)], []),
        "frontend": (_frontend(TILE_HOPS), [_pcm(TILE_HOPS)], [("features", (1, 4, TILE_HOPS, bands))]),
        "encoder": ([*_encoder(), *_head("embedding", 1)], [features], []),
        "head": (
            [helper.make_node("Mul", ["embedding", "mask_0"], ["masked"]), *_head("masked", CHUNK)],
            [embedding, ("mask_0", (CHUNK, 1, WIDTH))],
            [("accdoa", (CHUNK, frames, *ACCDOA))],
        ),
    }
    graphs = {}
    for role, (nodes, inputs, outputs) in parts.items():
        _write(path / f"{role}.onnx", nodes, inputs, outputs or [accdoa, embedding])
        graphs[role] = GraphSpec(
            file=f"{role}.onnx", inputs=_specs(inputs), outputs=_specs(outputs or [accdoa, embedding])
        )
    manifest = msgspec.structs.replace(MANIFEST, id=model_id, graphs=graphs)
    (path / "manifest.json").write_bytes(to_json(manifest))
    (path / "README.md").write_text("# small\n")
    _write_golden(path)
    write_sums(path)
    return path


def _write_golden(path: Path) -> None:
    """What ONNX Runtime itself says to every golden case and to the first chunk of Monte Carlo samples."""
    pcm = np.pad(loud_scene(1), ((0, 0), (SIGNAL.context_samples, 0)))
    tensors = {"scene": np.rint(pcm * 32_767).astype(np.int16)}
    session = onnxruntime.InferenceSession(path / "full.onnx", providers=["CPUExecutionProvider"])
    for case, array in golden_inputs(MANIFEST, tensors).items():
        for name, value in zip(("accdoa", "embedding"), session.run(None, {"pcm": array}), strict=True):
            tensors[f"{case}/full/{name}"] = value
    assert MANIFEST.monte_carlo is not None
    (mask,) = draw_masks(MANIFEST.monte_carlo.sites, 0, CHUNK, seed=0)
    session = onnxruntime.InferenceSession(path / "head.onnx", providers=["CPUExecutionProvider"])
    inputs = {"embedding": tensors["scene/full/embedding"], "mask_0": mask}
    tensors["scene/head/accdoa"] = session.run(None, inputs)[0]
    save_file(tensors, path / "golden.safetensors")


def loud_scene(seconds: int, seed: int = 0) -> np.ndarray:
    """(4, samples) at 24 kHz, noise that comes and goes every half second."""
    generator = np.random.default_rng(seed)
    level = np.repeat(np.arange(2 * seconds) % 2, 12_000)
    return (generator.normal(0.0, 0.3, (4, 24_000 * seconds)) * level).clip(-1.0, 1.0).astype(np.float32)


def _pcm(hops: int) -> tuple[str, tuple[int, ...]]:
    return "pcm", (1, 4, SIGNAL.context_samples + hops * SIGNAL.hop_samples)


def _weights() -> list[onnx.TensorProto]:
    generator = np.random.default_rng(7)
    arrays = {
        "basis": generator.normal(0.0, 0.05, (SIGNAL.hop_samples, SIGNAL.mel_bands)).astype(np.float32),
        "embed": generator.normal(0.0, 1.0, (4 * 5 * SIGNAL.mel_bands, WIDTH)).astype(np.float32),
        "decide": generator.normal(0.0, 0.4, (WIDTH, int(np.prod(ACCDOA)))).astype(np.float32),
        "start": np.array([SIGNAL.context_samples]),
        "end": np.array([2**31]),
        "time": np.array([2]),
        "by_frame": np.array([1, SIGNAL.window_frames, -1]),
    }
    return [numpy_helper.from_array(array, name) for name, array in arrays.items()]


def _frontend(hops: int) -> list[onnx.NodeProto]:
    """Drop the context, cut into hops, a few levels of each."""
    shape = helper.make_node("Constant", [], ["hops"], value_ints=[1, 4, hops, SIGNAL.hop_samples])
    return [
        shape,
        helper.make_node("Slice", ["pcm", "start", "end", "time"], ["window"]),
        helper.make_node("Reshape", ["window", "hops"], ["cut"]),
        helper.make_node("MatMul", ["cut", "basis"], ["levels"]),
        helper.make_node("Abs", ["levels"], ["features"]),
    ]


def _encoder() -> list[onnx.NodeProto]:
    return [
        helper.make_node("Transpose", ["features"], ["turned"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["turned", "by_frame"], ["frames"]),
        helper.make_node("MatMul", ["frames", "embed"], ["mixed"]),
        helper.make_node("Tanh", ["mixed"], ["embedding"]),
    ]


def _head(source: str, batch: int) -> list[onnx.NodeProto]:
    shape = helper.make_node("Constant", [], ["out_shape"], value_ints=[batch, SIGNAL.window_frames, *ACCDOA])
    return [
        shape,
        helper.make_node("MatMul", [source, "decide"], ["decided"]),
        helper.make_node("Tanh", ["decided"], ["bounded"]),
        helper.make_node("Reshape", ["bounded", "out_shape"], ["accdoa"]),
    ]


def _write(path: Path, nodes: list[onnx.NodeProto], inputs: list[tuple], outputs: list[tuple]) -> None:
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs],
        [tensor for tensor in _weights() if tensor.name in used],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)


def _specs(tensors: list[tuple]) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec(name=name, shape=shape, meaning="for tests") for name, shape in tensors)
