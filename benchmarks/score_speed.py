"""How long scoring a data set takes: `python -m benchmarks.score_speed`.

Scores the 59 shared STARSS22 label files against a jittered copy under 2023 and 2024 rules, from CSV files to figures,
in one process on one core. Distances come from a rule with a seed, as STARSS22 has none. A plain scorer in loops
runs beside it and must give the same figures.
"""

import json
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np

from edgeseld.cli import run_command
from edgeseld.core.atomic import write_atomic
from edgeseld.metrics.label_files import label_files, read_label_folder
from edgeseld.metrics.labels import Labels
from edgeseld.metrics.rules import RULES, Rules
from edgeseld.metrics.score import Score, score
from tests.metrics.plain_scorer import Row, Values, plain_score, read_rows

SEED = 2023
JITTER_DEG = 12.0
KEPT = 0.85
EXTRA = 0.1


def write_case(labels: Path, folder: Path) -> None:
    """Write reference files with a distance, and jittered Cartesian predictions with one, to two sub-folders."""
    generator = np.random.default_rng(SEED)
    for kind in ("reference", "prediction"):
        (folder / kind).mkdir()
    rules = RULES["dcase2023"]
    for name, events in read_label_folder(labels, rules, "reference").items():
        distance_cm = 50 + (events.class_id * 37 + events.source * 61) % 450
        rows = zip(*(column.astype(int) for column in _polar_columns(events)), distance_cm, strict=True)
        _write(folder / "reference" / f"{name}.csv", [",".join(map(str, row)) for row in rows])
        _write(folder / "prediction" / f"{name}.csv", _jittered(events, distance_cm / 100, generator))


def _polar_columns(events: Labels) -> list[np.ndarray]:
    return [events.frame, events.class_id, events.source, events.azimuth_deg, events.elevation_deg]


def _jittered(events: Labels, distance_m: np.ndarray, generator: np.random.Generator) -> list[str]:
    """Most rows, moved and with another distance, and some false alarms of other classes."""
    kept = np.flatnonzero(generator.random(len(events)) < KEPT)
    wrong = generator.random(len(kept)) < EXTRA
    class_id = np.where(wrong, generator.integers(0, 13, len(kept)), events.class_id[kept])
    azimuth = np.radians(events.azimuth_deg[kept] + generator.normal(0, JITTER_DEG, len(kept)))
    elevation = np.radians(events.elevation_deg[kept] + generator.normal(0, JITTER_DEG / 2, len(kept)))
    vectors = [np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)]
    distance = distance_m[kept] * np.exp(generator.normal(0, 0.3, len(kept)))
    columns = zip(events.frame[kept], class_id, *vectors, distance, strict=True)
    return [f"{frame},{c},0,{x:.9f},{y:.9f},{z:.9f},{d:.6f}" for frame, c, x, y, z, d in columns]


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n" if lines else "")


def edgeseld_score(folder: Path, rules: Rules) -> Score:
    """Files to figures."""
    reference = read_label_folder(folder / "reference", rules, "reference")
    return score(reference, read_label_folder(folder / "prediction", rules, "prediction"), rules)


def plain(folder: Path, rules: Rules) -> Values:
    """The same by the plain scorer."""
    rows: list[dict[str, list[Row]]] = []
    for kind, centimetres in (("reference", True), ("prediction", False)):
        paths = label_files(folder / kind)
        rows.append({name: read_rows(path, centimetres=centimetres) for name, path in paths.items()})
    return plain_score(rows[0], rows[1], rules, "macro")[0]


def cpu_seconds(job: Callable[[], object], repetitions: int) -> list[float]:
    """Processor time of each repetition."""
    times = []
    for _ in range(repetitions):
        start = time.process_time()
        job()
        times.append(time.process_time() - start)
    return times


@click.command()
@click.option("--labels", type=click.Path(path_type=Path, exists=True), default=Path("../shared/starss22_labels"))
@click.option("--repetitions", type=int, default=7)
@click.option("--output", type=click.Path(path_type=Path), help="JSON file for the figures")
def main(labels: Path, repetitions: int, output: Path | None) -> None:
    """Print seconds of one core per scoring, beside those of the plain scorer."""
    report: dict[str, object] = {"cpu": cpu(), "python": platform.python_version(), "numpy": np.__version__}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_case(labels, folder)
        for name in ("dcase2023", "dcase2024"):
            report[name] = compare(folder, RULES[name], repetitions)
            click.echo(f"{name}: {report[name]}")
    if output:
        write_atomic(output, json.dumps(report, indent=1).encode() + b"\n")


def cpu() -> str:
    """Name of the processor."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def compare(folder: Path, rules: Rules, repetitions: int) -> dict[str, float]:
    """Times of both scorers; they must give the same figures."""
    fast, slow = edgeseld_score(folder, rules), plain(folder, rules)
    difference = max(abs(value - slow[measure]) for measure, value in fast.values.items())
    if difference > 1e-6:
        raise click.ClickException(f"the scorers differ by {difference} under {rules.name} rules")
    times = cpu_seconds(lambda: edgeseld_score(folder, rules), repetitions)
    rows = sum(len(events) for events in read_label_folder(folder / "reference", rules, "reference").values())
    return {
        "files": len(fast.counts.files),
        "rows": rows,
        "median_s": round(float(np.median(times)), 3),
        "largest_s": round(max(times), 3),
        "plain_s": round(cpu_seconds(lambda: plain(folder, rules), 1)[0], 3),
        "largest_difference": difference,
    }


if __name__ == "__main__":
    run_command(main)
