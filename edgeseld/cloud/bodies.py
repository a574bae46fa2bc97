"""Bodies of requests: read within limits of size and time, gzip undone within another limit, audio decoded."""

import asyncio
import io
import zlib
from pathlib import Path
from typing import Any

from starlette.requests import Request

from edgeseld.cloud.limits import Limits
from edgeseld.cloud.refusals import Refusal
from edgeseld.core.errors import AudioFormatError
from edgeseld.core.prediction import Float32
from edgeseld.core.spec import ChannelFormat
from edgeseld.signal.audio import FoaOrder, read_audio

# First bytes of the containers that are decoded here: wav, flac, ogg; libsndfile reads many more formats.
CONTAINERS = (b"RIFF", b"RF64", b"fLaC", b"OggS")
WINDOW_BITS = {"gzip": 31, "deflate": 15}


async def read_body(request: Request, limits: Limits) -> bytes:
    """The whole body; Refusal 413 for a large one, 408 for a slow one, 400 or 415 for compression it cannot undo."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limits.body_bytes:
        raise _too_large(limits)
    content = bytearray()
    try:
        async with asyncio.timeout(limits.timeout_s):
            async for chunk in request.stream():
                content += chunk
                if len(content) > limits.body_bytes:
                    raise _too_large(limits)
    except TimeoutError:
        raise Refusal(408, f"the body must arrive within {limits.timeout_s:g} s: send it again, or less") from None
    return inflate(bytes(content), request.headers.get("content-encoding", "identity"), limits)


def inflate(content: bytes, encoding: str, limits: Limits) -> bytes:
    """The body without its gzip or deflate."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return content
    if encoding not in WINDOW_BITS:
        raise Refusal(415, f"Content-Encoding is gzip, deflate or absent, got {encoding[:40]!r}: send it as it is")
    stream = zlib.decompressobj(WINDOW_BITS[encoding])
    try:
        plain = stream.decompress(content, limits.inflated_bytes + 1)
    except zlib.error as error:
        raise Refusal(400, f"the body is no intact {encoding} ({error}): send it again, or as it is") from None
    if len(plain) > limits.inflated_bytes:
        raise Refusal(413, f"a body unpacks to at most {limits.inflated_bytes} bytes: send less")
    if not stream.eof:
        raise Refusal(400, f"the {encoding} of the body ends too early: send it again")
    return plain


def decode_upload(content: bytes, channel_format: ChannelFormat, foa_order: FoaOrder, limits: Limits) -> Float32:
    """Audio (channels, samples) at 24 kHz of a wav, flac or ogg upload; its length is known before it is decoded."""
    if content[:4] not in CONTAINERS:
        raise Refusal(415, "audio is wav, flac or ogg (Opus, Vorbis), the body starts like none of them: convert it")
    _check_header(content, limits)
    try:
        return read_audio(Path("the upload"), channel_format, foa_order, content=content)
    except AudioFormatError as error:
        raise Refusal(422, str(error)) from None


def _check_header(content: bytes, limits: Limits) -> None:
    import soundfile

    try:
        info: Any = soundfile.info(io.BytesIO(content))
    except soundfile.LibsndfileError as error:
        message = f"the upload is no intact audio file ({error.error_string.strip()}): record or export it again"
        raise Refusal(422, message) from None
    if info.channels > limits.channels:
        raise Refusal(422, f"audio has at most {limits.channels} channels, got {info.channels}: extract them first")
    if not 0 <= info.frames <= limits.audio_s * info.samplerate:
        raise Refusal(413, f"audio lasts at most {limits.audio_s:g} s: send it in pieces")


def _too_large(limits: Limits) -> Refusal:
    return Refusal(413, f"a body has at most {limits.body_bytes} bytes: send less audio, or send it as flac or opus")
