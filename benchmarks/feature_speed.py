"""How long reference features take: `python -m benchmarks.feature_speed`.

One minute of four channels, one thread, all rivals in one run and in turn:
- in memory: edgeseld, in numpy and compiled, beside the same features through librosa's STFT of float32 audio, written
  for speed;
- per file: wav in, array file out, beside the recipe of the DCASE baselines: scipy reads, librosa transforms channel by
  channel in float64, one pass per step, numpy saves.
Beside that what the first compiled features of a process cost, imports and all: with nothing kept on disk, and after.
The rivals must agree before they are timed. Times are the best of the rounds, processor time: others' load only adds.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from itertools import combinations
from pathlib import Path

import click
import librosa
import numpy as np
import scipy.io.wavfile
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.score_speed import cpu
from edgeseld.cli import run_command
from edgeseld.core.atomic import write_atomic
from edgeseld.core.frames import SAMPLE_RATE_HZ
from edgeseld.signal.audio import read_audio, write_audio
from edgeseld.signal.compiled import compiled_features
from edgeseld.signal.features import reference_features
from edgeseld.signal.presets import PRESETS, FeaturePreset
from tests.signal.librosa_reference import librosa_features

Float32 = NDArray[np.float32]

SECONDS = 60
NAMES = ("dcase2023-foa", "dcase2023-mic", "salsa-lite")
LIBRARIES = ("numpy", "numba", "scipy", "librosa", "soundfile", "edgeseld")
Features = Callable[[Float32, FeaturePreset], Float32]


def made_audio() -> Float32:
    """Noise with a falling spectrum; how long features take does not depend on what is heard."""
    steps = np.random.default_rng(0).standard_normal((4, SECONDS * SAMPLE_RATE_HZ))
    smooth = np.cumsum(steps, axis=1) - np.cumsum(steps.mean(axis=1, keepdims=True) * np.ones_like(steps), axis=1)
    return (0.5 * smooth / np.abs(smooth).max() + 0.02 * steps / 5.0).astype(np.float32)


def librosa_float32(audio: Float32, preset: FeaturePreset) -> Float32:
    """The features in float32 with librosa doing spectra, mel weights and decibels, all channels at once."""
    frames = audio.shape[1] // preset.hop_samples
    spectra = librosa.stft(
        audio, n_fft=preset.n_fft, hop_length=preset.hop_samples, win_length=preset.window_samples, window=preset.window
    )[..., :frames]
    power = np.abs(spectra) ** 2
    if preset.spatial == "salsa-lite":
        maps = _salsa_lite(spectra[:, 2:384], power[:, 2:384])
        return np.swapaxes(maps, 1, 2)
    mel = librosa.filters.mel(sr=SAMPLE_RATE_HZ, n_fft=preset.n_fft, n_mels=preset.bins)
    logs = np.stack([librosa.power_to_db(channel, top_db=preset.dynamic_range_db) for channel in mel @ power])
    spatial = mel @ _intensity(spectra, power) if preset.spatial == "intensity" else _gcc_phat(spectra, preset.bins)
    return np.swapaxes(np.concatenate([logs, spatial]), 1, 2)


def _intensity(spectra: NDArray[np.complex64], power: Float32) -> Float32:
    energy = np.float32(1e-8) + power[0] + power[1:].sum(axis=0) / np.float32(3)
    return np.real(np.conj(spectra[0]) * spectra[1:]) / energy


def _gcc_phat(spectra: NDArray[np.complex64], lags: int) -> Float32:
    unit = spectra / np.maximum(np.abs(spectra), np.float32(1e-30))
    pairs = combinations(unit, 2)
    correlations = [np.fft.irfft(np.conj(first) * second, axis=0) for first, second in pairs]
    return np.stack([np.concatenate([c[-lags // 2 :], c[: lags // 2]]) for c in correlations]).astype(np.float32)


def _salsa_lite(spectra: NDArray[np.complex64], power: Float32) -> Float32:
    phases = np.angle(spectra[1:] * np.conj(spectra[0]))
    phases /= (2 * np.pi * SAMPLE_RATE_HZ / (1024 * 343) * np.arange(2, 384, dtype=np.float32))[:, None]
    phases[:, 85:] = 0
    return np.concatenate([librosa.power_to_db(power, top_db=None), phases])


def edgeseld_file(features: Features, path: Path, preset: FeaturePreset, output: Path) -> None:
    """Wav in, float32 array file out."""
    np.save(output, features(read_audio(path, preset.channel_format), preset))


def official_file(path: Path, preset: FeaturePreset, output: Path) -> None:
    """Wav in, float64 array file (frames, columns) out, as the DCASE baselines go."""
    steps = scipy.io.wavfile.read(path)[1]
    maps = librosa_features((steps / 32768.0).T, preset)
    columns = np.moveaxis(maps, 0, 1).reshape(maps.shape[1], -1)
    if np.isnan(columns).any():
        raise click.ClickException("the features hold values that are not numbers")
    np.save(output, columns)


def seconds(jobs: list[Callable[[], object]], rounds: int) -> NDArray[np.float64]:
    """Processor time (rounds, jobs), the jobs in turn so that a busy machine slows them alike; the first is a trial."""
    times = np.zeros((rounds + 1, len(jobs)))
    for index in np.ndindex(times.shape):
        start = time.process_time()
        jobs[index[1]]()
        times[index] = time.process_time() - start
    return times[1:]


def check_agreement(audio: Float32, preset: FeaturePreset) -> None:
    """The rivals must compute the same: float64 within 1e-4 dB, float32 within 0.1 dB."""
    rivals = ((librosa_features(audio, preset), 1e-4), (librosa_float32(audio, preset), 0.1))
    for features in (reference_features(audio, preset), compiled_features(audio, preset)):
        for rival, tolerance in rivals:
            difference = np.abs(features - rival)[:4].max()
            if difference > tolerance:
                raise click.ClickException(f"the features differ by {difference} dB")


def compare(name: str, audio: Float32, folder: Path, rounds: int) -> dict[str, float]:
    """Best times in seconds and their ratios for one preset."""
    preset, wav, array = PRESETS[name], folder / "scene.wav", folder / "features.npy"
    check_agreement(read_audio(wav, preset.channel_format)[:, : 5 * SAMPLE_RATE_HZ], preset)
    jobs: dict[str, Callable[[], object]] = {
        "edgeseld_s": lambda: reference_features(audio, preset),
        "compiled_s": lambda: compiled_features(audio, preset),
        "librosa_float32_s": lambda: librosa_float32(audio, preset),
        "edgeseld_file_s": lambda: edgeseld_file(reference_features, wav, preset, array),
        "compiled_file_s": lambda: edgeseld_file(compiled_features, wav, preset, array),
        "official_file_s": lambda: official_file(wav, preset, array),
    }
    best = dict(zip(jobs, seconds(list(jobs.values()), rounds).min(axis=0).tolist(), strict=True))
    for ours in ("edgeseld", "compiled"):
        best[f"librosa_over_{ours}"] = best["librosa_float32_s"] / best[f"{ours}_s"]
        best[f"official_over_{ours}"] = best["official_file_s"] / best[f"{ours}_file_s"]
    return best


FIRST_FEATURES = """
import time
import numpy as np
from edgeseld.signal.presets import PRESETS
start = time.process_time()
from edgeseld.signal.compiled import compiled_features
for name in {names}:
    compiled_features(np.zeros((4, 480), np.float32), PRESETS[name])
