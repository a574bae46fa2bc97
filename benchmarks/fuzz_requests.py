"""What a fuzzer must know to get past the door: names and limits of one server, and bodies that are almost right."""

import io
from typing import Any

import msgspec
import numpy as np
import schemathesis
import soundfile
from fastapi import FastAPI

from edgeseld.cloud.state import State
from edgeseld.cloud.tensors import DATATYPE, LENGTH_HEADER

# JSON before binary tensors is padded with spaces to this length, so that a header can announce it.
JSON_BYTES = 512
# How far what was drawn is strewn: over the head of a file or request, and over the values behind it.
SCENE_BYTES, TENSORS_BYTES = 120, 4 * JSON_BYTES
DRAWN_BYTES = 16


def _scene() -> bytes:
    """One second of noise in four channels, wav."""
    file = io.BytesIO()
    soundfile.write(file, np.random.default_rng(0).normal(0.0, 0.1, (24_000, 4)), 24_000, format="WAV")
    return file.getvalue()


SCENE = _scene()


@schemathesis.serializer("audio/wav", "audio/flac", "audio/ogg")
def almost_audio(context: schemathesis.SerializationContext, value: object) -> bytes:
    """An intact file with what the fuzzer drew somewhere in its header or among its first samples."""
    return strewn(SCENE, value, SCENE_BYTES)


@schemathesis.serializer("application/octet-stream")
def almost_tensors(context: schemathesis.SerializationContext, value: object) -> bytes:
    """An intact request for inference with what the fuzzer drew somewhere in its JSON or among its values."""
    state: State = context.case.operation.app.state.served
    named = (context.case.path_parameters or {}).get("name")
    served = state.models.get(str(named)) or next(iter(state.models.values()))
    values = {spec.name: np.zeros(spec.shape, "<f4") for spec in served.model.interface.graphs["full"].inputs}
    inputs = [
        {"name": name, "shape": array.shape, "datatype": DATATYPE, "parameters": {"binary_data_size": array.nbytes}}
        for name, array in values.items()
    ]
    head = msgspec.json.encode({"inputs": inputs}).ljust(JSON_BYTES)
    return strewn(b"".join([head, *(array.tobytes() for array in values.values())]), value, TENSORS_BYTES)


def strewn(intact: bytes, value: object, reach: int) -> bytes:
    """`intact` with the beginning of `value` in it, at a place below `reach` that depends on the value's length."""
    drawn = value if isinstance(value, bytes) else repr(value).encode("utf-8", "replace")
    place, kept = len(drawn) * 37 % reach, drawn[:DRAWN_BYTES]
    return intact[:place] + kept + intact[place + len(kept) :]


def describe_server(app: FastAPI) -> None:
    """Write names, versions, limits and the length header of this very server into the schema that it publishes.

    Without them nearly every request ends at a model that is not there, or asks for more than is allowed.
    """
    state: State = app.state.served
    models = state.models.values()
    names = {"type": "string", "enum": list(state.models)}
    versions = {"type": "string", "enum": sorted({served.version for served in models})}
    known = {
        "name": names,
        "model": names,
        "version": versions,
        "mc_samples": {"maximum": state.limits.mc_samples},
        "time_shifts": {"maximum": state.limits.time_shifts},
    }
    inputs = sorted({spec.name for served in models for spec in served.model.interface.graphs["full"].inputs})
    for operations in app.openapi()["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                _narrow(parameter["schema"], known.get(parameter["name"], {}))
            content = operation.get("requestBody", {}).get("content", {})
            if "application/octet-stream" in content:
                length = {"type": "string", "enum": [str(JSON_BYTES)]}
                operation["parameters"].append({"name": LENGTH_HEADER, "in": "header", "schema": length})
                tensor = content["application/json"]["schema"]["properties"]["inputs"]["items"]["properties"]
                _narrow(tensor["name"], {"enum": inputs})
                _narrow(tensor["datatype"], {"enum": [DATATYPE]})


def _narrow(schema: dict[str, Any], known: dict[str, Any]) -> None:
    if known:
        schema.pop("anyOf", None)
        schema.update(known)
