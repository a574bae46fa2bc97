"""The Open Inference Protocol v2 over REST: health, metadata and raw tensors of the graph `full`."""

from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from edgeseld import __version__
from edgeseld.cloud.bodies import read_body
from edgeseld.cloud.serving import Served, find_served
from edgeseld.cloud.state import State, note
from edgeseld.cloud.tensors import LENGTH_HEADER, metadata, read_inputs, read_request, write_response

BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["inputs"],
                    "properties": {
                        "id": {"type": "string"},
                        "inputs": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["name", "shape", "datatype", "data"],
                                "properties": {
                                    "name": {"type": "string"},
                                    "shape": {"type": "array", "items": {"type": "integer"}},
                                    "datatype": {"type": "string"},
                                    "data": {"type": "array", "items": {"type": "number"}},
                                },
                            },
                        },
                        "outputs": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {"name": {"type": "string"}},
                            },
                        },
                    },
                }
            },
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


def inference_routes(state: State) -> APIRouter:
    """Routes under /v2; health is open, the rest needs a token where the server has any."""
    router = APIRouter(prefix="/v2", tags=["Open Inference Protocol v2"])
    guarded = [Depends(state.guard)]

    @router.get("/health/live")
    async def live() -> dict[str, bool]:
        return {"live": True}

    @router.get("/health/ready")
    async def ready() -> dict[str, bool]:
        return {"ready": True}

    @router.get("", dependencies=guarded)
    async def server() -> dict[str, Any]:
        return {"name": "edgeseld", "version": __version__, "extensions": ["binary_tensor_data"]}

    @router.get("/models/{name}/versions/{version}/ready", dependencies=guarded)
    @router.get("/models/{name}/ready", dependencies=guarded)
    async def model_ready(name: str, version: str | None = None) -> dict[str, Any]:
        return {"name": find_served(state.models, name, version).name, "ready": True}

    @router.get("/models/{name}/versions/{version}", dependencies=guarded)
    @router.get("/models/{name}", dependencies=guarded)
    async def model(name: str, version: str | None = None) -> dict[str, Any]:
        return _describe(find_served(state.models, name, version))

    @router.post("/models/{name}/versions/{version}/infer", dependencies=guarded, openapi_extra=BODY)
    @router.post("/models/{name}/infer", dependencies=guarded, openapi_extra=BODY)
    async def infer(request: Request, name: str, version: str | None = None) -> Response:
        served = find_served(state.models, name, version)
        note(request, model=served.name)
        async with state.admission.place():
            body = await read_body(request, state.limits)
            length = request.headers.get(LENGTH_HEADER)
            content, headers = await state.admission.work(lambda: _infer(body, length, served, state))
        return Response(content, headers=headers)

    return router


def _infer(body: bytes, header_length: str | None, served: Served, state: State) -> tuple[bytes, dict[str, str]]:
    wanted, binary = read_request(body, header_length)
    inputs = read_inputs(wanted, binary, served, state.limits.windows)
    return write_response(wanted, served.run_full(inputs), served)


def _describe(served: Served) -> dict[str, Any]:
    graph = served.model.interface.graphs["full"]
    return {
        "name": served.name,
        "versions": [served.version],
        "platform": served.platform,
        "inputs": [metadata(spec) for spec in graph.inputs],
        "outputs": [metadata(spec) for spec in graph.outputs],
    }
