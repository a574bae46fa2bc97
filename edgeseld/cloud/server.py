"""Running the server until it is told to stop."""

import socket
from collections.abc import Iterable
from contextlib import suppress

import uvicorn

from edgeseld.cloud.app import create_app
from edgeseld.cloud.limits import Limits
from edgeseld.cloud.observing import Metrics, log_to_stderr
from edgeseld.cloud.serving import load_models
from edgeseld.cloud.tokens import Tokens
from edgeseld.core.errors import EdgeseldError

# Idle connections end after this; slow headers do not hold one for long.
KEEP_ALIVE_S = 15


class ServerError(EdgeseldError):
    """The server cannot start."""


def serve(models: Iterable[str], host: str, port: int, threads: int, limits: Limits, tokens: Tokens) -> None:
    """Serve until SIGINT or SIGTERM; requests that have begun are finished, for at most `timeout_s`.

    ServerError where the port is taken.
    """
    metrics = Metrics()
    app = create_app(load_models(models, threads, limits, metrics.batch.observe), limits, tokens, metrics)
    log_to_stderr()
    listening = _listen(host, port)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(limits.timeout_s) + 1,
        server_header=False,
    )
    # Signals come again once all is over.
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run([listening])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise ServerError(f"cannot listen on {host}:{port} ({error.strerror}): choose another --port") from error
