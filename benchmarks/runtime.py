"""What the runtime costs: `python -m benchmarks.runtime`. One thread, made sound, ratios within one run, in turn.

Monte Carlo samples and time shifts against one pass of 5 s on every backend; the causal student per frame; the whole
chain from PCM of 2 s to events against the usual pipeline, in one shot and at ten updates a second; and with --hour an
hour of sound in blocks of random sizes, its memory watched. Times are processor time.
"""

import os

# Before numpy is loaded: librosa's products would use every core.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import time
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

import click
import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save

from benchmarks.peers.librosa_seldnet import CachedFeatures, LibrosaSeldnet
from edgeseld.bench.machine import Machine, this_machine
from edgeseld.bench.memory import resident_bytes
from edgeseld.bench.rounds import Stage, ratio, stage, time_in_turn
from edgeseld.cli import run_command
from edgeseld.cli.terminal import print_table, progress
from edgeseld.core.atomic import write_atomic
from edgeseld.core.frames import LABEL_FRAME_SAMPLES, LABEL_FRAMES_PER_S, SAMPLE_RATE_HZ
from edgeseld.core.interval import Interval
from edgeseld.core.locate import MODEL_FILE, find_model
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import Frozen, read_toml, to_json, to_toml
from edgeseld.export.bundle_writer import sha256
from edgeseld.export.exporting import export_model
from edgeseld.export.recipe import read_recipe, recipe_path
from edgeseld.nn.weights import WEIGHTS_FILE
from edgeseld.runtime.bundle import SUFFIX, open_bundle
from edgeseld.runtime.decode import decode_accdoa
from edgeseld.runtime.model import Model, load
from edgeseld.signal.audio import read_audio

Float32 = NDArray[np.float32]

SCENE = Path(__file__).parent.parent / "examples" / "sample_scene.wav"
RESULTS = Path(__file__).parent / "results" / "runtime.json"
TARGETS = ("onnx", "tflite", "executorch")
# What the costs of a pass may be multiplied by.
SAMPLE_LIMITS = {10: 1.25, 30: 1.6}
SHIFTS = 5
SHIFT_LIMITS = {"onnx": 4.0, "tflite": 3.8, "executorch": 3.3}
FRAME_LIMIT_MS = 1.0
CHAIN_LIMIT_MS = 10.0
ONE_SHOT_LIMIT, UPDATE_LIMIT = 1 / 2, 1 / 5
WINDOW_FRAMES = 20
UPDATE_WARM_UP = WINDOW_FRAMES
CHAIN_MODELS = ("seldnet-baseline", "student-xs")


class Row(Frozen, frozen=True, kw_only=True):
    """One rival: milliseconds of processor time, its ratio to the first of its part, and what was promised."""

    part: str
    name: str
    time: Stage
    ratio: Interval | None = None
    limit: str = ""


class Hour(Frozen, frozen=True, kw_only=True):
    """An hour through a stream: label frames that came and should come, and resident memory as it went."""

    frames: int
    expected_frames: int
    processor_s: float
    megabytes_by_ten_minutes: tuple[float, ...]


class RuntimeReport(Frozen, frozen=True, kw_only=True):
    """results/runtime.json."""

    machine: Machine
    versions: dict[str, str]
    rounds: int
    rows: tuple[Row, ...]
    hour: Hour | None


def made_sound(seconds: int) -> Float32:
    """The sample scene, which has about as many events as real ones, again and again: (4, samples)."""
    scene = read_audio(SCENE, "foa")
    return np.resize(scene.T, (seconds * SAMPLE_RATE_HZ, 4)).T.copy()


def bundle(model: Path, target: str, folder: Path, input_kind: str = "waveform", precision: str = "fp32") -> Path:
    """The bundle of a model in `folder`, exported where it is not there yet or has other weights."""
    path = folder / input_kind / f"{model.name}-{target}-{precision}{SUFFIX}"
    weights = sha256(model / WEIGHTS_FILE)
    if not path.exists() or open_bundle(path).manifest.provenance.weights_sha256 != weights:
        recipe = msgspec.structs.replace(read_recipe(recipe_path(target, precision)), input=input_kind)
        export_model(model, recipe, path.parent)
    return path


def with_window(model: Path, frames: int, folder: Path) -> Path:
    """The model with shorter windows, without the positions that only longer ones have."""
    spec = read_toml(model / MODEL_FILE, ModelFile)
    signal = msgspec.structs.replace(spec.signal, window_frames=frames)
    shorter = folder / f"{frames}-frames" / model.name
    write_atomic(shorter / MODEL_FILE, to_toml(msgspec.structs.replace(spec, signal=signal)))
    weights, beyond = load_file(model / WEIGHTS_FILE), spec.signal.window_frames - frames
    near = {
        name: np.ascontiguousarray(array[:, beyond : array.shape[1] - beyond])
        for name, array in weights.items()
        if name.endswith("attention.bias")
    }
    write_atomic(shorter / WEIGHTS_FILE, save(weights | near))
    return shorter


