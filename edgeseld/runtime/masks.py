"""Dropout masks for Monte Carlo samples: drawn by the host, bit-equal in Python and Kotlin (docs/masks.md)."""

import numpy as np

from edgeseld.core.manifest import MaskSiteSpec
from edgeseld.core.prediction import Float32
from edgeseld.runtime.philox import philox4x32, seed_key


def draw_mask(site: MaskSiteSpec, site_number: int, first_sample: int, samples: int, seed: int) -> Float32:
    """Mask (samples, 1, channels) of one site: 0, or 1 / (1 - rate) where the channel is kept.

    Channel c of sample n is word c mod 4 of counter (c div 4, n, site, 0); it is kept iff (word >> 8) >= round(rate x
    2^24). The same masks serve every window and every time shift.
    """
    groups = -(-site.channels // 4)
    counter = np.zeros((samples, groups, 4), np.uint32)
    counter[..., 0] = np.arange(groups)
    counter[..., 1] = np.arange(first_sample, first_sample + samples)[:, np.newaxis]
    counter[..., 2] = site_number
    words = philox4x32(counter, seed_key(seed)).reshape(samples, 4 * groups)[:, : site.channels]
    kept = (words >> np.uint32(8)) >= round(site.rate * 2**24)
    return np.where(kept, np.float32(1.0 / (1.0 - site.rate)), np.float32(0.0))[:, np.newaxis]


def draw_masks(sites: tuple[MaskSiteSpec, ...], first_sample: int, samples: int, seed: int) -> list[Float32]:
    """Masks of all sites for samples first_sample .. first_sample + samples - 1."""
    return [draw_mask(site, number, first_sample, samples, seed) for number, site in enumerate(sites)]