print(time.process_time() - start)
"""


def first_features_s(kept: Path) -> float:
    """Seconds of a new process for all presets, numba's import among them, with compiled code kept in a folder."""
    command = [sys.executable, "-c", FIRST_FEATURES.format(names=NAMES)]
    environment = os.environ | {"NUMBA_CACHE_DIR": str(kept)}
    return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=15, help="timed repetitions")
@click.option("--output", type=click.Path(path_type=Path), default=Path("benchmarks/results/feature_speed.json"))
def main(rounds: int, output: Path) -> None:
    """Print seconds per minute of four-channel audio and the ratios; keep them as JSON."""
    report: dict[str, object] = {"cpu": cpu(), "threads": 1, "rounds": rounds, "python": platform.python_version()}
    report |= {library: version(library) for library in LIBRARIES}
    audio = made_audio()
    with tempfile.TemporaryDirectory() as temporary, threadpool_limits(1):
        write_audio(Path(temporary) / "scene.wav", audio)
        for name in NAMES:
            report[name] = figures = compare(name, audio, Path(temporary), rounds)
            click.echo(f"{name}: " + ", ".join(f"{key} {value:.3g}" for key, value in figures.items()))
        for key in ("first_compiled_s", "first_compiled_kept_s"):
            report[key] = first_features_s(Path(temporary) / "kept")
            click.echo(f"{key} {report[key]:.2g}")
    write_atomic(output, json.dumps(report, indent=1).encode() + b"\n")


if __name__ == "__main__":
    run_command(main)
