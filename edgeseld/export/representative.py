"""What static quantisation is calibrated on: windows from a whisper to full scale, so that loud sounds fit."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from edgeseld.core.errors import ExportError
from edgeseld.core.frames import LABEL_FRAME_SAMPLES, SAMPLE_RATE_HZ
from edgeseld.core.manifest import Role
from edgeseld.core.prediction import Float32
from edgeseld.core.spec import SignalSpec
from edgeseld.data.synth.builtin import SOUNDS, builtin_sound
from edgeseld.export.channel_formats import in_format
from edgeseld.export.graphs import Graph
from edgeseld.runtime.golden import formula_cases
from edgeseld.runtime.windows import cut
from edgeseld.signal.ambisonics import foa_gains
from edgeseld.signal.audio import read_audio

Inputs = tuple[np.ndarray, ...]
Runs = Mapping[Role, list[Inputs]]
QUIETEST_DB, LOUDEST_DB = -50.0, 0.0
QUIETEST_NOISE_DB, LOUDEST_NOISE_DB = -90.0, -40.0
SOUNDS_PER_WINDOW = 3
# Static calibration of a stream sees one frame in so many; neighbours are alike.
STREAM_STRIDE = 5
AUDIO_SUFFIXES = (".wav", ".flac", ".npy")


def calibration_windows(folder: Path | None, signal: SignalSpec, count: int) -> Float32:
    """Recorded windows where a folder is named, made ones otherwise."""
    return builtin_windows(signal, count) if folder is None else recorded_windows(folder, signal, count)


def builtin_windows(signal: SignalSpec, count: int) -> Float32:
    """Made scenes and the golden extremes: (count, channels, context + window samples), the same every time."""
    samples = signal.context_samples + signal.window_pcm_samples
    extremes = np.concatenate(list(formula_cases(signal.channels, samples).values()))
    scenes = [in_format(_scene(number, samples), signal.channel_format) for number in range(count - len(extremes))]
    return np.concatenate([extremes, np.stack(scenes)])[:count] if scenes else extremes[:count]


def _scene(number: int, samples: int) -> Float32:
    """Built-in sounds of three kinds from random directions over noise, FOA (4, samples)."""
    rng = np.random.default_rng((1701, number))
    noise = _gain(rng.uniform(QUIETEST_NOISE_DB, LOUDEST_NOISE_DB))
    scene = rng.normal(0.0, noise, (4, samples))
    level = _gain(rng.uniform(QUIETEST_DB, LOUDEST_DB))
    for kind in rng.choice(sorted(SOUNDS), SOUNDS_PER_WINDOW, replace=False):
        sound = builtin_sound(str(kind), (number,))[:samples]
        start = int(rng.integers(0, samples - sound.size + 1))
        direction = foa_gains(rng.uniform(-180, 180), rng.uniform(-60, 60))[:, np.newaxis]
        scene[:, start : start + sound.size] += direction * sound * level
    loudest = max(float(np.abs(scene).max()), 1.0)
    scaled: Float32 = (scene / loudest).astype(np.float32)
    return scaled


def recorded_windows(folder: Path, signal: SignalSpec, count: int) -> Float32:
    """Windows spread over the recordings below a folder, brought to levels from a whisper to full scale.

    ExportError where there are none, or where their rate is not the model's: resampled audio lacks high bands, and
    ranges learnt on it are wrong.
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix in AUDIO_SUFFIXES)
    if not files:
        raise ExportError(f"calibration needs {', '.join(AUDIO_SUFFIXES)} recordings, {folder} holds none: name others")
    chosen = [files[index * len(files) // count] for index in range(count)]
    return np.stack([_recorded(path, index, count, signal) for index, path in enumerate(chosen)])


def _recorded(path: Path, index: int, count: int, signal: SignalSpec) -> Float32:
    rate_hz = SAMPLE_RATE_HZ if path.suffix == ".npy" else soundfile.info(path).samplerate
    if rate_hz != SAMPLE_RATE_HZ:
        raise ExportError(
            f"calibration data must have {SAMPLE_RATE_HZ} Hz, {path} has {rate_hz}: name recordings of that rate"
        )
    audio = read_audio(path, signal.channel_format)
    samples = signal.context_samples + signal.window_pcm_samples
    start = max(audio.shape[1] - samples, 0) * index // count
    window = cut(audio, start, start + samples)
    level = _gain(QUIETEST_DB + (LOUDEST_DB - QUIETEST_DB) * (index + 1) / count)
    return window * np.float32(level / max(float(np.abs(window).max()), 1e-9))


def _gain(level_db: float) -> float:
    return float(10 ** (level_db / 20))


def graph_inputs(graphs: Mapping[Role, Graph], windows: Float32) -> dict[Role, list[Inputs]]:
    """What every graph would be given while the windows are heard."""
    runs: dict[Role, list[Inputs]] = {role: [] for role in graphs}
    takes_features = graphs["full"].inputs[0].name == "features"
    network: Any = graphs["full"].module.network
    frontend = network.frontend
    with torch.no_grad():
        for number, window in enumerate(windows):
            pcm = torch.from_numpy(window).unsqueeze(0)
            features = frontend(pcm)
            first = features if takes_features else pcm
            runs["full"].append((first.numpy(),))
            embedding = graphs["full"].module(first)[-1]
            if "encoder" in runs:
                runs["encoder"].append((features.numpy(),))
            if "head" in runs:
                runs["head"].append((embedding.numpy(), *_masks(graphs["head"], number)))
            if "stream" in runs:
                runs["stream"] += _steps(graphs["stream"], pcm)
    return runs


def _masks(head: Graph, number: int) -> list[np.ndarray]:
    """Masks with a fifth of the channels dropped."""
    rng = np.random.default_rng((1702, number))
    return [np.where(rng.random(mask.shape) < 0.2, 0.0, 1.25).astype(np.float32) for mask in head.examples[1:]]


def _steps(stream: Graph, pcm: torch.Tensor) -> list[Inputs]:
    """Every few steps of a stream with the state that it has then."""
    width = stream.examples[0].shape[2]
    state = [torch.zeros_like(example) for example in stream.examples[1:]]
    kept = []
    for index, start in enumerate(range(0, pcm.shape[2] - width + 1, LABEL_FRAME_SAMPLES)):
        inputs = (pcm[:, :, start : start + width], *state)
        if index % STREAM_STRIDE == 0:
            kept.append(tuple(np.ascontiguousarray(tensor.numpy()) for tensor in inputs))
        outputs = stream.module(*inputs)
        state = list(outputs[len(outputs) - len(state) :])
    return kept
