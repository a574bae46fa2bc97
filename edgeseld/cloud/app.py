"""The server as an ASGI application."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from edgeseld import __version__
from edgeseld.cloud.admission import Admission
from edgeseld.cloud.batching import JoiningBackend
from edgeseld.cloud.limits import Limits
from edgeseld.cloud.observing import LOG, Metrics, Observed
from edgeseld.cloud.refusals import Refusal
from edgeseld.cloud.routes_events import event_routes
from edgeseld.cloud.routes_inference import inference_routes
from edgeseld.cloud.routes_page import page_routes
from edgeseld.cloud.serving import Served
from edgeseld.cloud.state import State
from edgeseld.cloud.tokens import Tokens
from edgeseld.core.errors import EdgeseldError

DESCRIPTION = "Sound event localization and detection: audio in, events out (docs/server.md)."


def create_app(models: Mapping[str, Served], limits: Limits, tokens: Tokens, metrics: Metrics | None = None) -> FastAPI:
    """The application for models by name; the first is the default."""
    state = State(models, limits, tokens, metrics or Metrics(), Admission(limits))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        LOG.info("ready", extra={"fields": {"models": list(models), "tokens": bool(tokens)}})
        yield
        await state.admission.close()
        for served in models.values():
            if isinstance(served.model.backend, JoiningBackend):
                served.model.backend.close()
        LOG.info("stopped")

    app = FastAPI(title="edgeseld", version=__version__, description=DESCRIPTION, lifespan=lifespan, docs_url=None)
    app.state.served = state
    for router in (page_routes(), inference_routes(state), event_routes(state)):
        app.include_router(router)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(EdgeseldError, _refused)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(Exception, _broken)
    app.add_middleware(Observed, metrics=state.metrics)
    return app


async def _refused(request: Request, error: Exception) -> JSONResponse:
    """What a model or a rule refuses is the request's fault."""
    if isinstance(error, HTTPException):
        return JSONResponse({"error": str(error.detail)}, error.status_code, headers=error.headers)
    if isinstance(error, Refusal):
        return JSONResponse({"error": str(error)}, error.status, headers=error.headers)
    return JSONResponse({"error": str(error)}, 422)


async def _malformed(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return JSONResponse({"error": f"{place}: {first['msg']}; docs/server.md lists the parameters"}, 422)


async def _broken(request: Request, error: Exception) -> JSONResponse:
    LOG.error("failed", exc_info=error)
    return JSONResponse({"error": "the server failed; its log says why"}, 500)
