"""Audio to events: `POST /v1/events`, and what the page needs beside them."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from edgeseld.cloud.bodies import decode_upload, read_body
from edgeseld.cloud.refusals import Refusal
from edgeseld.cloud.serving import Served, find_served
from edgeseld.cloud.state import State, note
from edgeseld.core.events import Detection, EventList
from edgeseld.core.prediction import Prediction
from edgeseld.core.structs import Frozen, to_json
from edgeseld.core.tracking import Tracker
from edgeseld.signal.audio import FoaOrder

AUDIO = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("audio/wav", "audio/flac", "audio/ogg")
        },
    }
}
JSON = "application/json"


class SceneAnswer(Frozen, frozen=True, kw_only=True):
    """Events, and each of them in every label frame with its uncertainty, as a stream reports it."""

    events: EventList
    detections: tuple[Detection, ...]


class Question:
    """The query of a request for events; FastAPI reads it."""

    def __init__(
        self,
        model: Annotated[str | None, Query(description="Name of a model; the first one without it.")] = None,
        mc_samples: Annotated[int, Query(ge=0, description="Monte Carlo dropout samples.")] = 0,
        time_shifts: Annotated[int, Query(ge=1, description="Shifts by 30 ms that are averaged; odd.")] = 1,
        seed: Annotated[int, Query(ge=0, lt=2**64, description="Seed of the dropout masks.")] = 0,
        foa_order: Annotated[FoaOrder, Query(description="Channel order of first-order Ambisonics.")] = "acn-sn3d",
    ) -> None:
        self.model, self.mc_samples, self.time_shifts, self.seed = model, mc_samples, time_shifts, seed
        self.foa_order: FoaOrder = foa_order


def event_routes(state: State) -> APIRouter:
    """Routes under /v1, and /metrics; all of them need a token where the server has any."""
    router = APIRouter(dependencies=[Depends(state.guard)])

    @router.get("/v1/models", tags=["events"])
    async def models() -> list[dict[str, Any]]:
        return [_describe(served) for served in state.models.values()]

    @router.post("/v1/events", tags=["events"], openapi_extra=AUDIO)
    async def events(request: Request, question: Annotated[Question, Depends()]) -> Response:
        """Events of an audio file (wav, flac, or ogg with Opus or Vorbis), by docs/events.schema.json."""
        return await _answer(request, question, state, lambda prediction, events: events)

    @router.post("/v1/scene", tags=["events"], openapi_extra=AUDIO)
    async def scene(request: Request, question: Annotated[Question, Depends()]) -> Response:
        """The same, and every event in every label frame with its uncertainty."""
        return await _answer(request, question, state, _scene)

    @router.get("/metrics", tags=["operation"])
    async def metrics() -> Response:
        state.metrics.inside.set(state.admission.inside)
        state.metrics.at_work.set(state.admission.at_work)
        return Response(generate_latest(state.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router


async def _answer(
    request: Request, question: Question, state: State, form: Callable[[Prediction, EventList], object]
) -> Response:
    served = find_served(state.models, question.model)
    _check_limits(question, state)
    note(request, model=served.name, mc_samples=question.mc_samples, time_shifts=question.time_shifts)
    async with state.admission.place():
        body = await read_body(request, state.limits)

        def job() -> tuple[bytes, float]:
            prediction, events = _hear(body, question, served, state)
            return to_json(form(prediction, events)), events.duration_s

        content, duration_s = await state.admission.work(job)
    state.metrics.audio.labels(served.name).inc(duration_s)
    note(request, audio_s=round(duration_s, 2))
    return Response(content, media_type=JSON)


def _hear(body: bytes, question: Question, served: Served, state: State) -> tuple[Prediction, EventList]:
    signal = served.model.interface.signal
    audio = decode_upload(body, signal.channel_format, question.foa_order, state.limits)
    prediction = served.model.predict(
        audio, mc_samples=question.mc_samples, time_shifts=question.time_shifts, seed=question.seed
    )
    duration_s = audio.shape[1] / signal.sample_rate_hz
    return prediction, EventList(model=served.name, duration_s=duration_s, events=prediction.events())


def _scene(prediction: Prediction, events: EventList) -> SceneAnswer:
    tracker = Tracker(prediction.classes, prediction.tracking)
    return SceneAnswer(events=events, detections=tracker.add(prediction).detections)


def _check_limits(question: Question, state: State) -> None:
    for name in ("mc_samples", "time_shifts"):
        most: int = getattr(state.limits, name)
        if getattr(question, name) > most:
            raise Refusal(422, f"{name} is at most {most} here, got {getattr(question, name)}: ask for fewer")


def _describe(served: Served) -> dict[str, Any]:
    interface = served.model.interface
    return {
        "name": served.name,
        "version": served.version,
        "channel_format": interface.signal.channel_format,
        "channels": interface.signal.channels,
        "sample_rate_hz": interface.signal.sample_rate_hz,
        "classes": interface.classes,
        "monte_carlo": interface.monte_carlo is not None,
        "time_shifts": "stream" in interface.graphs or {"frontend", "encoder"} <= set(interface.graphs),
    }
