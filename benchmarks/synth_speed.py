"""How fast scenes are made: `python -m benchmarks.synth_speed [--output benchmarks/results/synth_speed.json]`.

Makes the same scenes with one and with two workers in a temporary folder: first the banks of clips and rooms, which
later runs reuse, then the scenes. The files of both runs must be equal.
"""

import hashlib
import json
import platform
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import click

from benchmarks.score_speed import cpu
from edgeseld.cli import run_command
from edgeseld.core.atomic import write_atomic
from edgeseld.data.synth.dataset import Request, make_dataset, make_scene, prepare, scene_tasks
from edgeseld.data.synth.definition import SimulatedRooms
from edgeseld.data.synth.workers import untracked, worker_pool

PACKAGES = ("numpy", "scipy", "pyroomacoustics", "soundfile")


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of wall clock; `times_real_time` is for the scenes without the banks."""

    workers: int
    bank_s: float
    scenes_s: float
    times_real_time: float


def measure(request: Request, workers: int, folder: Path) -> Times:
    """Make the banks, then the scenes with those banks in place (start of the workers included)."""
    start = time.perf_counter()
    with worker_pool(workers, untracked) as mapper:
        prepare(folder / "data", request, folder / "cache", mapper)
    banks = time.perf_counter()
    make_dataset(folder / "data", request, folder / "cache", workers)
    scenes_s = time.perf_counter() - banks
    return Times(
        workers=workers,
        bank_s=round(banks - start, 2),
        scenes_s=round(scenes_s, 2),
        times_real_time=round(request.scenes * request.scene_s / scenes_s, 1),
    )


def scene_ms(request: Request, folder: Path) -> float:
    """Milliseconds of one process for a scene, banks and imports warm."""
    with worker_pool(1, untracked) as mapper:
        job = prepare(folder / "warm", request, folder / "cache", mapper)
    first, *others = scene_tasks(job)[:9]
    make_scene(job, first)
    start = time.perf_counter()
    for task in others:
        make_scene(job, task)
    return round(1000 * (time.perf_counter() - start) / len(others), 1)


def content_sha256(root: Path) -> str:
    """Hash of all files of a data set by name."""
    digest = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


@click.command()
@click.option("--sounds", type=click.Path(path_type=Path, exists=True), default=Path("../shared/sounds"))
@click.option("--scenes", type=click.IntRange(10), default=120)
@click.option("--output", type=click.Path(path_type=Path), help="JSON file for the figures")
def main(sounds: Path, scenes: int, output: Path | None) -> None:
    """Print how many times faster than real time 60 s FOA scenes in eight simulated rooms are made."""
    request = Request(scenes=scenes, sounds=sounds, simulated=SimulatedRooms(count=8), seed=7)
    report: dict[str, object] = {
        "cpu": cpu(),
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "scenes": scenes,
        "scene_s": request.scene_s,
    }
    hashes = set()
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as temporary:
            times = measure(request, workers, Path(temporary))
            if workers == 1:
                report["scene_ms"] = scene_ms(request, Path(temporary))
            hashes.add(content_sha256(Path(temporary) / "data"))
        report[f"workers_{workers}"] = asdict(times)
        click.echo(f"{workers} worker(s): {times.times_real_time} times real time, banks {times.bank_s} s")
    if len(hashes) != 1:
        raise click.ClickException("the files of one and of two workers differ")
    if output:
        write_atomic(output, json.dumps(report, indent=1).encode() + b"\n")


if __name__ == "__main__":
    run_command(main)
