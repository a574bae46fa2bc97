"""PCM to standardised features inside the graph: log-mel and spatial cues, float32 always, causal."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from edgeseld.core.spec import SignalSpec
from edgeseld.nn.dft import COLUMNS, TwoStageDft, mirrored_bins
from edgeseld.signal.mel import mel_matrix
from edgeseld.signal.window import analysis_window

# Power below which nothing is heard, in the units of the DCASE features: near the quantisation noise of 16-bit audio,
# and above the rounding errors beside a full-scale tone, so that every target agrees. Powers inside the graph are
# multiples of it: the floor is then the constant 1, which no graph optimiser takes for zero (they do take 1e-8).
POWER_FLOOR = 1e-8


Spectrum = tuple[Tensor, Tensor]


def feature_channels(signal: SignalSpec) -> int:
    """Feature maps: a log-mel per channel, one per intensity axis or two per pair of microphones."""
    channels = signal.channels
    spatial = {"none": 0, "intensity": 3, "band-intensity": 3, "band-phase": channels * (channels - 1)}
    return channels + spatial[signal.spatial]


class Frontend(nn.Module):
    """PCM with its context to standardised features.

    The features are log(1 + mel power / 1e-8) of every channel, then, by `signal.spatial`,
    "intensity": the DCASE intensity vector, normalised per bin (floor 1e-8), then mel weighted (Y, Z, X);
    "band-intensity": mel-weighted intensity over mel-weighted energy (Y, Z, X), the same floor;
    "band-phase": real and imaginary part of the mel-weighted coherence of each pair of microphones.
    """

    mel: Tensor
    mel_signed: Tensor
    mean: Tensor
    inverse_std: Tensor

    def __init__(self, signal: SignalSpec) -> None:
        super().__init__()
        self.signal = signal
        window = analysis_window(signal.window, signal.window_samples, signal.n_fft)
        self.dft = TwoStageDft(window / np.sqrt(POWER_FLOOR))
        weights, signs = _mirrored_mel(signal.n_fft, signal.mel_bands)
        self.register_buffer("mel", torch.from_numpy(weights).float(), persistent=False)
        self.register_buffer("mel_signed", torch.from_numpy(weights * signs).float(), persistent=False)
        shape = (feature_channels(signal), 1, signal.mel_bands)
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("inverse_std", torch.ones(shape))

    def forward(self, pcm: Tensor) -> Tensor:
        """PCM (batch, channels, context + hops * hop_samples) to (batch, feature_channels, hops, mel_bands)."""
        return self.standardise(self.features(pcm))

    def standardise(self, features: Tensor) -> Tensor:
        """Zero mean and unit deviation per feature map and mel band, with the statistics of the training set."""
        return (features - self.mean) * self.inverse_std

    def features(self, pcm: Tensor) -> Tensor:
        """The same shape as `forward`, before standardisation."""
        power, cues = self.cues(pcm)
        return _joined([torch.log(power + 1.0), *cues], dim=1)

    def cues(self, pcm: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Mel power over the floor of every channel, and the spatial maps, each (batch, maps, hops, mel_bands)."""
        spectrum = self._spectrum(pcm)
        power = self._mel(_power(spectrum), self.mel)
        if self.signal.spatial == "none":
            return power, ()
        if self.signal.spatial == "band-phase":
            return power, self._coherence(spectrum, power)
        return power, (self._intensity(spectrum, power),)

    def _intensity(self, spectrum: Spectrum, power: Tensor) -> Tensor:
        """Active intensity along Y, Z, X over the energy density, per bin or per mel band."""
        cross = _cross_real(spectrum, first=0)
        if self.signal.spatial == "intensity":
            energy = _energy(_power(spectrum), dim=2) + 1.0
            return self._mel(cross / energy, self.mel)
        return self._mel(cross, self.mel) / (_energy(power, dim=1) + 1.0)

    def _coherence(self, spectrum: Spectrum, power: Tensor) -> tuple[Tensor, Tensor]:
        """Real and imaginary part of the mel-weighted coherence of every pair of channels."""
        firsts = range(self.signal.channels - 1)
        real = self._mel(_joined([_cross_real(spectrum, first) for first in firsts], dim=2), self.mel)
        imaginary = self._mel(_joined([_cross_imaginary(spectrum, first) for first in firsts], dim=2), self.mel_signed)
        product = _joined([power[:, first : first + 1] * power[:, first + 1 :] for first in firsts], dim=1)
        scale = torch.rsqrt(product + 1.0)
        return real * scale, imaginary * scale

    def _spectrum(self, pcm: Tensor) -> Spectrum:
        """Real and imaginary parts, each (R / 2 + 1, batch, channels, hops, C)."""
        batch, channels = pcm.shape[:2]
        frames = self._frames(pcm.reshape(batch * channels, -1))
        hops = frames.shape[1]
        real, imaginary = self.dft(frames.reshape(batch * channels * hops, -1))
        shape = (real.shape[0], batch, channels, hops, real.shape[2])
        return real.reshape(shape), imaginary.reshape(shape)

    def _mel(self, bins: Tensor, weights: Tensor) -> Tensor:
        """Bins (R / 2 + 1, batch, maps, hops, C) to mel bands (batch, maps, hops, mel_bands)."""
        rows, batch, maps, hops, columns = bins.shape
        flat = bins.permute(1, 2, 3, 0, 4).reshape(batch * maps * hops, rows * columns)
        return torch.matmul(flat, weights).reshape(batch, maps, hops, self.signal.mel_bands)

    def _frames(self, pcm: Tensor) -> Tensor:
        """Overlapping frames (rows, hops, n_fft) by reshape, slice and concatenation: targets run a gather slowly."""
        hop, n_fft = self.signal.hop_samples, self.signal.n_fft
        hops = (pcm.shape[1] - n_fft) // hop + 1
        pieces = -(-n_fft // hop)
        padded = F.pad(pcm, (0, (hops + pieces - 1) * hop - pcm.shape[1]))
        blocks = padded.reshape(pcm.shape[0], hops + pieces - 1, hop)
        parts = [blocks[:, i : i + hops, : min(hop, n_fft - i * hop)] for i in range(pieces)]
        return torch.cat(parts, dim=2)


def _joined(parts: Sequence[Tensor], dim: int) -> Tensor:
    """Tensors one after the other; XNNPACK takes no concatenation of one."""
    return torch.cat(tuple(parts), dim=dim) if len(parts) > 1 else parts[0]


def _mirrored_mel(n_fft: int, mel_bands: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mel weights of the bins in the order of the DFT, and -1 for those whose phase is mirrored."""
    bins = mirrored_bins(n_fft)
    times = np.bincount(bins.ravel(), minlength=n_fft // 2 + 1)[:, None]
    weights = (mel_matrix(n_fft, mel_bands) / times)[bins.ravel()]
    rows = n_fft // COLUMNS
    natural = (np.arange(rows // 2 + 1)[:, None] + rows * np.arange(COLUMNS)[None, :]) == bins
    return weights, np.where(natural.ravel(), 1.0, -1.0)[:, None]


def _power(spectrum: Spectrum) -> Tensor:
    real, imaginary = spectrum
    return real * real + imaginary * imaginary


def _cross_real(spectrum: Spectrum, first: int) -> Tensor:
    """Real part of conj(first channel) x each later channel."""
    real, imaginary = spectrum
    one, rest = slice(first, first + 1), slice(first + 1, None)
    return real[:, :, one] * real[:, :, rest] + imaginary[:, :, one] * imaginary[:, :, rest]


def _cross_imaginary(spectrum: Spectrum, first: int) -> Tensor:
    """Imaginary part of conj(first channel) x each later channel."""
    real, imaginary = spectrum
    one, rest = slice(first, first + 1), slice(first + 1, None)
    return real[:, :, one] * imaginary[:, :, rest] - imaginary[:, :, one] * real[:, :, rest]


def _energy(power: Tensor, dim: int) -> Tensor:
    """|W|^2 + (|Y|^2 + |Z|^2 + |X|^2) / 3, the divisor of the DCASE intensity vector."""
    return power.narrow(dim, 0, 1) + power.narrow(dim, 1, 3).sum(dim, keepdim=True) / 3.0
