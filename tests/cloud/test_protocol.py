"""The Open Inference Protocol v2, spoken by NVIDIA's client and by hand."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
import tritonclient.http
from fastapi.testclient import TestClient
from tritonclient.utils import InferenceServerException

from edgeseld.cloud.tensors import LENGTH_HEADER
from edgeseld.runtime.model import Model
from edgeseld.runtime.windows import cut_windows
from tests.cloud.conftest import Running
from tests.small_bundle import SIGNAL, loud_scene

WINDOWS = cut_windows(loud_scene(3), SIGNAL)


@pytest.fixture
def triton(running: Running) -> Iterator[tritonclient.http.InferenceServerClient]:
    client = tritonclient.http.InferenceServerClient(running.address)
    yield client
    client.close()


def _input(array: np.ndarray, binary: bool) -> tritonclient.http.InferInput:
    tensor = tritonclient.http.InferInput("pcm", array.shape, "FP32")
    tensor.set_data_from_numpy(array, binary_data=binary)
    return tensor


def test_health_and_metadata(triton: tritonclient.http.InferenceServerClient) -> None:
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert triton.is_model_ready("small")
    assert triton.is_model_ready("small", "0.0.1")
    assert not triton.is_model_ready("small", "9.9.9")
    assert "binary_tensor_data" in triton.get_server_metadata()["extensions"]
    metadata = triton.get_model_metadata("small")
    assert metadata["inputs"] == [{"name": "pcm", "datatype": "FP32", "shape": [-1, 4, 24_032]}]
    assert [output["name"] for output in metadata["outputs"]] == ["accdoa", "embedding"]


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
def test_tensors_there_and_back(
    triton: tritonclient.http.InferenceServerClient,
    small_model: Model,
    binary_in: bool,
    binary_out: bool,
    compression: str | None,
) -> None:
    outputs = [tritonclient.http.InferRequestedOutput(name, binary_out) for name in ("embedding", "accdoa")]
    result = triton.infer(
        "small",
        [_input(WINDOWS, binary_in)],
        outputs=outputs,
        request_id="seven",
        request_compression_algorithm=compression,
    )
    assert result.get_response()["id"] == "seven"
    for index in range(3):
        accdoa, embedding = small_model.backend.run("full", [WINDOWS[index : index + 1]])
        np.testing.assert_allclose(result.as_numpy("accdoa")[index], accdoa[0], atol=1e-6)
        np.testing.assert_allclose(result.as_numpy("embedding")[index], embedding[0], atol=1e-6)


def test_all_outputs_come_where_none_is_named(triton: tritonclient.http.InferenceServerClient) -> None:
    result = triton.infer("small", [_input(WINDOWS[:1], True)])
    assert result.as_numpy("accdoa").shape == (1, 10, 3, 3, 2)
    assert result.as_numpy("embedding").shape == (1, 10, 8)


def test_wrong_tensors_are_errors_that_the_client_shows(triton: tritonclient.http.InferenceServerClient) -> None:
    with pytest.raises(InferenceServerException, match="cut windows with their context"):
        triton.infer("small", [_input(WINDOWS[:, :, :100].copy(), True)])
    with pytest.raises(InferenceServerException, match="there is no model"):
        triton.infer("large", [_input(WINDOWS, True)])


GOOD = {"name": "pcm", "shape": [1, 4, 24_032], "datatype": "FP32"}


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ([], "the inputs of small are pcm"),
        ([GOOD | {"data": [0.0]}], "has 96128 values, got 1"),
        ([GOOD], "an array of numbers"),
        ([GOOD | {"data": 1.0}], "an array of numbers"),
        ([GOOD | {"data": ["a"]}], "an array of numbers"),
        ([GOOD | {"data": [[1.0], [1.0, 2.0]]}], "an array of numbers"),
        ([GOOD | {"data": [1e300]}], "values, got 1"),
        ([GOOD | {"datatype": "INT8", "data": [0]}], "has the datatype FP32"),
        ([GOOD | {"shape": [-1], "data": [0.0]}], "sizes of at least 1"),
        ([GOOD | {"shape": [], "data": [0.0]}], "sizes of at least 1"),
        ([GOOD | {"shape": [2**30, 2**30, 2**30], "data": [0.0]}], "values, got 1"),
        ([GOOD | {"parameters": {"binary_data_size": 4}}], "binary_data_size"),
        ([GOOD | {"parameters": {"binary_data_size": -4}}], "binary_data_size"),
        ([GOOD | {"parameters": {"binary_data_size": True}}], "binary_data_size"),
        ([{"name": "x", "shape": [1], "datatype": "FP32", "data": [float(10**39)]}], "finite"),
    ],
)
def test_malformed_requests(client: TestClient, tensors: list[object], message: str) -> None:
    answer = client.post("/v2/models/small/infer", json={"inputs": tensors})
    assert answer.status_code == 400
    assert message in answer.json()["error"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"inputs": 3}', b"\xff\xfe", b"[" * 100_000])
def test_no_json_of_the_protocol(client: TestClient, content: bytes) -> None:
    assert client.post("/v2/models/small/infer", content=content).status_code == 400


@pytest.mark.parametrize("length", ["-1", "x", "1000000", "²"])
def test_a_wrong_length_of_the_header(client: TestClient, length: str) -> None:
    headers = {LENGTH_HEADER: length.encode()}
    answer = client.post("/v2/models/small/infer", content=json.dumps({"inputs": []}), headers=headers)
    assert answer.status_code == 400


def test_bytes_that_belong_to_no_tensor(client: TestClient) -> None:
    header = json.dumps({"inputs": []}).encode()
    answer = client.post("/v2/models/small/infer", content=header + b"1234", headers={LENGTH_HEADER: str(len(header))})
    assert "4 bytes behind the tensors" in answer.json()["error"]
