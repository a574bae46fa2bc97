"""How loud a clip is from moment to moment, and when that counts as sounding: labels follow it, not the file's ends."""

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.frames import SAMPLE_RATE_HZ, ceil_div

Segment = tuple[int, int]
BLOCK_SAMPLES = 240
SMOOTH_BLOCKS = 3
# Blocks this near to the loudest make up the level of a clip, so that pauses do not count.
LOUD_DB = 20.0
# The pause between two footsteps or two words still counts as the same event.
GAP_SAMPLES = SAMPLE_RATE_HZ // 2


def blocks_of(samples: int) -> int:
    """Number of 10 ms blocks that cover a clip."""
    return ceil_div(samples, BLOCK_SAMPLES)


def clip_levels(clip: NDArray[np.float32]) -> tuple[float, NDArray[np.int8]]:
    """Level of a clip (samples,) in dB re full scale, and that of each 10 ms block (blocks,) re it, 30 ms smooth."""
    blocks = np.pad(clip, (0, -len(clip) % BLOCK_SAMPLES)).reshape(-1, BLOCK_SAMPLES)
    power = np.square(blocks, dtype=np.float64).mean(axis=1)
    level = power[power >= power.max() * 10 ** (-LOUD_DB / 10)].mean() + 1e-12
    smooth = np.convolve(power, np.ones(SMOOTH_BLOCKS) / SMOOTH_BLOCKS, "same")
    relative = np.clip(np.rint(10 * np.log10(smooth / level + 1e-12)), -120, 120)
    return float(10 * np.log10(level)), relative.astype(np.int8)


def active_segments(levels_db: NDArray[np.int8], floor_db: float) -> list[Segment]:
    """Sample ranges of a clip whose blocks are louder than the floor, pauses included as they are."""
    edges = np.flatnonzero(np.diff(levels_db > floor_db, prepend=False, append=False))
    return [(int(first) * BLOCK_SAMPLES, int(last) * BLOCK_SAMPLES) for first, last in edges.reshape(-1, 2)]


def close_gaps(segments: list[Segment]) -> list[Segment]:
    """Sorted segments with pauses of at most half a second filled in."""
    closed: list[Segment] = []
    for start, end in sorted(segments):
        if closed and start - closed[-1][1] <= GAP_SAMPLES:
            closed[-1] = (closed[-1][0], max(end, closed[-1][1]))
        else:
            closed.append((start, end))
    return closed
