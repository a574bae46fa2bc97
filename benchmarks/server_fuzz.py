"""The server under a fuzzer: `python -m benchmarks.server_fuzz MODEL`. Requests its schema allows, and some it forbids.

Schemathesis draws them from the server's own OpenAPI schema; any answer of 500 or above ends it with the request.
"""

import contextlib
import io
import time
from collections import Counter

import click
import numpy as np
import schemathesis
import soundfile
from fastapi import FastAPI
from hypothesis import HealthCheck, given, seed, settings
from hypothesis.errors import Unsatisfiable

from edgeseld.cloud.app import create_app
from edgeseld.cloud.limits import Limits
from edgeseld.cloud.serving import load_models
from edgeseld.cloud.tokens import Tokens

EXAMPLES_PER_ROUND = 20


def _scene() -> bytes:
    """One second of noise in four channels, wav."""
    file = io.BytesIO()
    soundfile.write(file, np.random.default_rng(0).normal(0.0, 0.1, (24_000, 4)), 24_000, format="WAV")
    return file.getvalue()


SCENE = _scene()


@schemathesis.serializer("audio/wav", "audio/flac", "audio/ogg")
def almost_audio(context: schemathesis.SerializationContext, value: object) -> bytes:
    """An intact file with what the fuzzer drew somewhere in its header or behind it."""
    drawn = value if isinstance(value, bytes) else repr(value).encode("utf-8", "replace")
    place = len(drawn) * 7 % 60
    return SCENE[:place] + drawn[:16] + SCENE[place + len(drawn[:16]) :]


def fuzz(app: FastAPI, examples: int, number: int = 0) -> Counter[int]:
    """Ask every operation about twice `examples` times; statuses counted, AssertionError with the request for a 5xx."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    statuses: Counter[int] = Counter()

    def ask(case: schemathesis.Case) -> None:
        answer = case.call()
        statuses[answer.status_code] += 1
        assert answer.status_code < 500, (case.as_curl_command(), answer.text)

    quiet = settings(max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    for operation in schema.get_all_operations():
        for mode in schemathesis.GenerationMode:
            drawn = operation.ok().as_strategy(generation_mode=mode)
            # Some operations have nothing that could be wrong.
            with contextlib.suppress(Unsatisfiable):
                seed(number)(quiet(given(drawn)(ask)))()
    return statuses


@click.command(help=__doc__)
@click.argument("model")
@click.option("--requests", type=click.IntRange(1), default=10_000)
def main(model: str, requests: int) -> None:
    limits = Limits()
    app = create_app(load_models([model], 1, limits, lambda size: None), limits, Tokens([]))
    statuses: Counter[int] = Counter()
    started, number = time.monotonic(), 0
    while statuses.total() < requests:
        statuses += fuzz(app, EXAMPLES_PER_ROUND, number)
        number += 1
        click.echo(f"{statuses.total()} requests, {time.monotonic() - started:.0f} s", err=True)
    counted = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
    click.echo(f"{statuses.total()} requests to {model}, no answer of 500 or above; {counted}")


if __name__ == "__main__":
    main()
