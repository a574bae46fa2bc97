"""What operators see: Prometheus metrics, and one JSON line per request without a sample or a token in it."""

import json
import logging
import sys
import time
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOG = logging.getLogger("edgeseld.cloud")
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
WINDOWS = (1, 2, 4, 8, 16, 32)


class Metrics:
    """One registry per server, so that two of them in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "edgeseld_requests", "Requests by route and status", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "edgeseld_request_seconds", "From request to answer", ["route"], buckets=SECONDS, registry=self.registry
        )
        self.audio = Counter("edgeseld_audio_seconds", "Audio heard", ["model"], registry=self.registry)
        self.batch = Histogram("edgeseld_batch_windows", "Windows per batch", buckets=WINDOWS, registry=self.registry)
        self.inside = Gauge("edgeseld_requests_inside", "Requests inside, at work or waiting", registry=self.registry)
        self.at_work = Gauge("edgeseld_requests_at_work", "Requests being worked on", registry=self.registry)


class JsonLines(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, message, and the fields that came with it."""
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def log_to_stderr() -> None:
    """Send the server's log to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    LOG.handlers[:] = [handler]
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


class Observed:
    """ASGI middleware: counts, times and logs each request by its route, never by its path or query."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with an eye on status and size."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, seen = time.monotonic(), {"status": 499, "bytes_in": 0}

        async def counting_receive() -> Message:
            message = await receive()
            seen["bytes_in"] += len(message.get("body", b""))
            return message

        async def noting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen["status"] = message["status"]
            await send(message)

        try:
            await self.app(scope, counting_receive, noting_send)
        finally:
            self._note(scope, seen, time.monotonic() - started)

    def _note(self, scope: Scope, seen: dict[str, int], seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        self.metrics.requests.labels(route, str(seen["status"])).inc()
        self.metrics.seconds.labels(route).observe(seconds)
        fields = {"method": scope["method"], "route": route, **seen, "ms": round(1e3 * seconds, 1)}
        LOG.info("request", extra={"fields": fields | scope.get("state", {}).get("noted", {})})
