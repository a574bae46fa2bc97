"""The three features that published baselines feed their networks, compiled by numba for whole data sets.

For other presets and for single files `reference_features` does: loading numba takes longer than a minute of audio.
"""

from collections.abc import Callable
from functools import cache
from math import copysign, sqrt

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import BackendMissingError
from edgeseld.signal.features import LOG_MAPS, check_audio, reference_features
from edgeseld.signal.gcc_phat import GAIN, lag_matrices
from edgeseld.signal.intensity import ENERGY_FLOOR
from edgeseld.signal.mel import mel_matrix
from edgeseld.signal.presets import FeaturePreset, SpatialCue
from edgeseld.signal.salsa_lite import clear_bins, first_bin, radians_per_metre
from edgeseld.signal.spectral_power import clip_range, to_decibels
from edgeseld.signal.window import analysis_window

try:
    from edgeseld.signal.lane_transform import LANES, Workspace, compiled, lane_spectra, row_kernel
except ImportError as error:
    raise BackendMissingError("compiling features", "fast") from error

Float32 = NDArray[np.float32]
Int64 = NDArray[np.int64]

N_FFT = 1024
PAIRS = 6
ONE = np.float32(1)
THIRD = np.float32(1 / 3)
HALF_TURN, QUARTER_TURN, EIGHTH_TURN = np.float32(np.pi), np.float32(np.pi / 2), np.float32(np.pi / 4)
# Arctangent below tan(pi / 8), its argument's odd powers from the ninth down (Cephes, atanf.c): within 2e-7.
TAN_PI_8 = np.float32(0.41421356)
ODD_POWERS = tuple(np.float32(value) for value in (8.05374449538e-2, -0.138776856032, 0.199777106478, -0.333329491539))


