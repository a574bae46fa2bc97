"""Tokens, metrics, logs, and a fuzzer."""

import json
import logging
import re
from collections import Counter
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from benchmarks.fuzz_requests import describe_server, strewn
from benchmarks.server_fuzz import by_route, fuzz
from edgeseld.cloud.app import create_app
from edgeseld.cloud.observing import LOG, JsonLines
from edgeseld.cloud.serving import Served
from edgeseld.cloud.tokens import Tokens, read_tokens
from edgeseld.core.errors import ConfigError
from tests.cloud.conftest import LIMITS, encoded
from tests.small_bundle import loud_scene

TOKEN = "correct-horse-battery"
WAV = encoded(loud_scene(1), subtype="PCM_16")


@pytest.fixture
def closed(served: dict[str, Served]) -> TestClient:
    """A server that needs a token."""
    return TestClient(create_app(served, LIMITS, Tokens([TOKEN, "another-good-token"])))


@pytest.mark.parametrize(
    "header", [None, "", TOKEN, f"Basic {TOKEN}", "Bearer", "Bearer wrong", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}"]
)
@pytest.mark.parametrize(
    "path", ["/v1/models", "/v1/events", "/metrics", "/v2", "/v2/models/small", "/v2/models/small/infer"]
)
def test_without_a_token_there_is_nothing_to_see(closed: TestClient, header: str | None, path: str) -> None:
    method = "POST" if path.endswith(("events", "infer")) else "GET"
    answer = closed.request(method, path, headers={} if header is None else {"Authorization": header}, content=b"x")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "Authorization: Bearer TOKEN" in answer.json()["error"]


@pytest.mark.parametrize("token", [TOKEN, "another-good-token"])
def test_every_token_opens(closed: TestClient, token: str) -> None:
    assert closed.get("/v1/models", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_health_and_the_page_are_open(closed: TestClient) -> None:
    for path in ("/v2/health/live", "/v2/health/ready", "/", "/page.js"):
        assert closed.get(path).status_code == 200


def test_tokens_come_from_a_file_and_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGESELD_TOKENS", "first-long-enough-token, second-long-enough-token")
    (tmp_path / "tokens").write_text("third-long-enough-token\n\n")
    tokens = read_tokens(tmp_path / "tokens")
    for token in ("first", "second", "third"):
        tokens.check({"authorization": f"Bearer {token}-long-enough-token"})
    monkeypatch.setenv("EDGESELD_TOKENS", "short")
    with pytest.raises(ConfigError, match="at least 16 characters, number 1 has 5"):
        read_tokens(None)


def test_metrics_count_requests_seconds_and_audio(client: TestClient) -> None:
    client.post("/v1/events", content=WAV)
    client.post("/v1/events", content=b"x")
    client.get("/nowhere/at/all")
    text = client.get("/metrics").text
    assert 'edgeseld_requests_total{route="/v1/events",status="200"} 1.0' in text
    assert 'edgeseld_requests_total{route="/v1/events",status="415"} 1.0' in text
    assert 'edgeseld_requests_total{route="none",status="404"} 1.0' in text
    assert 'edgeseld_audio_seconds_total{model="small"} 1.0' in text
    assert 'edgeseld_request_seconds_count{route="/v1/events"} 2.0' in text
    assert "edgeseld_requests_inside 0.0" in text
    # A route, never a path: strangers must not grow the registry.
    assert "nowhere" not in text


def test_the_log_has_a_line_of_json_per_request_without_audio_or_query(
    client: TestClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LOG, "propagate", True)
    with caplog.at_level(logging.INFO, "edgeseld.cloud"):
        client.post("/v1/events?mc_samples=4&seed=77", content=WAV, headers={"Authorization": "Bearer secret-token"})
    (record,) = [record for record in caplog.records if record.getMessage() == "request"]
    line = JsonLines().format(record)
    fields = json.loads(line)
    assert fields["route"] == "/v1/events"
    assert fields["status"] == 200
    assert fields["bytes_in"] == len(WAV)
    assert fields["audio_s"] == 1.0
    assert fields["model"] == "small"
    assert "secret" not in line
    assert "77" not in re.sub(r'"(time|ms)": [^,]*', "", line)


def test_an_unforeseen_error_is_logged_and_not_shown(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr("edgeseld.cloud.routes_events.decode_upload", fail)
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.post("/v1/events", content=WAV)
        assert answer.status_code == 500
        assert "secret" not in answer.text
        assert client.post("/v1/events", content=WAV).status_code == 500
        assert app.state.served.admission.inside == 0


def test_answers_are_counted_by_route() -> None:
    answers = Counter({("POST /b", 200): 3, ("GET /a", 404): 2, ("POST /b", 404): 1})
    assert by_route(answers) == [["GET /a", "-", "2"], ["POST /b", "3", "1"]]


def test_what_the_fuzzer_draws_is_put_into_an_intact_body() -> None:
    intact = bytes(100)
    assert strewn(intact, b"", 50) == intact
    # One byte goes to place 37, two bytes to 74 mod 50; the length stays.
    assert strewn(intact, b"x", 50) == bytes(37) + b"x" + bytes(62)
    assert strewn(intact, b"xy", 50) == bytes(24) + b"xy" + bytes(74)


@pytest.mark.slow
def test_a_fuzzer_finds_no_server_error(app: FastAPI) -> None:
    # `python -m benchmarks.server_fuzz` asks 10,000 times.
    describe_server(app)
    answers = fuzz(app, 5)
    assert answers.total() > 50
    assert {200, 404, 422} <= {status for _, status in answers}
    # Every route was reached, behind the check of the model's name.
    assert {route for route, status in answers if status == 200} == {route for route, _ in answers}
