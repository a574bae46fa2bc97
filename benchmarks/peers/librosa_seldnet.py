"""librosa log-mel and intensity vector, then SELDnet on ONNX Runtime: what edge deployments of the DCASE baseline do.

Yeow et al. (arXiv 2409.11700) measured this chain on a Raspberry Pi: features take longer than the network.
"""

from pathlib import Path

import librosa
import numpy as np
import onnxruntime
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

HOP_SAMPLES, WINDOW_SAMPLES, N_FFT, MEL_BANDS = 480, 960, 1024, 64
FLOOR = 1e-8


class LibrosaSeldnet:
    """Features of a window by librosa in float32, the network's raw output by ONNX Runtime with one thread."""

    def __init__(self, network: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
        self.mel = librosa.filters.mel(sr=24_000, n_fft=N_FFT, n_mels=MEL_BANDS)

    def features(self, pcm: Float32) -> Float32:
        """Log-mel of W, Y, Z, X and intensity of Y, Z, X, (1, 7, frames, 64)."""
        frames = pcm.shape[1] // HOP_SAMPLES
        spectra = librosa.stft(pcm + FLOOR, n_fft=N_FFT, hop_length=HOP_SAMPLES, win_length=WINDOW_SAMPLES)[
            ..., :frames
        ]
        power = np.abs(spectra) ** 2
        levels = librosa.power_to_db(self.mel @ power, top_db=None)
        energy = FLOOR + power[0] + power[1:].sum(axis=0) / 3.0
        intensity = self.mel @ (np.real(np.conj(spectra[0]) * spectra[1:]) / energy)
        return np.concatenate([levels, intensity]).transpose(0, 2, 1)[np.newaxis].astype(np.float32)

    def __call__(self, pcm: Float32) -> Float32:
        """PCM (4, samples) to the raw output."""
        return self.network(self.features(pcm))

    def network(self, features: Float32) -> Float32:
        """Features to the raw output."""
        output: Float32 = self.session.run(None, {"features": features})[0]
        return output


class CachedFeatures:
    """The same chain at its best in a stream: only the features of new samples are computed, the window rolls.

    librosa's frames are centred: the last one of a block sees silence where the next block will be, which costs the
    same as the samples that are missing.
    """

    def __init__(self, chain: LibrosaSeldnet, window_samples: int) -> None:
        self.chain = chain
        self.past = np.zeros((4, N_FFT), np.float32)
        self.kept = np.zeros((1, 7, window_samples // HOP_SAMPLES, MEL_BANDS), np.float32)

    def __call__(self, block: Float32) -> Float32:
        """New samples (4, a multiple of the hop) to the raw output of the window that ends with them."""
        frames = block.shape[1] // HOP_SAMPLES
        pcm = np.concatenate([self.past, block], axis=1)
        self.past = pcm[:, -N_FFT:]
        self.kept[:, :, :-frames] = self.kept[:, :, frames:]
        self.kept[:, :, -frames:] = self.chain.features(pcm)[:, :, -frames:]
        return self.chain.network(self.kept)
