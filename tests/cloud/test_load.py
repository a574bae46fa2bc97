"""Many at once: the bounded queue, deadlines, batches of several requests, and the end."""

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from edgeseld.cloud.admission import Admission, Late, check_deadline
from edgeseld.cloud.app import create_app
from edgeseld.cloud.batching import JoiningBackend
from edgeseld.cloud.limits import Limits
from edgeseld.cloud.refusals import Refusal
from edgeseld.cloud.server import ServerError, _listen
from edgeseld.cloud.serving import serve_model
from edgeseld.cloud.tokens import Tokens
from edgeseld.core.manifest import Role
from edgeseld.core.prediction import Float32
from edgeseld.export.bundle_writer import zip_bundle
from edgeseld.runtime.model import Model
from tests.cloud.conftest import encoded
from tests.small_bundle import loud_scene, write_small_bundle

WAV = encoded(loud_scene(2), subtype="PCM_16")


class SlowBackend:
    """Waits before every run, until it is let go."""

    def __init__(self, backend: object) -> None:
        self.backend, self.gate, self.runs = backend, threading.Event(), 0

    def run(self, role: Role, inputs: Sequence[Float32]) -> list[Float32]:
        self.gate.wait(30.0)
        self.runs += 1
        return self.backend.run(role, inputs)


def _slow_app(small_model: Model, limits: Limits) -> tuple[FastAPI, SlowBackend]:
    slow = SlowBackend(small_model.backend)
    served = serve_model("slow", Model(small_model.interface, slow), limits)
    return create_app({"slow": served}, limits, Tokens([])), slow


