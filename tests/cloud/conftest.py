"""A server with a hand-written bundle, in this process and behind a socket."""

import io
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

from edgeseld.cloud.app import create_app
from edgeseld.cloud.limits import Limits
from edgeseld.cloud.serving import Served, serve_model
from edgeseld.cloud.tokens import Tokens
from edgeseld.runtime.model import Model, load
from tests.small_bundle import write_small_bundle

LIMITS = Limits(audio_s=10.0, body_bytes=8_000_000, inflated_bytes=8_000_000, timeout_s=10.0)


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Loaded as the server loads it."""
    return load(write_small_bundle(tmp_path_factory.mktemp("bundles")), check="off")


@pytest.fixture(scope="session")
def served(small_model: Model) -> dict[str, Served]:
    return {"small": serve_model("small", small_model, LIMITS)}


@pytest.fixture
def app(served: dict[str, Served]) -> FastAPI:
    return create_app(served, LIMITS, Tokens([]))


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


@dataclass(frozen=True, slots=True)
class Running:
    """A server behind a socket."""

    address: str
    server: uvicorn.Server

    @property
    def url(self) -> str:
        return f"http://{self.address}"


@pytest.fixture(scope="session")
def running(served: dict[str, Served]) -> Iterator[Running]:
    """The server on a port of its own."""
    server = uvicorn.Server(uvicorn.Config(create_app(served, LIMITS, Tokens([])), port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Running(f"127.0.0.1:{port}", server)
    server.should_exit = True
    thread.join(timeout=60.0)
    assert not thread.is_alive(), "the server does not end"


def encoded(audio: np.ndarray, container: str = "WAV", subtype: str | None = None, rate_hz: int = 24_000) -> bytes:
    """Audio (channels, samples) as the bytes of a file."""
    file = io.BytesIO()
    soundfile.write(file, audio.T, rate_hz, format=container, subtype=subtype)
    return file.getvalue()


def bundle_in(folder: Path) -> Path:
    return write_small_bundle(folder)
