"""What all routes share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from edgeseld.cloud.admission import Admission
from edgeseld.cloud.limits import Limits
from edgeseld.cloud.observing import Metrics
from edgeseld.cloud.serving import Served
from edgeseld.cloud.tokens import Tokens


@dataclass(frozen=True, slots=True)
class State:
    """Models and rules of one server."""

    models: Mapping[str, Served]
    limits: Limits
    tokens: Tokens
    metrics: Metrics
    admission: Admission

    async def guard(self, request: Request) -> None:
        """A dependency of routes that need a token."""
        self.tokens.check(request.headers)


def note(request: Request, **fields: Any) -> None:
    """Add fields to the request's line in the log."""
    request.state.noted = {**getattr(request.state, "noted", {}), **fields}
