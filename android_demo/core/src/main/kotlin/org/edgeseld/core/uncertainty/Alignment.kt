package org.edgeseld.core.uncertainty

/**
 * Tracks of multi-ACCDOA have no fixed order: which track of one pass is which of another.
 *
 * The order is the permutation with the largest sum of p q (1 + cos angle), p and q the activities of the reference's and
 * the sample's track before calibration; ties go to the lexicographically first one. The same float32 sums, in the same order,
 * as runtime/alignment.py: two orders may fit all but equally, and every language must choose the same.
 */
class TrackOrders(private val tracks: Int, cells: Int) {
    private val orders: List<IntArray> = permutations(tracks)
    private val agreement = Array(tracks * tracks) { FloatArray(cells) }
    private val most = FloatArray(cells)

    /** For every cell the order in which the tracks of the sample stand as those of the reference; as they come until chosen. */
    val chosen: Array<IntArray> = Array(cells) { orders[0] }

    /**
     * Chooses for the cells first .. last - 1 (frames and classes side by side, as they lie in memory): cell `first` is at
     * `ours` in track 0 of `reference`, which holds one sample, and at `theirs` in track 0 of `samples`.
     */
    fun choose(first: Int, last: Int, reference: Samples, ours: Int, samples: Samples, theirs: Int) {
        for (one in 0 until tracks) for (other in 0 until tracks) {
            val sums = agreement[one * tracks + other]
            agree(sums, first, last, reference, ours + one * reference.trackPlane - first, samples, theirs + other * samples.trackPlane - first)
        }
        most.fill(Float.NEGATIVE_INFINITY, first, last)
        for (order in orders) for (cell in first until last) {
            val sum = total(order, cell)
            if (sum > most[cell]) {
                most[cell] = sum
                chosen[cell] = order
            }
        }
    }

    /** p q (1 + cos angle) of each cell; plain loops over long rows, which the compiler turns into vector instructions. */
    private fun agree(sums: FloatArray, first: Int, last: Int, reference: Samples, ours: Int, samples: Samples, theirs: Int) {
        val p = reference.activity
        val q = samples.activity
        for (cell in first until last) sums[cell] = p[ours + cell] * q[theirs + cell]
        for (axis in 0 until 3) {
            val u = reference.weighted
            val v = samples.weighted
            val one = axis * reference.plane + ours
            val other = axis * samples.plane + theirs
            for (cell in first until last) sums[cell] += u[one + cell] * v[other + cell]
        }
    }

    private fun total(order: IntArray, cell: Int): Float {
        var sum = agreement[order[0]][cell]
        for (track in 1 until tracks) sum += agreement[track * tracks + order[track]][cell]
        return sum
    }
}

/** `samples` with the tracks of each sample, frame and class in the order of `reference`. */
fun align(samples: Samples, reference: Samples): Samples {
    if (samples.tracks == 1 || samples.axes < 3) return samples
    val cells = samples.frames * samples.classes
    val orders = TrackOrders(samples.tracks, cells)
    val result = Samples(samples.tracks, samples.count, samples.frames, samples.classes, samples.axes)
    for (sample in 0 until samples.count) {
        val start = samples.place(0, sample, 0, 0)
        orders.choose(0, cells, reference, 0, samples, start)
        for (track in 0 until samples.tracks) for (cell in 0 until cells) {
            val to = start + track * samples.trackPlane + cell
            val from = start + orders.chosen[cell][track] * samples.trackPlane + cell
            result.activity[to] = samples.activity[from]
            for (axis in 0 until samples.axes) {
                result.weighted[axis * samples.plane + to] = samples.weighted[axis * samples.plane + from]
            }
        }
    }
    return result
}

/** All orders of 0 .. count - 1, lexicographically. */
internal fun permutations(count: Int): List<IntArray> {
    fun extend(prefix: List<Int>): List<List<Int>> =
        if (prefix.size == count) listOf(prefix) else (0 until count).filter { it !in prefix }.flatMap { extend(prefix + it) }
    return extend(emptyList()).map { it.toIntArray() }
}
