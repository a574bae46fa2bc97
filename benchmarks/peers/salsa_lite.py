"""librosa SALSA-lite, then SELDnet on ONNX Runtime: the cheap features for microphone arrays.

Nguyen et al., "SALSA-Lite: A fast and effective feature for polyphonic sound event localization and detection with
microphone arrays" (ICASSP 2022), in the form of the DCASE 2023 baseline: 382 bins, SELDnet with the pools it has for
mel bands. Weights are drawn at random: what the chain costs does not depend on them.
"""

from pathlib import Path

import librosa
import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Float32 = NDArray[np.float32]

RATE_HZ, HOP_SAMPLES, WINDOW_SAMPLES, N_FFT = 24_000, 480, 960, 1024
FIRST_BIN, BINS, CLEAR_BINS = 2, 382, 85
SPEED_OF_SOUND_M_S = 343.0
FLOOR = 1e-8
POOLS = ((5, 4), (1, 4), (1, 2))
WIDTH, OUTPUTS = 128, 117


class SalsaLiteSeldnet:
    """Features of a window by librosa in float32, the network's raw output by ONNX Runtime with one thread."""

    def __init__(self, samples: int, folder: Path) -> None:
        path = folder / "salsa_lite.onnx"
        features = torch.zeros(1, 7, samples // HOP_SAMPLES, BINS)
        torch.manual_seed(0)
        torch.onnx.export(Seldnet().eval(), (features,), path, input_names=["features"], dynamo=True, verbose=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        bins = np.arange(FIRST_BIN, FIRST_BIN + CLEAR_BINS, dtype=np.float32)
        self.metres_per_radian = (N_FFT * SPEED_OF_SOUND_M_S / (2.0 * np.pi * RATE_HZ) / bins)[:, np.newaxis]

    def features(self, pcm: Float32) -> Float32:
        """Log power of four microphones and path differences to the first, (1, 7, frames, 382)."""
        frames = pcm.shape[1] // HOP_SAMPLES
        spectra = librosa.stft(pcm + FLOOR, n_fft=N_FFT, hop_length=HOP_SAMPLES, win_length=WINDOW_SAMPLES)
        kept = spectra[:, FIRST_BIN : FIRST_BIN + BINS, :frames]
        levels = librosa.power_to_db(np.abs(kept) ** 2, top_db=None)
        paths = np.zeros_like(levels[1:])
        clear = kept[:, :CLEAR_BINS]
        paths[:, :CLEAR_BINS] = np.angle(clear[1:] * np.conj(clear[0])) * self.metres_per_radian
        return np.concatenate([levels, paths]).transpose(0, 2, 1)[np.newaxis].astype(np.float32)

    def __call__(self, pcm: Float32) -> Float32:
        """PCM (4, samples) to the raw output."""
        output: Float32 = self.session.run(None, {"features": self.features(pcm)})[0]
        return output


class Seldnet(nn.Module):
    """The DCASE 2023 baseline: three convolutions, two gated GRU layers, two of self-attention, two linear ones."""

    def __init__(self) -> None:
        super().__init__()
        channels = (7, 64, 64, 64)
        self.convolutions = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(p))
                for before, after, p in zip(channels, channels[1:], POOLS, strict=False)
            )
        )
        inputs = channels[-1] * (BINS // 32)
        self.gru = nn.GRU(inputs, WIDTH, num_layers=2, batch_first=True, bidirectional=True)
        self.attention = nn.ModuleList(nn.MultiheadAttention(WIDTH, 8, batch_first=True) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(2))
        self.head = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, OUTPUTS), nn.Tanh())

    def forward(self, features: Tensor) -> Tensor:
        """(batch, 7, hops, 382) to (batch, hops / 5, 117)."""
        maps = self.convolutions(features).transpose(1, 2).flatten(2)
        x = torch.tanh(self.gru(maps)[0])
        x = x[..., WIDTH:] * x[..., :WIDTH]
        for attention, norm in zip(self.attention, self.norms, strict=True):
            x = norm(x + attention(x, x, x, need_weights=False)[0])
        return self.head(x)
