"""A server under load: `python -m benchmarks.server_load MODEL`. Clients send 5 s of FLAC again and again.

Prints answers by status, latency of those that were heard, and the server's memory at the start, in the middle and at
the end. Every client waits as long as Retry-After says when it is sent away.
"""

import threading
import time
from collections import Counter
from pathlib import Path

import click
import httpx
import numpy as np

from benchmarks.local_server import local_server
from edgeseld.bench.machine import Machine, installed_versions, this_machine
from edgeseld.cli import run_command
from edgeseld.cloud.client import encode
from edgeseld.core.atomic import write_atomic
from edgeseld.core.structs import Frozen, to_json

RESULTS = Path(__file__).parent / "results" / "server_load.json"
WINDOW_SAMPLES = 120_000


class LoadReport(Frozen, frozen=True, kw_only=True):
    """results/server_load.json."""

    machine: Machine
    versions: dict[str, str]
    model: str
    clients: int
    seconds: float
    statuses: dict[str, int]
    p50_ms: float
    p99_ms: float
    memory_mb: tuple[float, float, float]


@click.command(help=__doc__)
@click.argument("model")
@click.option("--clients", type=click.IntRange(1), default=8)
@click.option("--seconds", type=click.FloatRange(1.0), default=60.0)
@click.option("--channels", type=click.IntRange(1), default=4, help="Channels of the model.")
@click.option("--save", is_flag=True, help=f"Write {RESULTS.name} under benchmarks/results.")
def main(model: str, clients: int, seconds: float, channels: int, save: bool) -> None:
    audio = np.random.default_rng(0).normal(0.0, 0.05, (channels, WINDOW_SAMPLES)).astype(np.float32)
    content = encode(audio, "flac")
    statuses: Counter[str] = Counter()
    latencies_ms: list[float] = []
    with local_server(model) as (process, url):
        httpx.post(f"{url}/v1/events", content=content, timeout=60.0).raise_for_status()
        end = time.monotonic() + seconds
        threads = [
            threading.Thread(target=_ask, args=(url, content, end, statuses, latencies_ms)) for _ in range(clients)
        ]
        memory = [_memory_mb(process.pid)]
        for thread in threads:
            thread.start()
        time.sleep(seconds / 2)
        memory.append(_memory_mb(process.pid))
        for thread in threads:
            thread.join()
        memory.append(_memory_mb(process.pid))
    p50_ms, p99_ms = np.quantile(latencies_ms, [0.5, 0.99]).tolist()
    report = LoadReport(
        machine=this_machine(),
        versions=installed_versions(),
        model=model,
        clients=clients,
        seconds=seconds,
        statuses=dict(sorted(statuses.items())),
        p50_ms=p50_ms,
        p99_ms=p99_ms,
        memory_mb=(memory[0], memory[1], memory[2]),
    )
    click.echo(to_json(report).decode(), nl=False)
    if save:
        write_atomic(RESULTS, to_json(report))


def _ask(url: str, content: bytes, end: float, statuses: Counter[str], latencies_ms: list[float]) -> None:
    with httpx.Client(base_url=url, timeout=60.0) as client:
        while time.monotonic() < end:
            started = time.monotonic()
            answer = client.post("/v1/events", content=content)
            statuses[str(answer.status_code)] += 1
            if answer.status_code == 200:
                latencies_ms.append(1e3 * (time.monotonic() - started))
            else:
                time.sleep(float(answer.headers.get("retry-after", 1)))


def _memory_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    run_command(main)
