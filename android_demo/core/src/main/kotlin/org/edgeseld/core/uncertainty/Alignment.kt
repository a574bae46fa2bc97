package org.edgeseld.core.uncertainty

/**
 * Tracks of multi-ACCDOA have no fixed order: which track of one pass is which of another.
 *
 * The order is the permutation with the largest sum of p q (1 + cos angle), p and q the activities of the reference's and
 * the sample's track; ties go to the lexicographically first one. The same sums, in the same order, as runtime/alignment.py.
 */
class TrackOrders(private val tracks: Int, private val classes: Int) {
    private val orders: List<IntArray> = permutations(tracks)
    private val agreement = FloatArray(tracks * tracks * classes)
    private val most = FloatArray(classes)

    /** No class changes the order of its tracks. */
    val unchanged: Array<IntArray> = Array(classes) { orders[0] }

    /** For every class the order in which the tracks of `sample` at `frame` stand as those of `reference`, which holds one sample. */
    fun choose(reference: Samples, referenceFrame: Int, samples: Samples, sample: Int, frame: Int, chosen: Array<IntArray>) {
        for (ours in 0 until tracks) for (theirs in 0 until tracks) {
            val first = reference.place(ours, 0, referenceFrame, 0)
            val second = samples.place(theirs, sample, frame, 0)
            agree(reference, first, samples, second, (ours * tracks + theirs) * classes)
        }
        most.fill(Float.NEGATIVE_INFINITY)
        for (order in orders) for (classId in 0 until classes) {
            val sum = total(order, classId)
            if (sum > most[classId]) {
                most[classId] = sum
                chosen[classId] = order
            }
        }
    }

    /** Writes p q (1 + cos angle) of all classes from `place` on. */
    private fun agree(reference: Samples, first: Int, samples: Samples, second: Int, place: Int) {
        val ours = reference.weighted
        val theirs = samples.weighted
        val ourPlane = reference.plane
        val theirPlane = samples.plane
        for (classId in 0 until classes) {
            val one = first + classId
            val other = second + classId
            agreement[place + classId] = reference.activity[one] * samples.activity[other] + ours[one] * theirs[other] +
                ours[ourPlane + one] * theirs[theirPlane + other] + ours[2 * ourPlane + one] * theirs[2 * theirPlane + other]
        }
    }

    private fun total(order: IntArray, classId: Int): Float {
        var sum = agreement[order[0] * classes + classId]
        for (track in 1 until tracks) sum += agreement[(track * tracks + order[track]) * classes + classId]
        return sum
    }
}

/** `samples` with the tracks of each sample, frame and class in the order of `reference`. */
fun align(samples: Samples, reference: Samples): Samples {
    if (samples.tracks == 1 || samples.axes < 3) return samples
    val orders = TrackOrders(samples.tracks, samples.classes)
    val chosen = orders.unchanged.copyOf()
    val result = Samples(samples.tracks, samples.count, samples.frames, samples.classes, samples.axes)
    for (sample in 0 until samples.count) for (frame in 0 until samples.frames) {
        orders.choose(reference, frame, samples, sample, frame, chosen)
        for (track in 0 until samples.tracks) for (classId in 0 until samples.classes) {
            val to = samples.place(track, sample, frame, classId)
            val from = samples.place(chosen[classId][track], sample, frame, classId)
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