def compiled_features(audio: Float32, preset: FeaturePreset) -> Float32:
    """`reference_features` for many files: faster, within 2e-5 dB and 1e-6 of them; other presets are theirs.

    Loading numba and the code that it keeps on disk takes a process a second or two, the very first compilation some
    seconds more. BackendMissingError without numba (when this module is imported), other errors as there.
    """
    if preset.spatial not in BLOCK_MAPS or preset.n_fft != N_FFT:
        return reference_features(audio, preset)
    check_audio(audio, preset)
    audio = np.ascontiguousarray(audio, np.float32)
    frames = audio.shape[1] // preset.hop_samples
    features = np.empty((preset.maps, frames, preset.bins), np.float32)
    work = Workspace.of(analysis_window(preset.window, preset.window_samples, N_FFT), preset.hop_samples)
    real, imaginary = np.empty((2, N_FFT // 2 + 1, preset.channels, LANES), np.float32)
    logs = LOG_MAPS[preset.channel_format]
    for first in range(0, frames, LANES):
        lane_spectra(audio, first, preset.hop_samples, work, real, imaginary)
        block = features[:, first : first + LANES]
        BLOCK_MAPS[preset.spatial](real, imaginary, block)
        to_decibels(block[:logs])
    if preset.dynamic_range_db is not None:
        clip_range(features[:logs], preset.dynamic_range_db)
    return features


def _intensity_block(real: Float32, imaginary: Float32, out: Float32) -> None:
    """Spectra (bins, 4, 16) to mel power and intensity (7, frames, mel_bands), as `intensity_maps`."""
    mel = np.zeros((out.shape[2] + 2, 7 * LANES), np.float32)
    _weight_intensity(real, imaginary, *_mel_pairs(out.shape[2]), mel)
    _from_lanes(mel[1:-1], out)


def _gcc_phat_block(real: Float32, imaginary: Float32, out: Float32) -> None:
    """Spectra (bins, 4, 16) to mel power and correlations (10, frames, lags), as `gcc_phat_maps`."""
    bands, half = out.shape[2], out.shape[2] // 2
    mel = np.zeros((bands + 2, 4 * LANES), np.float32)
    _weight_powers(real.reshape(-1, 4 * LANES), imaginary.reshape(-1, 4 * LANES), *_mel_pairs(bands), mel)
    _from_lanes(mel[1:-1], out[:4])
    folded = np.empty((4, N_FFT // 4 + 1, PAIRS * LANES), np.float32)
    _fold_phases(real.reshape(-1, 4 * LANES), imaginary.reshape(-1, 4 * LANES), folded)
    even, odd = np.empty((2, half + 1, PAIRS * LANES), np.float32)
    targets = even[::2], even[1::2], odd[::2], odd[1::2]
    for target, matrix, phases in zip(targets, _folded_lags(bands), folded, strict=True):
        np.matmul(matrix, phases, out=target)
    _lags_from_lanes(even, odd, out[4:])


def _salsa_lite_block(real: Float32, imaginary: Float32, out: Float32) -> None:
    """Spectra (bins, 4, 16) to power and path differences (7, frames, bins), as `salsa_lite_maps`."""
    maps = np.empty((out.shape[2], 7 * LANES), np.float32)
    rows = real.reshape(-1, 4 * LANES), imaginary.reshape(-1, 4 * LANES)
    _powers_and_paths(*rows, first_bin(N_FFT), clear_bins(N_FFT), np.float32(radians_per_metre(N_FFT)), maps)
    _from_lanes(maps, out)


BLOCK_MAPS: dict[SpatialCue, Callable[[Float32, Float32, Float32], None]] = {
    "intensity": _intensity_block,
    "gcc-phat": _gcc_phat_block,
    "salsa-lite": _salsa_lite_block,
}


@cache
def _mel_pairs(bands: int) -> tuple[Int64, Float32]:
    """For every bin the first of two neighbouring bands that hear it, one of silence before them, and both weights."""
    weights = np.pad(mel_matrix(N_FFT, bands).astype(np.float32), ((0, 0), (1, 1)))
    lower = np.minimum((weights > 0).argmax(axis=1), bands)
    bins = np.arange(len(weights))
    return lower, np.stack([weights[bins, lower], weights[bins, lower + 1]], axis=1)


@cache
def _folded_lags(lags: int) -> tuple[Float32, ...]:
    """Lag matrices (lags, 257) for sums or differences of bins k and 512 - k: cosines, sines, even lags, then odd ones.

    cos(2 pi (512 - k) n / 1024) = (-1)^n cos(2 pi k n / 1024), sines with the other sign: half of the products do.
    """
    cosines, sines = (matrix[: N_FFT // 4 + 1].T.copy() for matrix in lag_matrices(N_FFT, lags))
    for matrix in (cosines, sines):
        # Bin 256 is its own mirror image and counts twice in a sum.
        matrix[:, -1] /= 2
    return tuple(np.ascontiguousarray(part) for part in (cosines[::2], cosines[1::2], sines[::2], sines[1::2]))


@compiled
def _from_lanes(maps: Float32, out: Float32) -> None:
    """Maps (bins, maps x 16) to `out` (maps, frames, bins)."""
    for row in range(out.shape[0]):
        for frame in range(out.shape[1]):
            for k in range(out.shape[2]):
                out[row, frame, k] = maps[k, row * LANES + frame]


@compiled
def _lags_from_lanes(even: Float32, odd: Float32, out: Float32) -> None:
    """Even and odd part (lags / 2 + 1, pairs x 16) to `out` (pairs, frames, lags)."""
    half = len(even) - 1
    for pair in range(out.shape[0]):
        for frame in range(out.shape[1]):
            column = pair * LANES + frame
            for lag in range(half):
                out[pair, frame, half + lag] = even[lag, column] - odd[lag, column]
                out[pair, frame, half - 1 - lag] = even[lag + 1, column] + odd[lag + 1, column]


@compiled
def _weight_intensity(real: Float32, imaginary: Float32, lower: Int64, weights: Float32, mel: Float32) -> None:
    maps = np.empty((7, LANES), np.float32)
    row = maps.reshape(-1)
    for k in range(len(real)):
        _power_and_intensity(
            real[k, 0], real[k, 1], real[k, 2], real[k, 3],
            imaginary[k, 0], imaginary[k, 1], imaginary[k, 2], imaginary[k, 3],
            maps[0], maps[1], maps[2], maps[3], maps[4], maps[5], maps[6],
        )  # fmt: skip
        _add_weighted(row, weights[k, 0], weights[k, 1], mel[lower[k]], mel[lower[k] + 1])


@compiled
def _weight_powers(real: Float32, imaginary: Float32, lower: Int64, weights: Float32, mel: Float32) -> None:
    row = np.empty(4 * LANES, np.float32)
    for k in range(len(real)):
        _powers(real[k], imaginary[k], row)
        _add_weighted(row, weights[k, 0], weights[k, 1], mel[lower[k]], mel[lower[k] + 1])


@row_kernel
def _add_weighted(row: Float32, fall: np.float32, rise: np.float32, lower: Float32, upper: Float32) -> None:
    for i in range(len(row)):
        lower[i] += fall * row[i]
        upper[i] += rise * row[i]


@row_kernel
def _powers(real: Float32, imaginary: Float32, out: Float32) -> None:
    for i in range(4 * LANES):
        out[i] = real[i] * real[i] + imaginary[i] * imaginary[i]


@row_kernel
def _power_and_intensity(
    wr: Float32, yr: Float32, zr: Float32, xr: Float32, wi: Float32, yi: Float32, zi: Float32, xi: Float32,
    w: Float32, y: Float32, z: Float32, x: Float32, to_y: Float32, to_z: Float32, to_x: Float32,
) -> None:  # fmt: skip
    for i in range(LANES):
        w_power = wr[i] * wr[i] + wi[i] * wi[i]
        y_power = yr[i] * yr[i] + yi[i] * yi[i]
        z_power = zr[i] * zr[i] + zi[i] * zi[i]
        x_power = xr[i] * xr[i] + xi[i] * xi[i]
        share = ONE / ((y_power + z_power + x_power) * THIRD + w_power + ENERGY_FLOOR)
        w[i], y[i], z[i], x[i] = w_power, y_power, z_power, x_power
        to_y[i] = (wr[i] * yr[i] + wi[i] * yi[i]) * share
        to_z[i] = (wr[i] * zr[i] + wi[i] * zi[i]) * share
        to_x[i] = (wr[i] * xr[i] + wi[i] * xi[i]) * share


@compiled
def _fold_phases(real: Float32, imaginary: Float32, folded: Float32) -> None:
    """Cross phases of the pairs, bins k and 512 - k added and subtracted: (4, 257, 6 x 16)."""
    a_real, a_imaginary, b_real, b_imaginary = (
        np.empty(4 * LANES, np.float32), np.empty(4 * LANES, np.float32),
        np.empty(4 * LANES, np.float32), np.empty(4 * LANES, np.float32),
    )  # fmt: skip
    p, q, mirrored_p, mirrored_q = (
        np.empty(PAIRS * LANES, np.float32), np.empty(PAIRS * LANES, np.float32),
        np.empty(PAIRS * LANES, np.float32), np.empty(PAIRS * LANES, np.float32),
    )  # fmt: skip
    for k in range(folded.shape[1]):
        mirrored = len(real) - 1 - k
        _to_unit_length(real[k], imaginary[k], a_real, a_imaginary)
        _to_unit_length(real[mirrored], imaginary[mirrored], b_real, b_imaginary)
        _cross_phases(a_real, a_imaginary, p, q)
        _cross_phases(b_real, b_imaginary, mirrored_p, mirrored_q)
        _fold(p, mirrored_p, folded[0, k], folded[1, k])
        _fold(q, mirrored_q, folded[3, k], folded[2, k])


@compiled
def _cross_phases(real: Float32, imaginary: Float32, in_phase: Float32, quadrature: Float32) -> None:
    """Microphones (4 x 16) to their pairs (6 x 16)."""
    at = 0
    for first in range(0, 4 * LANES, LANES):
        for second in range(first + LANES, 4 * LANES, LANES):
            _cross_phase(
                real[first : first + LANES], imaginary[first : first + LANES],
                real[second : second + LANES], imaginary[second : second + LANES],
                in_phase[at : at + LANES], quadrature[at : at + LANES],
            )  # fmt: skip
            at += LANES


@row_kernel
def _to_unit_length(real: Float32, imaginary: Float32, unit_real: Float32, unit_imaginary: Float32) -> None:
    """Zeros stay zero, with their signs."""
    for i in range(4 * LANES):
        a, b = GAIN * real[i], GAIN * imaginary[i]
        power = a * a + b * b
        scale = ONE / np.float32(sqrt(power if power > 0 else ONE))
        unit_real[i], unit_imaginary[i] = a * scale, b * scale


@row_kernel
def _cross_phase(
    ar: Float32, ai: Float32, br: Float32, bi: Float32, in_phase: Float32, quadrature: Float32
) -> None:  # fmt: skip
    """Both parts of conj(A) B; where a channel is empty the phase is 0, or pi if the real part is a negative zero."""
    for i in range(LANES):
        p = ar[i] * br[i] + ai[i] * bi[i]
        q = ar[i] * bi[i] - ai[i] * br[i]
        in_phase[i] = copysign(ONE, p) if p == 0 and q == 0 else p
        quadrature[i] = q


@row_kernel
def _fold(low: Float32, high: Float32, total: Float32, difference: Float32) -> None:
    for i in range(PAIRS * LANES):
        total[i], difference[i] = low[i] + high[i], low[i] - high[i]


@compiled
def _powers_and_paths(
    real: Float32, imaginary: Float32, first: int, clear: int, radians_per_metre: np.float32, out: Float32
) -> None:
    """Bins from `first` on: powers, then path differences of the first `clear` ones, to `out` (bins, 7 x 16)."""
    for row in range(len(out)):
        k = first + row
        _powers(real[k], imaginary[k], out[row, : 4 * LANES])
        out[row, 4 * LANES :] = 0.0
        if row < clear:
            metres = ONE / (radians_per_metre * np.float32(k))
            for at in range(LANES, 4 * LANES, LANES):
                _path(
                    real[k, :LANES], imaginary[k, :LANES], real[k, at : at + LANES], imaginary[k, at : at + LANES],
                    metres, out[row, 3 * LANES + at : 4 * LANES + at],
                )  # fmt: skip


@row_kernel
def _path(ar: Float32, ai: Float32, br: Float32, bi: Float32, metres: np.float32, out: Float32) -> None:
    """angle(B conj(A)) times metres; signs of zeros count as in arctan2."""
    for i in range(LANES):
        first_real, first_imaginary = GAIN * ar[i], GAIN * ai[i]
        second_real, second_imaginary = GAIN * br[i], GAIN * bi[i]
        x = second_real * first_real + second_imaginary * first_imaginary
        y = second_imaginary * first_real - second_real * first_imaginary
        along, across = abs(x), abs(y)
        longer, shorter = max(along, across), min(along, across)
        ratio = shorter / (longer if longer > 0 else ONE)
        steep = ratio > TAN_PI_8
        t = (ratio - ONE) / (ratio + ONE) if steep else ratio
        square = t * t
        series = ((ODD_POWERS[0] * square + ODD_POWERS[1]) * square + ODD_POWERS[2]) * square + ODD_POWERS[3]
        angle = series * square * t + t
        angle = angle + EIGHTH_TURN if steep else angle
        angle = QUARTER_TURN - angle if across > along else angle
        angle = HALF_TURN - angle if copysign(ONE, x) < 0 else angle
        out[i] = copysign(angle, y) * metres