def timed(part: str, rivals: dict[str, Callable[[], object]], rounds: int, limits: dict[str, str]) -> list[Row]:
    """Rows of rivals in turn; ratios are to the first one."""
    seconds = time_in_turn(rivals, rounds, progress, time.process_time)
    first = next(iter(seconds))
    return [
        Row(
            part=part,
            name=name,
            time=stage(values),
            ratio=None if name == first else ratio(values, seconds[first]),
            limit=limits.get(name, ""),
        )
        for name, values in seconds.items()
    ]


def passes(model_id: str, targets: Iterable[str], folder: Path, rounds: int) -> Iterator[Row]:
    """One pass of 5 s, samples and shifts on every backend."""
    audio = made_sound(5)
    for target in targets:
        model = load(bundle(find_model(model_id), target, folder))
        rivals: dict[str, Callable[[], object]] = {"one pass": lambda m=model: m.predict(audio)}
        limits = {}
        for samples, limit in SAMPLE_LIMITS.items():
            name = f"{samples} Monte Carlo samples"
            rivals[name], limits[name] = lambda m=model, n=samples: m.predict(audio, mc_samples=n), f"at most {limit}"
        if "encoder" in model.interface.graphs:
            name = f"{SHIFTS} time shifts"
            rivals[name] = lambda m=model: m.predict(audio, time_shifts=SHIFTS)
            limits |= {name: f"at most {SHIFT_LIMITS[target]}"} if model_id == "student-s" else {}
        rivals["one pass to events"] = lambda m=model: m.predict(audio).events()
        if (model_id, target) == ("student-xs", "tflite"):
            limits["one pass to events"] = f"below {CHAIN_LIMIT_MS:g} ms"
        yield from timed(f"{model_id}, {target}, 5 s", rivals, rounds, limits)


def frames(targets: Iterable[str], folder: Path, rounds: int) -> Iterator[Row]:
    """The causal student, 100 ms to events."""
    blocks = np.split(made_sound(10), 10 * LABEL_FRAMES_PER_S, axis=1)
    for kind, model in streaming(targets, folder).items():
        rivals = {
            name: endless(model.stream(mc_samples=samples).feed, blocks)
            for name, samples in {"one frame": 0, "one frame, 10 Monte Carlo samples": 10}.items()
        }
        limits = {"one frame": f"below {FRAME_LIMIT_MS:g} ms"}
        yield from timed(f"student-stream, {kind}, 100 ms", rivals, 10 * rounds, limits)


def streaming(targets: Iterable[str], folder: Path) -> dict[str, Model]:
    """The causal student on every backend, and as phones run it: a frame reads every weight, and int8 are a quarter."""
    pairs = [(target, "fp32") for target in targets]
    pairs += [("tflite", "int8-dynamic")] if ("tflite", "fp32") in pairs else []
    causal = find_model("student-stream")
    return {
        target if precision == "fp32" else f"{target} {precision}": load(
            bundle(causal, target, folder, precision=precision)
        )
        for target, precision in pairs
    }


def endless(feed: Callable[[Float32], object], blocks: list[Float32]) -> Callable[[], object]:
    """A call that feeds the next block, again and again from the start."""
    state = {"next": 0}

    def call() -> object:
        block = blocks[state["next"] % len(blocks)]
        state["next"] += 1
        return feed(block)

    return call


def one_shot(targets: Iterable[str], folder: Path, rounds: int) -> list[Row]:
    """2 s of PCM to events: the usual pipeline first."""
    audio = made_sound(2)
    usual = usual_pipeline(folder)
    features = usual.features(audio)
    rivals: dict[str, Callable[[], object]] = {
        "librosa features, seldnet-baseline, decoded": lambda: heard(usual(audio)),
        "the same, features given": lambda: heard(usual.network(features)),
    }
    limits = {}
    for target in targets:
        model = load(bundle(with_window(find_model("student-xs"), WINDOW_FRAMES, folder), target, folder / "2s"))
        name = f"student-xs, {target}, to events"
        rivals[name], limits[name] = lambda m=model: m.predict(audio).events(), f"at most {ONE_SHOT_LIMIT:g}"
    return timed("2 s, one shot", rivals, rounds, limits)


