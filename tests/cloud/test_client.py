"""The client against servers that are slow, gone, wrong or dying; the device's answer is there on time."""

import contextlib
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import numpy as np
import pytest

from edgeseld.cloud.client import CloudClient, CloudError
from edgeseld.cloud.fallback import WindowAnswer, between, hear_with_fallback, heard_frames
from edgeseld.cloud.link import Link, relay
from edgeseld.cloud.patience import CircuitBreaker
from edgeseld.cloud.policy import SEND_ALWAYS, FallbackPolicy
from edgeseld.core.prediction import Float32
from edgeseld.runtime.model import Model
from tests.cloud.conftest import Running
from tests.small_bundle import loud_scene, write_small_bundle

SCENE = loud_scene(4)
ALWAYS = FallbackPolicy(measure="entropy", threshold=SEND_ALWAYS, window_frames=10, context_frames=10)
EMPTY = b'{"model": "m", "duration_s": 1.0, "events": []}'


@contextlib.contextmanager
def scripted(*steps: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[tuple[str, list[str]]]:
    """A server that does one step per request, the last one for all further ones; URL and the paths asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            asked.append(self.path)
            steps[min(len(asked), len(steps)) - 1](self)

        do_GET = do_POST

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def says(
    status: int, body: bytes = b'{"error": "because"}', **headers: str
) -> Callable[[BaseHTTPRequestHandler], None]:
    def step(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return step


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def drips(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    with contextlib.suppress(OSError):
        for _ in range(1000):
            handler.wfile.write(b" ")
            time.sleep(0.05)


@contextlib.contextmanager
def client_of(url: str, **options: object) -> Iterator[CloudClient]:
    # A busy machine takes its time; tests of deadlines name theirs.
    client = CloudClient(url, draw=random.Random(0), **{"deadline_s": 60.0, **options})
    try:
        yield client
    finally:
        client.close()


def test_the_cloud_hears_what_the_model_hears(running: Running, small_model: Model) -> None:
    with client_of(running.url) as client:
        client.check()
        answer = client.hear(SCENE)
    heard = small_model.predict(np.round(SCENE * 32_768).clip(-32_768, 32_767).astype(np.float32) / 32_768).events()
    assert [event.class_name for event in answer.events.events] == [event.class_name for event in heard]
    assert answer.attempts == 1
    assert 0.0 < answer.seconds < 60.0


def test_opus_is_smaller_than_flac(running: Running) -> None:
    with client_of(running.url, codec="flac") as flac, client_of(running.url, codec="opus") as opus:
        assert opus.hear(SCENE).bytes_sent < flac.hear(SCENE).bytes_sent / 3


@pytest.mark.parametrize("trouble", [says(503), says(429, Retry_After="0"), says(500), hangs_up])
def test_what_may_pass_is_tried_again(trouble: Callable[[BaseHTTPRequestHandler], None]) -> None:
    with scripted(trouble, says(200, EMPTY)) as (url, asked), client_of(url) as client:
        answer = client.hear(SCENE)
        assert answer.attempts == len(asked) == 2


@pytest.mark.parametrize("status", [400, 401, 404, 413, 415, 422])
def test_what_will_not_pass_is_not(status: int) -> None:
    with scripted(says(status)) as (url, asked), client_of(url) as client:
        for _ in range(5):
            with pytest.raises(CloudError, match=r"because|EDGESELD_TOKEN"):
                client.hear(SCENE)
        # The server is there: the breaker stays closed.
        assert len(asked) == 5


def test_waits_that_do_not_fit_the_deadline_are_not_waited() -> None:
    with scripted(says(429, Retry_After="60")) as (url, asked), client_of(url, deadline_s=2.0) as client:
        started = time.monotonic()
        with pytest.raises(CloudError, match="429"):
            client.hear(SCENE)
        assert time.monotonic() - started < 1.5
        assert len(asked) == 1


@pytest.mark.parametrize("trouble", [drips, lambda handler: time.sleep(5.0)])
def test_a_slow_server_is_left_at_the_deadline(trouble: Callable[[BaseHTTPRequestHandler], None]) -> None:
    with scripted(trouble) as (url, _), client_of(url, deadline_s=0.5) as client:
        started = time.monotonic()
        with pytest.raises(CloudError, match=r"within 0\.5 s"):
            client.hear(SCENE)
        assert time.monotonic() - started < 2.0


def test_a_server_that_is_gone_is_not_asked_for_a_while() -> None:
    with scripted(hangs_up, hangs_up, says(200, EMPTY)) as (url, asked):
        breaker = CircuitBreaker(failures_to_open=2, open_s=0.3)
        with client_of(url, attempts=1, breaker=breaker) as client:
            for _ in range(2):
                with pytest.raises(CloudError, match="cannot be reached"):
                    client.hear(SCENE)
            with pytest.raises(CloudError, match=r"did not answer 2 times: it is asked again after 0\.3 s"):
                client.hear(SCENE)
            assert len(asked) == 2
            time.sleep(0.35)
            client.hear(SCENE)
            client.hear(SCENE)
            assert len(asked) == 4


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"model": "m", "duration_s": 1.0, "events": [], "schema_version": 2}', "schema 2"),
        (b'{"model": "m", "duration_s": 1.0, "events": [], "more": 1}', "install the same version"),
        (b"<html>", "install the same version"),
    ],
)
def test_a_server_of_another_version_is_said(body: bytes, message: str) -> None:
    with scripted(says(200, body)) as (url, _), client_of(url) as client, pytest.raises(CloudError, match=message):
        client.hear(SCENE)


def test_what_the_check_says(running: Running) -> None:
    with client_of("http://127.0.0.1:9") as client, pytest.raises(CloudError, match="is the server running"):
        client.check()
    with client_of(running.url, model="large") as client, pytest.raises(CloudError, match="serves small, not 'large'"):
        client.check()
    with scripted(says(200, b"{}")) as (url, _), client_of(url) as client:
        with pytest.raises(CloudError, match="no edgeseld server"):
            client.check()


def _device_alone(model: Model, audio: Float32) -> list[WindowAnswer]:
    heard = heard_frames(model.predict(audio).events())
    return [
        WindowAnswer(first, first + 10, 0.0, "device", between(heard, first, first + 10))
        for first in range(0, audio.shape[1] // 2400, 10)
    ]


def _heard(answers: list[WindowAnswer]) -> list[object]:
    return [answer.heard for answer in answers]


def test_only_doubtful_windows_are_sent(running: Running, small_model: Model) -> None:
    with client_of(running.url) as client:
        everything = list(hear_with_fallback(small_model, SCENE, ALWAYS, client))
        assert {answer.source for answer in everything} == {"cloud"}
        doubts = sorted(answer.doubt for answer in everything)
        policy = FallbackPolicy(measure="entropy", threshold=doubts[1], window_frames=10, context_frames=10)
        some = list(hear_with_fallback(small_model, SCENE, policy, client))
    assert sorted(answer.source for answer in some) == ["cloud", "cloud", "device", "device"]
    assert all(frame.frame in range(answer.first_frame, answer.last_frame) for answer in some for frame in answer.heard)


@pytest.mark.parametrize("trouble", [hangs_up, says(503), drips])
def test_without_the_cloud_the_device_answers_on_time(
    small_model: Model, trouble: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    with scripted(trouble) as (url, _), client_of(url, deadline_s=0.3) as client:
        started = time.monotonic()
        answers = list(hear_with_fallback(small_model, SCENE, ALWAYS, client))
        # Three deadlines at most: then the breaker is open.
        assert time.monotonic() - started < 4.0
    assert _heard(answers) == _heard(_device_alone(small_model, SCENE))
    assert all(answer.trouble for answer in answers)


def test_a_link_delays_and_narrows(running: Running) -> None:
    slow = Link(up_bps=4e6, down_bps=4e6, round_trip_s=0.2)
    with relay(running.url, slow) as url, client_of(url) as client:
        answer = client.hear(SCENE)
    assert answer.seconds > 8 * answer.bytes_sent / 4e6 + 0.2


def test_a_lost_link_costs_the_deadline(running: Running, small_model: Model) -> None:
    lost = Link(up_bps=1.0, down_bps=1.0, round_trip_s=0.0, lost=True)
    with relay(running.url, lost) as url, client_of(url, deadline_s=0.2) as client:
        answers = list(hear_with_fallback(small_model, SCENE, ALWAYS, client))
    assert _heard(answers) == _heard(_device_alone(small_model, SCENE))


@pytest.mark.slow
def test_a_server_killed_in_mid_request_leaves_the_devices_events_on_time(tmp_path: Path, small_model: Model) -> None:
    bundle = write_small_bundle(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "edgeseld", "serve", str(bundle), "--port", str(port)])
    url = f"http://127.0.0.1:{port}"
    for _ in range(600):
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{url}/v2/health/ready")
            break
        time.sleep(0.05)
    audio = loud_scene(20)
    with client_of(url, deadline_s=1.0) as client:
        killer = threading.Timer(0.3, process.send_signal, [signal.SIGKILL])
        killer.start()
        started = time.monotonic()
        answers = list(hear_with_fallback(small_model, audio, ALWAYS, client))
        spent_s = time.monotonic() - started
    assert process.wait(10) == -signal.SIGKILL
    assert spent_s < 10.0
    lost = [answer for answer in answers if answer.source == "device"]
    alone = _device_alone(small_model, audio)
    assert lost
    assert all(answer.heard == alone[answer.first_frame // 10].heard for answer in lost)
