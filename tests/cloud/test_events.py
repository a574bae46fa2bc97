"""`POST /v1/events`: audio in, events out, and what is refused."""

import gzip
import io
import json

import msgspec
import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient
from jsonschema_rs import validator_for

from edgeseld.cloud.routes_events import SceneAnswer
from edgeseld.core.events import EventList
from edgeseld.runtime.model import Model
from tests.cloud.conftest import encoded
from tests.conftest import ROOT
from tests.small_bundle import loud_scene

SCENE = loud_scene(3)
WAV = encoded(SCENE, subtype="PCM_16")


def _post(client: TestClient, content: bytes, path: str = "/v1/events", **options: object) -> tuple[int, str]:
    answer = client.post(path, content=content, params={name: str(value) for name, value in options.items()})
    return answer.status_code, answer.text


@pytest.mark.parametrize("options", [{}, {"mc_samples": 5, "seed": 3}, {"mc_samples": 4, "time_shifts": 3}])
def test_the_server_hears_what_the_model_hears(client: TestClient, small_model: Model, options: dict[str, int]) -> None:
    status, text = _post(client, WAV, **options)
    assert status == 200
    heard = soundfile.read(io.BytesIO(WAV), dtype="float32")[0].T
    expected = EventList(model="small", duration_s=3.0, events=small_model.predict(heard, **options).events())
    assert msgspec.json.decode(text) == msgspec.json.decode(msgspec.json.encode(expected))
    assert expected.events


def test_the_answer_follows_the_schema_of_events(client: TestClient) -> None:
    schema = validator_for(json.loads((ROOT / "docs" / "events.schema.json").read_text()))
    assert schema.is_valid(json.loads(_post(client, WAV, mc_samples=4)[1]))


@pytest.mark.parametrize(
    ("container", "subtype", "rate_hz"),
    [("FLAC", "PCM_16", 24_000), ("FLAC", "PCM_24", 48_000), ("OGG", "OPUS", 48_000), ("OGG", "VORBIS", 24_000)],
)
def test_containers(client: TestClient, container: str, subtype: str, rate_hz: int) -> None:
    status, text = _post(client, encoded(SCENE, container, subtype, rate_hz))
    assert status == 200
    assert msgspec.json.decode(text, type=EventList).duration_s == pytest.approx(3.0 * 24_000 / rate_hz, abs=0.1)


def test_a_scene_has_every_event_in_every_frame_with_its_uncertainty(client: TestClient) -> None:
    status, text = _post(client, WAV, "/v1/scene", mc_samples=4)
    assert status == 200
    answer = msgspec.json.decode(text, type=SceneAnswer)
    frames = [point for event in answer.events.events for point in event.trajectory]
    # A detection is an event from its second frame on (min_frames), a trajectory also holds its first.
    assert len(answer.detections) == len(frames) - len(answer.events.events)
    assert all(detection.uncertainty is not None for detection in answer.detections)


def test_models_are_listed(client: TestClient) -> None:
    (model,) = client.get("/v1/models").json()
    assert model["name"] == "small"
    assert model["channel_format"] == "foa"
    assert model["monte_carlo"]
    assert model["time_shifts"]


@pytest.mark.parametrize(
    ("content", "options", "status", "message"),
    [
        (b"", {}, 415, "wav, flac or ogg"),
        (b"\x80\x04 pickled", {}, 415, "wav, flac or ogg"),
        (b"RIFF" + b"\0" * 50, {}, 422, "intact"),
        (WAV[:1000], {}, 422, "as long as its header says"),
        (encoded(SCENE[:2]), {}, 422, "needs 4 channels, got 2"),
        (encoded(np.zeros((9, 2400))), {}, 422, "at most 8 channels, got 9"),
        (encoded(np.zeros((4, 24_000 * 11))), {}, 413, "lasts at most 10 s"),
        (encoded(np.zeros((4, 0))), {}, 422, "at least one sample"),
        (encoded(np.full((4, 2400), np.nan), subtype="FLOAT"), {}, 422, "finite"),
        (WAV, {"model": "../../etc/passwd"}, 404, "only small"),
        (WAV, {"mc_samples": -1}, 422, "mc_samples"),
        (WAV, {"mc_samples": 101}, 422, "at most 100"),
        (WAV, {"time_shifts": 4}, 422, "odd"),
        (WAV, {"seed": 2**64}, 422, "seed"),
        (WAV, {"foa_order": "wxyz"}, 422, "foa_order"),
    ],
)
def test_what_is_refused_is_said(
    client: TestClient, content: bytes, options: dict[str, object], status: int, message: str
) -> None:
    got, text = _post(client, content, **options)
    assert got == status
    error = json.loads(text)["error"]
    assert message in error
    assert "/tmp" not in error


def test_a_large_body_is_refused_by_its_header_and_by_its_bytes(client: TestClient) -> None:
    assert client.post("/v1/events", content=b"RIFF" + b"\0" * 9_000_000).status_code == 413
    chunks = (b"RIFF" + b"\0" * 1_000_000 for _ in range(9))
    assert client.post("/v1/events", content=chunks).status_code == 413


def test_compressed_bodies_are_unpacked_up_to_a_limit(client: TestClient) -> None:
    header = {"Content-Encoding": "gzip"}
    assert client.post("/v1/events", content=gzip.compress(WAV), headers=header).status_code == 200
    bomb = gzip.compress(b"RIFF" + bytes(50_000_000))
    assert len(bomb) < 100_000
    answer = client.post("/v1/events", content=bomb, headers=header)
    assert answer.status_code == 413
    assert "unpacks to at most" in answer.json()["error"]
    assert client.post("/v1/events", content=gzip.compress(WAV)[:-9], headers=header).status_code == 400
    assert client.post("/v1/events", content=WAV, headers=header).status_code == 400
    assert client.post("/v1/events", content=WAV, headers={"Content-Encoding": "br"}).status_code == 415
