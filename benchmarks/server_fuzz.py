"""The server under a fuzzer: `python -m benchmarks.server_fuzz MODEL`. Requests its schema allows, and some it forbids.

Schemathesis draws them from the server's own OpenAPI schema, told what this server holds (fuzz_requests.py); any answer
of 500 or above ends it with the request. Statuses are counted for every route: one that gives no 200 was not reached.
"""

import contextlib
import time
from collections import Counter

import click
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, seed, settings
from hypothesis.errors import Unsatisfiable

from benchmarks.fuzz_requests import describe_server
from edgeseld.cli import run_command
from edgeseld.cli.terminal import print_table
from edgeseld.cloud.app import create_app
from edgeseld.cloud.limits import Limits
from edgeseld.cloud.serving import load_models
from edgeseld.cloud.tokens import Tokens

EXAMPLES_PER_ROUND = 20
# The same paths as under the usual limits, at a cost that ten thousand requests can have.
LIMITS = Limits(mc_samples=4, time_shifts=3, audio_s=10.0)
# The server itself ends a request by its limit; the client waits for that answer.
PATIENCE_S = 1.5 * LIMITS.timeout_s
# Route, such as "POST /v1/events", and status.
Answers = Counter[tuple[str, int]]


def fuzz(app: FastAPI, examples: int, number: int = 0) -> Answers:
    """Ask every operation about twice `examples` times; answers counted, AssertionError with the request for a 5xx."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    answers: Answers = Counter()

    def ask(case: schemathesis.Case) -> None:
        answer = case.call(timeout=PATIENCE_S)
        answers[f"{case.method} {case.path}", answer.status_code] += 1
        assert answer.status_code < 500, (case.as_curl_command()[:2000], answer.text)

    quiet = settings(max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    for operation in schema.get_all_operations():
        for mode in schemathesis.GenerationMode:
            drawn = operation.ok().as_strategy(generation_mode=mode)
            # Some operations have nothing that could be wrong.
            with contextlib.suppress(Unsatisfiable):
                seed(number)(quiet(given(drawn)(ask)))()
    return answers


def by_route(answers: Answers) -> list[list[str]]:
    """A row per route: how often each status was its answer."""
    statuses = sorted({status for _, status in answers})
    routes = sorted({route for route, _ in answers})
    return [[route, *(str(answers[route, status] or "-") for status in statuses)] for route in routes]


@click.command(help=__doc__)
@click.argument("model")
@click.option("--requests", type=click.IntRange(1), default=10_000)
def main(model: str, requests: int) -> None:
    app = create_app(load_models([model], 1, LIMITS, lambda size: None), LIMITS, Tokens([]))
    describe_server(app)
    answers: Answers = Counter()
    started, number = time.monotonic(), 0
    while answers.total() < requests:
        answers += fuzz(app, EXAMPLES_PER_ROUND, number)
        number += 1
        click.echo(f"{answers.total()} requests, {time.monotonic() - started:.0f} s", err=True)
    statuses = [str(status) for status in sorted({status for _, status in answers})]
    print_table(f"answers of {model}", ["route", *statuses], by_route(answers))
    click.echo(f"{answers.total()} requests to {model}, no answer of 500 or above")


if __name__ == "__main__":
    run_command(main)
