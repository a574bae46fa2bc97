"""Dropout masks for Monte Carlo samples: drawn by the host, bit-equal in Python and Kotlin (docs/masks.md)."""

import numpy as np

from edgeseld.core.frames import ceil_div
from edgeseld.core.manifest import MaskSiteSpec
from edgeseld.core.prediction import Float32
from edgeseld.runtime.philox import UInt32, philox4x32, seed_key


def draw_masks(sites: tuple[MaskSiteSpec, ...], first_sample: int, samples: int, seed: int) -> list[Float32]:
    """Masks (samples, 1, channels) of all sites: 0, or 1 / (1 - rate) where the channel is kept.

    Channel c of sample n is word c mod 4 of counter (c div 4, n, site, 0); it is kept iff (word >> 8) >= round(rate x
    2^24). The same masks serve every window and every time shift.
    """
    groups = [ceil_div(site.channels, 4) for site in sites]
    counter = np.zeros((samples, sum(groups), 4), np.uint32)
    counter[..., 0] = np.concatenate([np.arange(count) for count in groups])
    counter[..., 1] = np.arange(first_sample, first_sample + samples)[:, np.newaxis]
    counter[..., 2] = np.repeat(np.arange(len(sites)), groups)
    words = philox4x32(counter, seed_key(seed)).reshape(samples, -1)
    starts = np.cumsum([0, *groups]) * 4
    return [
        _mask(words[:, start : start + site.channels], site.rate) for site, start in zip(sites, starts, strict=False)
    ]


def _mask(words: UInt32, rate: float) -> Float32:
    """Words (samples, channels) to values (samples, 1, channels)."""
    kept = (words >> np.uint32(8)) >= round(rate * 2**24)
    return np.where(kept, np.float32(1.0 / (1.0 - rate)), np.float32(0.0))[:, np.newaxis]
