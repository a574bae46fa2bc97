"""Short-time spectra of whole files, as librosa centres them, in chunks that stay in the cache."""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Complex128 = NDArray[np.complex128]

# The DCASE baselines add it to every sample.
SAMPLE_OFFSET = 1e-8
# Windowed frames of a chunk, channels times frames: 128 of 1024 samples are 1 MB, half a core's cache.
CHUNK_FRAMES = 128


def centred_spectra(audio: Float32, window: Float64, hop_samples: int) -> Iterator[tuple[slice, Complex128]]:
    """Frames and their spectra (channels, frames, n_fft // 2 + 1), chunk by chunk; `window` is n_fft samples long.

    Frame t of samples // hop_samples is centred on sample t x hop_samples of audio + 1e-8, zeros around it. Transformed
    in float64: in float32 a loud band would drown one 80 dB below it. Each chunk overwrites the one before.
    """
    channels, samples = audio.shape
    frames, n_fft = samples // hop_samples, window.size
    chunk = min(max(1, CHUNK_FRAMES // channels), frames)
    pcm = np.zeros((channels, (chunk - 1) * hop_samples + n_fft))
    overlapping = as_strided(pcm, (channels, chunk, n_fft), (pcm.strides[0], 8 * hop_samples, 8), writeable=False)
    windowed = np.empty((channels, chunk, n_fft))
    windows = np.tile(window, (channels, chunk, 1))
    spectra = np.empty((channels, chunk, n_fft // 2 + 1), np.complex128)
    for first in range(0, frames, max(1, chunk)):
        _load(pcm, audio, first * hop_samples - n_fft // 2)
        np.copyto(windowed, overlapping)
        # A product with as many windows as frames runs at twice the speed of a broadcast one.
        np.multiply(windowed, windows, out=windowed)
        np.fft.rfft(windowed, out=spectra)
        count = min(chunk, frames - first)
        yield slice(first, first + count), spectra[:, :count]


def _load(pcm: Float64, audio: Float32, start: int) -> None:
    """Fill `pcm` with audio from sample `start` on, zeros before and after the file."""
    first, last = max(0, start), min(audio.shape[1], start + pcm.shape[1])
    pcm[:, : first - start] = 0.0
    pcm[:, last - start :] = 0.0
    inside = pcm[:, first - start : last - start]
    np.copyto(inside, audio[:, first:last])
    inside += SAMPLE_OFFSET
