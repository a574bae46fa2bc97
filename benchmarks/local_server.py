"""`edgeseld serve` in a process of its own, for benchmarks that ask it."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import click
import httpx

START_PATIENCE_S = 120.0


@contextlib.contextmanager
def local_server(model: str) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """The process and its URL, once it is ready; `model` may be NAME=MODEL."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "edgeseld", "serve", model, "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield process, _ready(process, f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


def _ready(process: "subprocess.Popen[bytes]", url: str) -> str:
    end = time.monotonic() + START_PATIENCE_S
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{url}/v2/health/ready")
            return url
        time.sleep(0.1)
    raise click.ClickException("the server did not start: run `edgeseld serve` with this model by hand")
