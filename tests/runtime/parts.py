"""A made-up model in numpy: every graph of a bundle, cheap, and sensitive to every sample, frame, window and mask."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgeseld.core.manifest import GraphSpec, Interface, MaskSiteSpec, MonteCarloSpec, Role, TensorSpec
from edgeseld.core.prediction import DEFAULT_TRACKING, Float32
from edgeseld.core.spec import OutputFormat, SignalSpec, TrackingSpec
from edgeseld.runtime.model import Model

SIGNAL = SignalSpec(n_fft=512, window="tapered", window_samples=512, mel_bands=8, window_frames=6)
CLASSES = ("bell", "knock")
WIDTH = 8
SITES = (MaskSiteSpec(name="head.embedding", channels=WIDTH, rate=0.2),)
OUTPUTS = {"multi-accdoa": ["accdoa"], "accdoa": ["accdoa"], "sed-doa": ["activity", "vectors"], "sed": ["activity"]}


class MadeUpBackend:
    """Graphs as numpy functions; counts how often each is run."""

    def __init__(
        self, head: OutputFormat = "multi-accdoa", *, distance: bool = False, signal: SignalSpec = SIGNAL
    ) -> None:
        generator = np.random.default_rng(5)
        self.head, self.distance, self.signal = head, distance, signal
        self.analysis = generator.normal(0.0, 0.1, (signal.n_fft, signal.mel_bands)).astype(np.float32)
        self.embed = generator.normal(0.0, 1.0, (signal.channels * signal.mel_bands, WIDTH)).astype(np.float32)
        self.tracks = 3 if head == "multi-accdoa" else 1
        self.out = generator.normal(0.0, 0.8, (WIDTH, self.tracks * 4 * len(CLASSES))).astype(np.float32)
        self.runs: list[Role] = []

    def run(self, role: Role, inputs: Sequence[Float32]) -> list[Float32]:
        self.runs.append(role)
        if role == "frontend":
            return [self.frontend(inputs[0])]
        if role == "head":
            return self.decide(inputs[0] * inputs[1])
        if role == "stream":
            embedding, state = self.go_on(self.frontend(inputs[0]), inputs[1])
            return [*self.decide(embedding), embedding, state]
        embedding = self.encode(self.frontend(inputs[0]) if role == "full" else inputs[0])
        return [*self.decide(embedding), embedding]

    def frontend(self, pcm: Float32) -> Float32:
        """(1, channels, samples) to (1, channels, hops, mel_bands); silence is not zero, as after standardisation."""
        hops = (pcm.shape[2] - self.signal.n_fft) // self.signal.hop_samples + 1
        starts = np.arange(hops) * self.signal.hop_samples
        frames = np.stack([pcm[0, :, start : start + self.signal.n_fft] for start in starts], axis=1)
        return (np.abs(frames @ self.analysis) - 0.5)[np.newaxis]

    def encode(self, features: Float32) -> Float32:
        """Mean over the hops of a label frame, and a little of the mean over the window: (1, frames, WIDTH)."""
        per_frame = features.reshape(1, features.shape[1], -1, self.signal.hops_per_label_frame, features.shape[3])
        frames = per_frame.mean(axis=3).transpose(0, 2, 1, 3).reshape(1, per_frame.shape[2], -1)
        return np.tanh((frames + 0.3 * frames.mean(axis=1, keepdims=True)) @ self.embed)

    def go_on(self, features: Float32, past: Float32) -> tuple[Float32, Float32]:
        """One label frame that remembers all frames before it, and what the next one remembers."""
        frame = features.reshape(1, 1, -1, self.signal.hops_per_label_frame, features.shape[3]).mean(axis=3)
        state = 0.7 * past + frame.reshape(1, 1, -1)
        return np.tanh(state @ self.embed), state

    def decide(self, embedding: Float32) -> list[Float32]:
        y = (embedding @ self.out).reshape(*embedding.shape[:2], self.tracks, 4, len(CLASSES))
        if self.head in ("multi-accdoa", "accdoa"):
            return [np.concatenate([np.tanh(y[:, :, :, :3]), y[:, :, :, 3:]][: 1 + self.distance], axis=3)]
        activity, vectors, metres = 1 / (1 + np.exp(-y[:, :, 0, 0])), np.tanh(y[:, :, 0, 1:]), np.abs(y[:, :, 0, 1])
        outputs = [activity] + [vectors] * (self.head == "sed-doa") + [metres] * self.distance
        return [output.astype(np.float32) for output in outputs]


def made_up_model(
    head: OutputFormat = "multi-accdoa",
    *,
    distance: bool = False,
    chunk: int = 4,
    tile_frames: int = 7,
    roles: Sequence[Role] = ("full", "head", "frontend", "encoder"),
    sites: tuple[MaskSiteSpec, ...] = SITES,
    tracking: TrackingSpec = DEFAULT_TRACKING,
) -> Model:
    """The model with its interface; the frontend graph covers `tile_frames` label frames."""
    backend = MadeUpBackend(head, distance=distance)
    names = OUTPUTS[head] + ["distance"] * (distance and head == "sed-doa")
    outputs = (*(_tensor(name) for name in names), _tensor("embedding"))
    hops = tile_frames * SIGNAL.hops_per_label_frame
    features = _tensor("features", 1, SIGNAL.channels, hops, SIGNAL.mel_bands)
    graphs: dict[Role, GraphSpec] = {
        "full": GraphSpec(file="full", inputs=(_tensor("pcm"),), outputs=outputs),
        "head": GraphSpec(file="head", inputs=(_tensor("embedding"), _tensor("mask_0")), outputs=outputs[:-1]),
        "frontend": GraphSpec(file="frontend", inputs=(_tensor("pcm"),), outputs=(features,)),
        "encoder": GraphSpec(file="encoder", inputs=(_tensor("features"),), outputs=outputs),
        "stream": GraphSpec(
            file="stream", inputs=(_tensor("pcm"), _state("state_0")), outputs=(*outputs, _state("next_state_0"))
        ),
    }
    interface = Interface(
        id="made-up",
        signal=SIGNAL,
        context_samples=SIGNAL.context_samples,
        output_format=head,
        classes=CLASSES,
        tracking=tracking,
        graphs={role: graphs[role] for role in roles},
        monte_carlo=MonteCarloSpec(sites=sites, chunk_samples=chunk) if "head" in roles else None,
    )
    return Model(interface, backend)


def _tensor(name: str, *shape: int) -> TensorSpec:
    return TensorSpec(name=name, shape=shape or (1,), meaning="made up")


def _state(name: str) -> TensorSpec:
    return _tensor(name, 1, 1, SIGNAL.channels * SIGNAL.mel_bands)


def causal_model(
    head: OutputFormat = "multi-accdoa", *, tracking: TrackingSpec = DEFAULT_TRACKING, **options: Any
) -> Model:
    """The model that goes from frame to frame."""
    return made_up_model(head, roles=("full", "head", "stream"), tracking=tracking, **options)


def noise(samples: int, seed: int = 0) -> Float32:
    """Four channels of noise whose level changes from label frame to label frame."""
    generator = np.random.default_rng(seed)
    level = np.repeat(generator.uniform(0.05, 1.0, samples // 2400 + 1), 2400)[:samples]
    return (generator.normal(0.0, 1.0, (4, samples)) * level).astype(np.float32)