async def _flood(app: FastAPI, slow: SlowBackend, requests: int, *, stuck: bool = False) -> list[httpx.Response]:
    """Requests at once; the model moves only when all of them are inside or sent away, or (stuck) answered."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        tasks = [asyncio.create_task(client.post("/v1/events", content=WAV)) for _ in range(requests)]
        while not stuck and app.state.served.admission.inside + sum(task.done() for task in tasks) < requests:
            await asyncio.sleep(0.01)
        if not stuck:
            slow.gate.set()
        answers = await asyncio.gather(*tasks)
        slow.gate.set()
        return answers


def test_a_full_queue_sends_away_at_once(small_model: Model) -> None:
    app, slow = _slow_app(small_model, Limits(running=1, waiting=2))
    answers = asyncio.run(_flood(app, slow, 8))
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [429] * 5
    for answer in answers:
        if answer.status_code == 429:
            assert int(answer.headers["retry-after"]) >= 1
            assert "Retry-After" in answer.json()["error"]


def test_after_the_flood_there_is_room_again(small_model: Model) -> None:
    app, slow = _slow_app(small_model, Limits(running=1, waiting=0))
    answers = asyncio.run(_flood(app, slow, 2))
    assert sorted(answer.status_code for answer in answers) == [200, 429]
    assert app.state.served.admission.inside == 0
    assert app.state.served.admission.at_work == 0


def test_what_takes_too_long_is_answered_and_stops(small_model: Model) -> None:
    app, slow = _slow_app(small_model, Limits(running=1, timeout_s=0.2))
    answers = asyncio.run(_flood(app, slow, 2, stuck=True))
    assert [answer.status_code for answer in answers] == [503, 503]
    assert "no answer within 0.2 s" in answers[0].json()["error"]
    assert "retry-after" in answers[0].headers
    asyncio.run(app.state.served.admission.close())
    # Two seconds are two windows: at most the one that had begun, and no other.
    assert slow.runs <= 1


def test_a_deadline_is_seen_between_windows() -> None:
    async def scenario() -> None:
        admission = Admission(Limits(running=1, timeout_s=0.05))

        def job() -> None:
            time.sleep(0.1)
            with pytest.raises(Late):
                check_deadline()

        with pytest.raises(Refusal) as refused:
            await admission.work(job)
        assert refused.value.status == 503
        # The place is free once the job has seen its deadline; how soon is up to a busy machine.
        async with asyncio.timeout(30.0):
            while admission.at_work:
                await asyncio.sleep(0.01)
        await admission.close()

    asyncio.run(scenario())


def test_retry_after_grows_with_the_queue() -> None:
    admission = Admission(Limits(running=2))
    assert admission.retry_after_s == 1
    admission.mean_s, admission.inside = 4.0, 5
    assert admission.retry_after_s == 10


class CountingBackend:
    """Doubles its input; remembers the sizes of its batches."""

    def __init__(self, delay_s: float = 0.0) -> None:
        self.sizes: list[int] = []
        self.delay_s = delay_s

    def run(self, role: Role, inputs: Sequence[Float32]) -> list[Float32]:
        self.sizes.append(len(inputs[0]))
        time.sleep(self.delay_s)
        if inputs[0].max() > 1000.0:
            raise ValueError("too loud")
        return [2.0 * inputs[0], inputs[0].sum(axis=1, keepdims=True)]


def test_windows_of_several_requests_run_as_one_batch() -> None:
    inner = CountingBackend(delay_s=0.02)
    joining = JoiningBackend(inner, most_windows=8, wait_s=0.05)
    inputs = [np.full((1 + number % 2, 3), number, np.float32) for number in range(12)]
    with ThreadPoolExecutor(12) as pool:
        outputs = list(pool.map(lambda array: joining.run("full", [array]), inputs))
    joining.close()
    for array, (doubled, summed) in zip(inputs, outputs, strict=True):
        np.testing.assert_array_equal(doubled, 2.0 * array)
        np.testing.assert_array_equal(summed, array.sum(axis=1, keepdims=True))
    assert sum(inner.sizes) == 18
    assert len(inner.sizes) < 12
    assert max(inner.sizes) <= 9


def test_calls_of_other_shapes_and_graphs_are_kept_apart() -> None:
    inner = CountingBackend()
    joining = JoiningBackend(inner, most_windows=8, wait_s=0.05)
    calls: list[tuple[Role, int]] = [("full", 3), ("full", 4), ("frontend", 3), ("head", 3)] * 3
    with ThreadPoolExecutor(12) as pool:
        shapes = list(pool.map(lambda c: joining.run(c[0], [np.ones((1, c[1]), np.float32)])[0].shape, calls))
    joining.close()
    assert shapes == [(1, width) for _, width in calls]


def test_an_error_reaches_everyone_in_the_batch_and_nobody_after_it() -> None:
    joining = JoiningBackend(CountingBackend(), most_windows=8, wait_s=0.0)
    with pytest.raises(ValueError, match="too loud"):
        joining.run("full", [np.full((1, 1), 2000.0, np.float32)])
    np.testing.assert_array_equal(joining.run("full", [np.ones((1, 1), np.float32)])[0], [[2.0]])
    joining.close()


def _start(*arguments: str) -> tuple["subprocess.Popen[str]", str]:
    """A server process and its URL."""
    port = _free_port()
    command = [sys.executable, "-m", "edgeseld", "serve", *arguments, "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    url = f"http://127.0.0.1:{port}"
    for _ in range(600):
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/v2/health/ready").status_code == 200:
                return process, url
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.05)
    raise AssertionError("the server did not start")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_the_command_serves_logs_and_ends_gracefully(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle, temporary = tmp_path / "small.seld.zip", tmp_path / "temporary"
    zip_bundle(write_small_bundle(tmp_path), bundle)
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    (tmp_path / "tokens").write_text("a-token-of-enough-characters\n")
    process, url = _start(str(bundle), "--tokens", str(tmp_path / "tokens"))
    headers = {"Authorization": "Bearer a-token-of-enough-characters"}
    options = {"content": encoded(loud_scene(10)), "headers": headers, "timeout": 60.0}
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(httpx.post, f"{url}/v1/events?mc_samples=100&time_shifts=9", **options) for _ in range(4)]
        while "edgeseld_requests_inside 4.0" not in httpx.get(f"{url}/metrics", headers=headers, timeout=60.0).text:
            assert not any(future.done() for future in asked), "the requests were over before the server was stopped"
        process.send_signal(signal.SIGTERM)
        statuses = [future.result().status_code for future in asked]
    assert process.wait(30) == 0
    assert not list(temporary.glob("edgeseld-*"))
    assert statuses == [200] * 4
    assert process.stderr is not None
    with process.stderr:
        lines = [json.loads(line) for line in process.stderr.read().splitlines()]
    assert lines[0]["message"] == "ready"
    assert lines[-1]["message"] == "stopped"
    events = [line for line in lines if line.get("route") == "/v1/events"]
    assert {line["audio_s"] for line in events} == {10.0}
    assert "a-token" not in json.dumps(lines)


def test_a_taken_port_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ServerError, match="choose another --port"):
        _listen("127.0.0.1", taken.getsockname()[1])
