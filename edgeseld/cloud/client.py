"""Asking a server for events: deadlines, retries, and answers that say what went wrong."""

import io
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
import msgspec
import numpy as np

from edgeseld import __version__
from edgeseld.cloud.patience import CircuitBreaker, retry_wait_s
from edgeseld.core.errors import EdgeseldError
from edgeseld.core.events import EventList
from edgeseld.core.frames import SAMPLE_RATE_HZ
from edgeseld.core.prediction import Float32

Codec = Literal["flac", "opus"]
FORMATS: dict[Codec, tuple[str, str, str]] = {
    "flac": ("FLAC", "PCM_16", "audio/flac"),
    "opus": ("OGG", "OPUS", "audio/ogg"),
}
# Answers that another attempt may change.
PASSING = {408, 429, 500, 502, 503, 504}


class CloudError(EdgeseldError):
    """The cloud gave no answer that can be used; the message says what to do."""


class CloudRefusal(CloudError):
    """The server is there and will not do this, however often it is asked."""


@dataclass(frozen=True, slots=True)
class CloudAnswer:
    """Events, and what they cost: bytes sent, attempts, and seconds until they were there."""

    events: EventList
    bytes_sent: int
    attempts: int
    seconds: float


@dataclass(slots=True)
class CloudClient:
    """A server and a model behind it; threads may share one.

    `deadline_s` bounds a whole question, retries included.
    """

    url: str
    model: str | None = None
    token: str | None = None
    codec: Codec = "flac"
    deadline_s: float = 5.0
    attempts: int = 3
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    draw: random.Random = field(default_factory=random.Random)
    _http: Any = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        headers = {"User-Agent": f"edgeseld/{__version__}"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        self._http = httpx.Client(base_url=self.url, headers=headers, follow_redirects=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def hear(self, audio: Float32, *, mc_samples: int = 0) -> CloudAnswer:
        """Events of audio (channels, samples) at 24 kHz.

        CloudError where there is none in time, the circuit breaker is open, the server refuses, or speaks another
        version.
        """
        started = time.monotonic()
        with self._lock:
            if not self.breaker.allows(started):
                raise CloudError(
                    f"{self.url} did not answer {self.breaker.failures} times: it is asked again after "
                    f"{self.breaker.open_s:g} s; is the server running?"
                )
        content = encode(audio, self.codec)
        try:
            response, attempts = self._ask(content, mc_samples, started + self.deadline_s)
        except CloudRefusal:
            with self._lock:
                self.breaker.succeeded()
            raise
        except CloudError:
            with self._lock:
                self.breaker.failed(time.monotonic())
            raise
        with self._lock:
            self.breaker.succeeded()
        events = self._read(response)
        return CloudAnswer(events, attempts * len(content), attempts, time.monotonic() - started)

    def check(self) -> None:
        """CloudError unless the server is there, takes the token and has the model."""
        names = self._models()
        if self.model is not None and self.model not in names:
            raise CloudRefusal(f"{self.url} serves {', '.join(names)}, not {self.model!r}: name one of them")

    def first_model(self) -> str:
        """Name of the model that answers where none is named."""
        return self._models()[0]

    def _models(self) -> list[str]:
        try:
            answer = self._got(self._http.get("/v1/models", timeout=self.deadline_s))
            names = [str(model["name"]) for model in answer.json()]
        except httpx.TransportError as error:
            raise self._unreachable(error) from None
        except (KeyError, TypeError, ValueError):
            names = []
        if not names:
            raise CloudRefusal(f"{self.url} is no edgeseld server: name the address of `edgeseld serve`")
        return names

    def _ask(self, content: bytes, mc_samples: int, deadline: float) -> tuple[httpx.Response, int]:
        """The first useful response, and the number of attempts; refusals that cannot pass end it at once."""
        parameters = {"mc_samples": str(mc_samples)} | ({"model": self.model} if self.model else {})
        headers = {"Content-Type": FORMATS[self.codec][2]}
        trouble = CloudError(f"{self.url} did not answer within {self.deadline_s:g} s: allow more time, or send less")
        for attempt in range(1, self.attempts + 1):
            left_s = deadline - time.monotonic()
            if left_s <= 0.0:
                break
            retry_after_s = None
            try:
                response = self._post(content, parameters, headers, left_s)
                if response.status_code not in PASSING:
                    return self._got(response), attempt
                trouble = CloudError(_said(response, self.url))
                asked = response.headers.get("retry-after", "")
                retry_after_s = float(asked) if asked.isdigit() else None
            except httpx.TimeoutException:
                break
            except httpx.TransportError as error:
                trouble = self._unreachable(error)
            wait_s = retry_wait_s(attempt, self.draw, retry_after_s)
            if attempt < self.attempts and time.monotonic() + wait_s < deadline:
                time.sleep(wait_s)
            else:
                break
        raise trouble

    def _post(
        self, content: bytes, parameters: dict[str, str], headers: dict[str, str], left_s: float
    ) -> httpx.Response:
        """One attempt, bounded as a whole: httpx bounds every read alone, and a server that drips would hold us."""
        ends = time.monotonic() + left_s
        request = self._http.build_request(
            "POST", "/v1/events", params=parameters, headers=headers, content=content, timeout=left_s
        )
        response: httpx.Response = self._http.send(request, stream=True)
        try:
            body = bytearray()
            for chunk in response.iter_raw():
                body += chunk
                if time.monotonic() > ends:
                    raise httpx.ReadTimeout("the answer drips", request=request)
        finally:
            response.close()
        return httpx.Response(response.status_code, headers=response.headers, content=bytes(body), request=request)

    def _got(self, response: httpx.Response) -> httpx.Response:
        if response.status_code == 200:
            return response
        if response.status_code == 401:
            advice = "it refuses this one" if self.token else "none was given"
            raise CloudRefusal(f"{self.url} needs a token, {advice}: set EDGESELD_TOKEN to one that the server knows")
        raise CloudRefusal(_said(response, self.url))

    def _read(self, response: httpx.Response) -> EventList:
        try:
            events = msgspec.json.decode(response.content, type=EventList)
        except msgspec.MsgspecError as error:
            raise CloudRefusal(
                f"{self.url} answers in another form ({error}): install the same version of edgeseld there, "
                f"here it is {__version__}"
            ) from None
        if events.schema_version != 1:
            raise CloudRefusal(
                f"{self.url} answers by schema {events.schema_version}, edgeseld {__version__} reads 1: upgrade it here"
            )
        return events

    def _unreachable(self, error: Exception) -> CloudError:
        return CloudError(f"{self.url} cannot be reached ({error}): is the server running, and the address right?")


def encode(audio: Float32, codec: Codec) -> bytes:
    """Audio (channels, samples) at 24 kHz as 16-bit FLAC, or as Opus."""
    import soundfile

    file = io.BytesIO()
    container, subtype, _ = FORMATS[codec]
    soundfile.write(file, np.clip(audio.T, -1.0, 1.0), SAMPLE_RATE_HZ, format=container, subtype=subtype)
    return file.getvalue()


def _said(response: httpx.Response, url: str) -> str:
    try:
        message = str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        message = "no reason given"
    return f"{url} answered {response.status_code}: {message}"