def updates(targets: Iterable[str], folder: Path, rounds: int) -> list[Row]:
    """100 ms more, ten times a second: the usual pipeline hears its last 2 s again, ours goes on."""
    blocks = np.split(made_sound(10), 10 * LABEL_FRAMES_PER_S, axis=1)
    usual, cached = usual_pipeline(folder), CachedFeatures(usual_pipeline(folder), 2 * SAMPLE_RATE_HZ)
    window = np.zeros((4, 2 * SAMPLE_RATE_HZ), np.float32)

    def hear_again(block: Float32) -> object:
        window[:, :-LABEL_FRAME_SAMPLES] = window[:, LABEL_FRAME_SAMPLES:]
        window[:, -LABEL_FRAME_SAMPLES:] = block
        return heard(usual(window))

    rivals = {
        "librosa features, seldnet-baseline, decoded": endless(hear_again, blocks),
        "the same, features cached": endless(lambda block: heard(cached(block)), blocks),
    }
    limits = {}
    for kind, model in streaming(targets, folder).items():
        name = f"student-stream, {kind}, to events"
        rivals[name], limits[name] = endless(model.stream().feed, blocks), f"at most {UPDATE_LIMIT:g}"
    shorter = with_window(find_model("student-xs"), WINDOW_FRAMES, folder)
    sliding = load(bundle(shorter, "onnx", folder / "2s")).stream(hop_frames=1)
    rivals["student-xs, onnx, window of 2 s again, to events"] = endless(sliding.feed, blocks)
    return timed("10 updates a second, each", rivals, 2 * rounds, limits)


def usual_pipeline(folder: Path) -> LibrosaSeldnet:
    """librosa and SELDnet for windows of 2 s."""
    shorter = with_window(find_model("seldnet-baseline"), WINDOW_FRAMES, folder)
    return LibrosaSeldnet(bundle(shorter, "onnx", folder / "2s", "features") / "full.onnx")


def heard(accdoa: Float32) -> object:
    """Active frames and their directions, as the baseline's own evaluation reads them."""
    prediction = decode_accdoa(accdoa[0], ())
    active = prediction.activity > 0.5
    return np.argwhere(active), prediction.direction[active]


def an_hour(model: Model) -> Hour:
    """Blocks of 0 to 300 ms of an hour; every frame must come."""
    stream, sound = model.stream(), made_sound(60)
    generator = np.random.default_rng(1)
    total, fed, heard_frames, memory = 3600 * SAMPLE_RATE_HZ, 0, 0, []
    started = time.process_time()
    while fed < total:
        place = fed % sound.shape[1]
        block = sound[:, place : min(place + int(generator.integers(0, 7_200)), place + total - fed)]
        update = stream.feed(block)
        heard_frames += 0 if update.prediction is None else update.prediction.frames
        if (fed + block.shape[1]) // (total // 6) > fed // (total // 6):
            memory.append(round(resident_bytes() / 1e6, 1))
        fed += block.shape[1]
    last = stream.finish().prediction
    return Hour(
        frames=heard_frames + (0 if last is None else last.frames),
        expected_frames=3600 * LABEL_FRAMES_PER_S,
        processor_s=round(time.process_time() - started, 1),
        megabytes_by_ten_minutes=tuple(memory),
    )


@click.command(help=__doc__)
@click.option("--rounds", type=click.IntRange(5), default=30)
@click.option("--target", "targets", type=click.Choice(TARGETS), multiple=True, help="Default: all three.")
@click.option(
    "--bundles", type=click.Path(path_type=Path), default=Path("build/bundles"), help="Made there if missing."
)
@click.option("--hour", "with_hour", is_flag=True, help="Also stream an hour of sound.")
@click.option("--save", is_flag=True, help=f"Write {RESULTS.name} under benchmarks/results.")
def main(rounds: int, targets: tuple[str, ...], bundles: Path, with_hour: bool, save: bool) -> None:
    targets = targets or TARGETS
    rows = [row for model in ("student-s", "student-xs") for row in passes(model, targets, bundles, rounds)]
    rows += [*frames(targets, bundles, rounds), *one_shot(targets, bundles, rounds), *updates(targets, bundles, rounds)]
    hour = an_hour(load(bundle(find_model("student-stream"), "onnx", bundles))) if with_hour else None
    libraries = {"edgeseld", "onnxruntime", "librosa", "numpy", "ai-edge-litert"} | (
        {"executorch"} if "executorch" in targets else set()
    )
    report = RuntimeReport(
        machine=this_machine(),
        versions={name: version(name) for name in sorted(libraries)},
        rounds=rounds,
        rows=tuple(rows),
        hour=hour,
    )
    show(report)
    if save:
        write_atomic(RESULTS, to_json(report))


def show(report: RuntimeReport) -> None:
    """A table per part."""
    for part in dict.fromkeys(row.part for row in report.rows):
        rows = [_cells(row) for row in report.rows if row.part == part]
        print_table(part, ["chain", "median ms", "p90 ms", "of the first", "promised"], rows)
    hour = report.hour
    if hour is not None:
        click.echo(
            f"an hour: {hour.frames} of {hour.expected_frames} frames in {hour.processor_s} s of processor time, "
            f"resident MB every ten minutes: {', '.join(map(str, hour.megabytes_by_ten_minutes))}"
        )


def _cells(row: Row) -> list[str]:
    against = "" if row.ratio is None else f"{row.ratio.value:.3f} ({row.ratio.low:.3f} to {row.ratio.high:.3f})"
    return [row.name, f"{row.time.median_ms:.2f}", f"{row.time.p90_ms:.2f}", against, row.limit]


if __name__ == "__main__":
    run_command(main)
