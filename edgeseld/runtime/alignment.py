"""Tracks of multi-ACCDOA have no fixed order: which track of one pass is which of another.

The order is the permutation with the largest sum of p q (1 + cos angle), p and q the activities of the reference's and
the sample's track. Every agreement counts for it and nothing against it: with the weighted angle as a cost, a loud
track would rather stand beside a silent one, which costs nothing, than beside its own slightly moved copy.

Every language must choose the same order, since tracks of one class may fit all but equally in two ways. So activities
are compared as the network gives them, before calibration, whose logarithms end in other bits elsewhere; and the sums
are float32, each product and each sum rounded by itself, in one order: p q, then the products of x, y and z; then the
tracks of the reference from the first to the last.
"""

from collections.abc import Iterator
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.prediction import Float32
from edgeseld.runtime.samples import Samples


def align(samples: Samples, reference: Samples) -> Samples:
    """`samples` with the tracks of each sample, frame and class in the order of `reference`, which holds one sample.

    Ties go to the lexicographically first permutation; silent tracks count for none.
    """
    tracks, count, frames, classes = samples.activity.shape
    if tracks == 1 or len(samples.weighted) < 3:
        return samples
    orders = np.array(list(permutations(range(tracks))))
    agreement = _agreement(reference, samples).reshape(tracks, tracks, -1)
    best = _first_best(_total(agreement, order) for order in orders)
    cells = np.flatnonzero(best)
    if not cells.size:
        return samples
    shape = (tracks, count * frames * classes)
    return Samples(
        _reorder(samples.activity.reshape(shape), orders[best[cells]], cells).reshape(samples.activity.shape),
        _reorder(samples.weighted.reshape(-1, *shape), orders[best[cells]], cells).reshape(samples.weighted.shape),
    )


def _agreement(reference: Samples, samples: Samples) -> Float32:
    """p q + pu . qv of each pair, in this order: (tracks of reference, tracks, samples, frames, classes)."""
    agreement = reference.activity[:, np.newaxis] * samples.activity
    product = np.empty_like(agreement)
    for ours, theirs in zip(reference.weighted[:3], samples.weighted[:3], strict=True):
        agreement += np.multiply(ours[:, np.newaxis], theirs, out=product)
    return agreement


def _total(agreement: Float32, order: NDArray[np.int64]) -> Float32:
    """Agreement of giving track order[t] of the samples to track t of the reference, summed in the order of t."""
    total: Float32 = agreement[0, order[0]]
    for track, given in enumerate(order[1:], 1):
        total = total + agreement[track, given]
    return total


def _first_best(totals: Iterator[Float32]) -> NDArray[np.int8]:
    """For each cell the number of the largest total, ties to the first; faster than an argmax over stacked rows."""
    top = next(totals)
    best = np.zeros(top.shape, np.int8)
    for number, total in enumerate(totals, 1):
        # Numbers rise, so the last one that was larger is the largest product.
        np.maximum(best, (total > top).view(np.int8) * np.int8(number), out=best)
        top = np.maximum(top, total, out=total)
    return best


def _reorder(values: Float32, orders: NDArray[np.int64], cells: NDArray[np.int64]) -> Float32:
    """A copy of values (..., tracks, cells) with tracks permuted in the given cells; orders (given cells, tracks)."""
    result = values.copy()
    for track in range(orders.shape[1]):
        result[..., track, cells] = values[..., orders[:, track], cells]
    return result
