"""The model repository that Triton and KServe read, parsed by Triton's own message types."""

from pathlib import Path

import msgspec
import numpy as np
import onnxruntime
import pytest
from google.protobuf import text_format

from edgeseld.core.errors import ExportError
from edgeseld.export.triton_repository import KSERVE_FILE, write_triton_repository
from edgeseld.runtime.bundle import Bundle, open_bundle
from tests.small_bundle import CHUNK, WIDTH, write_small_bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return open_bundle(write_small_bundle(tmp_path / "bundles"))


def test_every_served_graph_is_a_model_with_its_configuration(bundle: Bundle, tmp_path: Path) -> None:
    model_config_pb2 = pytest.importorskip("tritonclient.grpc.model_config_pb2")
    repository = tmp_path / "repository"
    assert write_triton_repository([bundle], repository) == ["small", "small-head"]
    for name, role in (("small", "full"), ("small-head", "head")):
        config = text_format.Parse((repository / name / "config.pbtxt").read_text(), model_config_pb2.ModelConfig())
        assert config.name == name
        assert config.backend == "onnxruntime"
        assert config.max_batch_size == 0
        graph = bundle.manifest.graphs[role]
        for listed, specs in ((config.input, graph.inputs), (config.output, graph.outputs)):
            assert [(one.name, tuple(one.dims)) for one in listed] == [(spec.name, spec.shape) for spec in specs]
            assert {one.data_type for one in listed} == {model_config_pb2.TYPE_FP32}


def test_the_models_run(bundle: Bundle, tmp_path: Path) -> None:
    write_triton_repository([bundle], tmp_path)
    session = onnxruntime.InferenceSession(tmp_path / "small-head" / "1" / "model.onnx")
    inputs = {
        "embedding": np.ones((1, 10, WIDTH), np.float32),
        "mask_0": np.ones((CHUNK, 1, WIDTH), np.float32),
    }
    assert session.run(None, inputs)[0].shape == (CHUNK, 10, 3, 3, 2)


def test_the_kserve_manifest_names_triton(bundle: Bundle, tmp_path: Path) -> None:
    write_triton_repository([bundle], tmp_path / "My Models")
    manifest = msgspec.yaml.decode((tmp_path / "My Models" / KSERVE_FILE).read_bytes())
    assert manifest["kind"] == "InferenceService"
    assert manifest["metadata"]["name"] == "my-models"
    assert manifest["spec"]["predictor"]["model"]["modelFormat"]["name"] == "triton"


def test_what_triton_cannot_run_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    other = Bundle(bundle.folder, msgspec.structs.replace(bundle.manifest, target="tflite"))
    with pytest.raises(ExportError, match="use --target onnx"):
        write_triton_repository([other], tmp_path / "repository")
    with pytest.raises(ExportError, match="one precision of small"):
        write_triton_repository([bundle, bundle], tmp_path / "repository")
    assert not (tmp_path / "repository").exists()
