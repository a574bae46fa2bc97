"""Spectra of sixteen frames at once, compiled by numba: the bits of numpy's real transform in half the time.

The passes are FFTPACK's (Swarztrauber 1982), the factors those of pocketfft (Reinecke and Seljebotn), which numpy and
scipy use: the same products and sums in the same order, so that even the rounding errors of empty bins agree.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit
from numba.core.compiler import Compiler
from numpy.typing import NDArray

from edgeseld.signal.stft import SAMPLE_OFFSET

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
F = TypeVar("F", bound=Callable[..., Any])

# Frames side by side in the last axis of every array: four vectors of AVX2.
LANES = 16
# Transforms of 64 samples for sixteen frames stay in the first-level cache.
SMALL = 64
HALF_ROOT = 0.5**0.5


class _Unaliased(Compiler):
    """Promises LLVM that arguments do not overlap; without it no loop over lanes becomes vector code."""

    def define_pipelines(self) -> Any:
        self.state.flags.noalias = True
        return super().define_pipelines()  # type: ignore[no-untyped-call]


def compiled(function: F) -> F:
    """Machine code at the first call, kept on disk for later processes."""
    return cast(F, njit(cache=True, error_model="numpy")(function))


def row_kernel(function: F) -> F:
    """The same for a loop over one row of each array; the arrays it writes must overlap no other."""
    return cast(F, njit(cache=True, error_model="numpy", forceinline=True, pipeline_class=_Unaliased)(function))


class Workspace(NamedTuple):
    """Arrays that one transform after another overwrites, and the factors they share."""

    window: Float64
    turns: Float64
    stretch: Float64
    hops: Float64
    wide: Float64
    other: Float64
    small: Float64
    spare: Float64

    @classmethod
    def of(cls, window: Float64, hop_samples: int) -> "Workspace":
        """For frames of a window whose length is a power of four, at least 256."""
        n_fft = len(window)
        hops = np.empty((hop_samples, LANES + (n_fft - 1) // hop_samples))
        wide, other, small, spare = (np.empty((rows, LANES)) for rows in (n_fft, n_fft, SMALL, SMALL))
        return cls(window, unit_circle(n_fft), np.empty(hops.size), hops, wide, other, small, spare)


@cache
def unit_circle(n_fft: int) -> Float64:
    """Cosine and sine of 2 pi k / n_fft for k below n_fft / 2, rounded as pocketfft's products of two turns are."""
    fine = 1
    while fine * fine < (n_fft + 2) // 2:
        fine *= 2
    a, b = _turns(np.arange(fine), n_fft), _turns(np.arange(0, n_fft // 2, fine), n_fft)
    a, b = np.tile(a, (len(b), 1)), np.repeat(b, fine, axis=0)
    return np.stack([a[:, 0] * b[:, 0] - a[:, 1] * b[:, 1], a[:, 0] * b[:, 1] + a[:, 1] * b[:, 0]], axis=1)


def _turns(index: NDArray[np.int64], n_fft: int) -> Float64:
    """Cosine and sine of 2 pi index / n_fft in the upper half circle, from angles of at most an eighth of a turn."""
    second_quarter, rest = np.divmod(8 * index, 2 * n_fft)
    swapped = rest >= n_fft
    angles = np.where(swapped, 2 * n_fft - rest, rest) * (0.25 * np.pi / n_fft)
    cosine, sine = np.where(swapped, [np.sin(angles), np.cos(angles)], [np.cos(angles), np.sin(angles)])
    return np.stack([np.where(second_quarter, -sine, cosine), np.where(second_quarter, cosine, sine)], axis=1)


@compiled
def lane_spectra(
    audio: Float32, first: int, hop_samples: int, work: Workspace, real: Float32, imaginary: Float32
) -> None:
    """Write frames `first` to `first` + 15 of audio (channels, samples) to both parts (bins, channels, 16).

    Frames are those of `centred_spectra`; where the file has no more, they are silent.
    """
    start = first * hop_samples - len(work.window) // 2
    for channel in range(len(audio)):
        _load(audio[channel], start, work.stretch)
        _cut_frames(work)
        _last_pass(_quarters(work), work.turns, channel, real, imaginary)


@compiled
def _load(channel: Float32, start: int, stretch: Float64) -> None:
    """Samples from `start` on plus the offset, zeros before and after the file."""
    first, last = max(0, start), min(len(channel), start + len(stretch))
    stretch[: first - start] = 0.0
    if first < last:
        _add_offset(channel[first:last], stretch[first - start : last - start])
    stretch[max(0, last - start) :] = 0.0


@compiled
def _cut_frames(work: Workspace) -> None:
    """Windowed frames (n_fft, 16) to `work.wide`; the stretch is turned once, hop by hop, not sample by sample."""
    hop_samples, columns = work.hops.shape
    for sample in range(hop_samples):
        for column in range(columns):
            work.hops[sample, column] = work.stretch[column * hop_samples + sample]
    for later in range(columns - LANES + 1):
        first = later * hop_samples
        for row in range(min(hop_samples, len(work.window) - first)):
            sample = first + row
            _scale(work.hops[row, later : later + LANES], work.window[sample], work.wide[sample])


@row_kernel
def _scale(row: Float64, factor: float, out: Float64) -> None:
    for lane in range(LANES):
        out[lane] = row[lane] * factor


@row_kernel
def _add_offset(samples: Float32, out: Float64) -> None:
    for i in range(len(samples)):
        out[i] = np.float64(samples[i]) + SAMPLE_OFFSET


@compiled
def _quarters(work: Workspace) -> Float64:
    """All passes but the last over `work.wide`: half-complex spectra of every fourth sample, one after the other."""
    n_fft = len(work.window)
    parts = n_fft // SMALL
    for part in range(parts):
        _first_pass(work.wide, part, work.small)
        _pass(work.small, work.spare, 4, work.turns)
        _pass(work.spare, work.other[part * SMALL : (part + 1) * SMALL], 16, work.turns)
    source, target, length = work.other, work.wide, SMALL
    while 4 * length < n_fft:
        _pass(source, target, length, work.turns)
        source, target, length = target, source, 4 * length
    return source


@compiled
def _first_pass(wide: Float64, part: int, small: Float64) -> None:
    """Transforms of length four: every (n_fft / 64)-th sample from `part` on."""
    step, apart = len(wide) // SMALL, len(wide) // 4
    for row in range(SMALL // 4):
        p, q = part + row * step, 4 * row
        _ends(
            wide[p], wide[p + apart], wide[p + 2 * apart], wide[p + 3 * apart],
            small[q], small[q + 1], small[q + 2], small[q + 3],
        )  # fmt: skip


@compiled
def _pass(source: Float64, target: Float64, length: int, turns: Float64) -> None:
    """Four half-complex spectra each of `length` in `source` become one of four times the length in `target`."""
    groups = len(source) // (4 * length)
    apart = groups * length
    step = len(turns) // (2 * length)
    for group in range(groups):
        p, q = group * length, group * 4 * length
        _ends(
            source[p], source[p + apart], source[p + 2 * apart], source[p + 3 * apart],
            target[q], target[q + 2 * length - 1], target[q + 2 * length], target[q + 4 * length - 1],
        )  # fmt: skip
        p += length - 1
        _middle(
            source[p], source[p + apart], source[p + 2 * apart], source[p + 3 * apart],
            target[q + length - 1], target[q + length], target[q + 3 * length - 1], target[q + 3 * length],
        )  # fmt: skip
        for i in range(2, length, 2):
            u, up, down, k = group * length + i, q + i, q + 2 * length - i, i // 2 * step
            _butterfly(
                source[u - 1], source[u + apart - 1], source[u + 2 * apart - 1], source[u + 3 * apart - 1],
                source[u], source[u + apart], source[u + 2 * apart], source[u + 3 * apart],
                turns[k, 0], turns[k, 1], turns[2 * k, 0], turns[2 * k, 1], turns[3 * k, 0], turns[3 * k, 1],
                target[up - 1], target[up], target[up + 2 * length - 1], target[up + 2 * length],
                target[down - 1], target[down], target[down + 2 * length - 1], target[down + 2 * length],
            )  # fmt: skip


@row_kernel
def _ends(a: Float64, b: Float64, c: Float64, d: Float64, p: Float64, q: Float64, r: Float64, s: Float64) -> None:
    """Bins 0 of four spectra: bins 0, length and 2 length."""
    for lane in range(LANES):
        odd, even = d[lane] + b[lane], a[lane] + c[lane]
        q[lane], r[lane] = a[lane] - c[lane], d[lane] - b[lane]
        p[lane], s[lane] = even + odd, even - odd


@row_kernel
def _middle(a: Float64, b: Float64, c: Float64, d: Float64, p: Float64, q: Float64, r: Float64, s: Float64) -> None:
    """Last bins of four spectra of even length: bins length / 2 and 3 / 2 length."""
    for lane in range(LANES):
        turned, straight = -HALF_ROOT * (b[lane] + d[lane]), HALF_ROOT * (b[lane] - d[lane])
        p[lane], r[lane] = a[lane] + straight, a[lane] - straight
        s[lane], q[lane] = turned + c[lane], turned - c[lane]


@row_kernel
def _butterfly(
    ar: Float64, br: Float64, cr: Float64, dr: Float64, ai: Float64, bi: Float64, ci: Float64, di: Float64,
    bx: float, by: float, cx: float, cy: float, dx: float, dy: float,
    pr: Float64, pi: Float64, rr: Float64, ri: Float64, qr: Float64, qi: Float64, sr: Float64, si: Float64,
) -> None:  # fmt: skip
    """One bin of four spectra, b, c and d turned back by x + jy: four bins, two of them counted from the far end."""
    for lane in range(LANES):
        real, imaginary = br[lane], bi[lane]
        b_real, b_imaginary = bx * real + by * imaginary, bx * imaginary - by * real
        real, imaginary = cr[lane], ci[lane]
        c_real, c_imaginary = cx * real + cy * imaginary, cx * imaginary - cy * real
        real, imaginary = dr[lane], di[lane]
        d_real, d_imaginary = dx * real + dy * imaginary, dx * imaginary - dy * real
        sum_real, difference_real = d_real + b_real, d_real - b_real
        sum_imaginary, difference_imaginary = b_imaginary + d_imaginary, b_imaginary - d_imaginary
        even_real, odd_real = ar[lane] + c_real, ar[lane] - c_real
        even_imaginary, odd_imaginary = ai[lane] + c_imaginary, ai[lane] - c_imaginary
        pr[lane], sr[lane] = even_real + sum_real, even_real - sum_real
        pi[lane], si[lane] = sum_imaginary + even_imaginary, sum_imaginary - even_imaginary
        rr[lane], qr[lane] = odd_real + difference_imaginary, odd_real - difference_imaginary
        ri[lane], qi[lane] = difference_real + odd_imaginary, difference_real - odd_imaginary


@compiled
def _last_pass(source: Float64, turns: Float64, channel: int, real: Float32, imaginary: Float32) -> None:
    """The last `_pass`, its rows R0, R1, I1, R2 and so on to both parts, rounded to float32."""
    length = len(source) // 4
    bins = 2 * length + 1
    for lane in range(LANES):
        imaginary[0, channel, lane] = imaginary[bins - 1, channel, lane] = 0.0
    _ends(
        source[0], source[length], source[2 * length], source[3 * length],
        real[0, channel], real[length, channel], imaginary[length, channel], real[2 * length, channel],
    )  # fmt: skip
    _middle(
        source[length - 1], source[2 * length - 1], source[3 * length - 1], source[4 * length - 1],
        real[length // 2, channel], imaginary[length // 2, channel],
        real[3 * length // 2, channel], imaginary[3 * length // 2, channel],
    )  # fmt: skip
    for k in range(1, length // 2):
        u, up, down = 2 * k, length + k, length - k
        _butterfly(
            source[u - 1], source[u + length - 1], source[u + 2 * length - 1], source[u + 3 * length - 1],
            source[u], source[u + length], source[u + 2 * length], source[u + 3 * length],
            turns[k, 0], turns[k, 1], turns[2 * k, 0], turns[2 * k, 1], turns[3 * k, 0], turns[3 * k, 1],
            real[k, channel], imaginary[k, channel], real[up, channel], imaginary[up, channel],
            real[down, channel], imaginary[down, channel],
            real[2 * length - k, channel], imaginary[2 * length - k, channel],
        )  # fmt: skip
