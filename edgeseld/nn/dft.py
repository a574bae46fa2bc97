"""The discrete Fourier transform as two matrix products, which every export target runs fast.

Cooley-Tukey with n = C n1 + n2 and k = k1 + R k2 for N = R C: a real R-point transform over n1, then one complex
C-point transform over n2 for each k1 with the twiddle factors folded in. Only k1 = 0 .. R/2 are kept: the other bins
are complex conjugates, which change neither powers nor the real part of cross-spectra, so frequencies above Nyquist
count as their mirror images (`mirrored_bins`).
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

COLUMNS = 32


def mirrored_bins(n_fft: int) -> NDArray[np.int64]:
    """FFT bin (0 .. n_fft / 2) of each output of `TwoStageDft`, shape (R / 2 + 1, C)."""
    rows = n_fft // COLUMNS
    bins = np.arange(rows // 2 + 1)[:, None] + rows * np.arange(COLUMNS)[None, :]
    return np.where(bins > n_fft // 2, n_fft - bins, bins)


class TwoStageDft(nn.Module):
    """Windowed real frames to spectra; the phase of mirrored bins has the opposite sign."""

    first: Tensor
    second: Tensor
    window: Tensor

    def __init__(self, window: NDArray[np.float64]) -> None:
        """`window` has n_fft samples, a multiple of 64."""
        super().__init__()
        self.n_fft = window.size
        self.rows = self.n_fft // COLUMNS
        self.kept = self.rows // 2 + 1
        self.register_buffer("window", torch.from_numpy(window).float(), persistent=False)
        self.register_buffer("first", torch.from_numpy(_first_stage(self.rows)).float(), persistent=False)
        self.register_buffer("second", torch.from_numpy(_second_stage(self.rows)).float(), persistent=False)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Frames (count, n_fft) to real and imaginary parts, each (R / 2 + 1, count, C)."""
        count = frames.shape[0]
        folded = (frames * self.window).reshape(count, self.rows, COLUMNS)
        rows = torch.matmul(self.first, folded).reshape(count, self.kept, 2 * COLUMNS)
        spectrum = torch.bmm(rows.transpose(0, 1), self.second)
        return spectrum[:, :, :COLUMNS], spectrum[:, :, COLUMNS:]


def _first_stage(rows: int) -> NDArray[np.float64]:
    """(2 (R / 2 + 1), R): for each k1 the cosine row, then the minus-sine row."""
    angle = 2 * np.pi * np.outer(np.arange(rows // 2 + 1), np.arange(rows)) / rows
    return np.stack([np.cos(angle), -np.sin(angle)], axis=1).reshape(-1, rows)


def _second_stage(rows: int) -> NDArray[np.float64]:
    """(R / 2 + 1, 2 C, 2 C): complex C-point transforms with twiddles, real and imaginary parts stacked."""
    k1 = np.arange(rows // 2 + 1)[:, None, None]
    n2, k2 = np.arange(COLUMNS)[None, :, None], np.arange(COLUMNS)[None, None, :]
    angle = 2 * np.pi * (k1 * n2 / (rows * COLUMNS) + n2 * k2 / COLUMNS)
    real, imaginary = np.cos(angle), -np.sin(angle)
    upper = np.concatenate([real, imaginary], axis=2)
    lower = np.concatenate([-imaginary, real], axis=2)
    return np.concatenate([upper, lower], axis=1)
