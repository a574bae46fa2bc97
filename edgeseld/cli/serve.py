"""`edgeseld serve`."""

from pathlib import Path

import click

from edgeseld.cli.stopping import terminated_as_interrupted
from edgeseld.core.errors import BackendMissingError


@click.command(name="serve", epilog="Example: edgeseld serve student-s cloud=runs/teacher --port 8000")
@click.argument("models", nargs=-1, required=True)
@click.option("--host", default="127.0.0.1", help="Address to listen on; 0.0.0.0 for all.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000)
@click.option("--threads", type=click.IntRange(1), default=1, help="Threads of each runtime.")
@click.option("--running", type=click.IntRange(1), default=2, help="Requests that are worked on at a time.")
@click.option("--waiting", type=click.IntRange(0), default=16, help="Requests that may wait; more get 429.")
@click.option("--audio-s", type=click.FloatRange(1.0), default=120.0, help="Longest audio in seconds.")
@click.option("--timeout-s", type=click.FloatRange(0.1), default=30.0, help="Longest time for a request in seconds.")
@click.option(
    "--tokens",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File of bearer tokens, one per line; EDGESELD_TOKENS holds more, separated by commas.",
)
@terminated_as_interrupted()
def command(
    models: tuple[str, ...],
    host: str,
    port: int,
    threads: int,
    running: int,
    waiting: int,
    audio_s: float,
    timeout_s: float,
    tokens: Path | None,
) -> None:
    """Serve MODELS over HTTP: audio to events, raw tensors by the Open Inference Protocol v2, and a page at /.

    Each is an id, a training run or a bundle, or NAME=MODEL to give it another name; the first is the default.
    """
    try:
        from edgeseld.cloud.server import serve
    except ModuleNotFoundError as error:
        raise BackendMissingError("serving", "serve") from error
    from edgeseld.cloud.limits import Limits
    from edgeseld.cloud.tokens import read_tokens

    limits = Limits(running=running, waiting=waiting, audio_s=audio_s, timeout_s=timeout_s)
    serve(models, host, port, threads, limits, read_tokens(tokens))
