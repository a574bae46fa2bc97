package org.edgeseld.core.uncertainty

/**
 * Tracks of multi-ACCDOA have no fixed order: which track of one pass is which of another.
 *
 * The order is the permutation with the largest sum of p q (1 + cos angle), p and q the activities of the reference's and
 * the sample's track; ties go to the lexicographically first one. The same sums, in the same order, as runtime/alignment.py.
 */
class TrackOrders(private val tracks: Int) {
    val orders: List<IntArray> = permutations(tracks)
    private val agreement = FloatArray(tracks * tracks)

    /** The order in which the tracks of `sample` at `frame` stand as those of `reference`, which holds one sample. */
    fun best(reference: Samples, referenceFrame: Int, samples: Samples, sample: Int, frame: Int, classId: Int): IntArray {
        for (ours in 0 until tracks) {
            val first = reference.place(ours, 0, referenceFrame, classId)
            for (theirs in 0 until tracks) {
                agreement[ours * tracks + theirs] = agree(reference, first, samples, samples.place(theirs, sample, frame, classId))
            }
        }
        var best = orders[0]
        var most = total(best)
        for (index in 1 until orders.size) {
            val sum = total(orders[index])
            if (sum > most) {
                most = sum
                best = orders[index]
            }
        }
        return best
    }

    private fun agree(reference: Samples, first: Int, samples: Samples, second: Int): Float {
        var sum = reference.activity[first] * samples.activity[second]
        for (axis in 0 until 3) {
            sum += reference.weighted[axis * reference.plane + first] * samples.weighted[axis * samples.plane + second]
        }
        return sum
    }

    private fun total(order: IntArray): Float {
        var sum = agreement[order[0]]
        for (track in 1 until tracks) sum += agreement[track * tracks + order[track]]
        return sum
    }
}

/** `samples` with the tracks of each sample, frame and class in the order of `reference`. */
fun align(samples: Samples, reference: Samples): Samples {
    if (samples.tracks == 1 || samples.axes < 3) return samples
    val orders = TrackOrders(samples.tracks)
    val result = Samples(samples.tracks, samples.count, samples.frames, samples.classes, samples.axes)
    for (sample in 0 until samples.count) for (frame in 0 until samples.frames) for (classId in 0 until samples.classes) {
        val order = orders.best(reference, frame, samples, sample, frame, classId)
        for (track in 0 until samples.tracks) {
            val to = samples.place(track, sample, frame, classId)
            val from = samples.place(order[track], sample, frame, classId)
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
