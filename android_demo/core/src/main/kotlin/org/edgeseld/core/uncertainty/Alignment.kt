package org.edgeseld.core.uncertainty

import kotlin.math.max

private const val SIGN_BIT = 31

/**
 * Tracks of multi-ACCDOA have no fixed order: which track of one pass is which of another.
 *
 * The order is the permutation with the largest sum of p q (1 + cos angle), p and q the activities of the reference's and
 * the sample's track before calibration; ties go to the lexicographically first one. The same float32 sums, in the same order,
 * as runtime/alignment.py: two orders may fit all but equally, and every language must choose the same.
 */
private class TrackOrders(private val reference: Samples) {
    private val tracks = reference.tracks
    private val orders: List<IntArray> = permutations(tracks)
    private val agreement = Array(tracks) { Array(tracks) { FloatArray(reference.cells) } }
    private val totals = Array(orders.size) { FloatArray(reference.cells) }
    private val most = FloatArray(reference.cells)
    private val best = IntArray(reference.cells)

    /** For each order the cells in which it fits best, and how many they are. */
    private val places = Array(orders.size) { IntArray(reference.cells) }
    private val counts = IntArray(orders.size)
    private val before = Array(tracks) { FloatArray(reference.cells) }

    /** Chooses for all cells of one sample. */
    fun choose(samples: Samples, sample: Int) {
        for (one in 0 until tracks) for (other in 0 until tracks) agree(agreement[one][other], one, samples, other, sample)
        orders.forEachIndexed { index, order -> add(totals[index], order) }
        totals[0].copyInto(most)
        for (total in totals) raise(most, total)
        for (index in orders.indices.reversed()) take(totals[index], index)
        counts.fill(0)
        for (cell in best.indices) places[best[cell]].let { it[counts[best[cell]]++] = cell }
    }

    /** Brings rows (tracks, samples) of one sample into the chosen order. */
    fun turn(rows: Rows, sample: Int) {
        for (track in 0 until tracks) rows[track][sample].copyInto(before[track])
        for (index in 1 until orders.size) for (track in 0 until tracks) {
            val from = orders[index][track]
            if (from != track) copyCells(before[from], rows[track][sample], places[index], counts[index])
        }
    }

    /** p q + pu . qv of each cell, in this order. */
    private fun agree(sums: FloatArray, one: Int, samples: Samples, other: Int, sample: Int) {
        val p = reference.activity[one][0]
        val q = samples.activity[other][sample]
        for (cell in sums.indices) sums[cell] = p[cell] * q[cell]
        for (axis in 0 until 3) addProducts(sums, reference.weighted[axis][one][0], samples.weighted[axis][other][sample])
    }

    private fun addProducts(sums: FloatArray, one: FloatArray, other: FloatArray) {
        for (cell in sums.indices) sums[cell] += one[cell] * other[cell]
    }

    /** Agreement of giving track order[t] of the sample to track t of the reference, summed in the order of t. */
    private fun add(total: FloatArray, order: IntArray) {
        agreement[0][order[0]].copyInto(total)
        for (track in 1 until tracks) {
            val row = agreement[track][order[track]]
            for (cell in total.indices) total[cell] += row[cell]
        }
    }

    private fun raise(most: FloatArray, total: FloatArray) {
        for (cell in most.indices) most[cell] = max(most[cell], total[cell])
    }

    /** Gives an order the cells in which no other fits better; without branches, which random cells would mislead. */
    private fun take(total: FloatArray, index: Int) {
        for (cell in total.indices) {
            val others = (total[cell] - most[cell]).toRawBits() shr SIGN_BIT
            best[cell] = (best[cell] and others) or (index and others.inv())
        }
    }

    private fun copyCells(from: FloatArray, to: FloatArray, cells: IntArray, count: Int) {
        for (index in 0 until count) to[cells[index]] = from[cells[index]]
    }
}

/** The samples, the tracks of each cell in the order of `reference`, one sample. */
fun align(samples: Samples, reference: Samples): Samples = samples.mapRows { it.copyOf() }.also { alignInPlace(it, reference) }

/** Brings the tracks of `values`, the samples themselves or what became of them, into the order in which the samples fit. */
internal fun alignInPlace(samples: Samples, reference: Samples, values: Samples = samples) {
    if (samples.tracks == 1 || samples.axes < 3) return
    val orders = TrackOrders(reference)
    for (sample in 0 until samples.count) {
        orders.choose(samples, sample)
        orders.turn(values.activity, sample)
        for (axis in 0 until values.axes) orders.turn(values.weighted[axis], sample)
    }
}

/** All orders of 0 .. count - 1, lexicographically. */
internal fun permutations(count: Int): List<IntArray> {
    fun extend(prefix: List<Int>): List<List<Int>> =
        if (prefix.size == count) listOf(prefix) else (0 until count).filter { it !in prefix }.flatMap { extend(prefix + it) }
    return extend(emptyList()).map { it.toIntArray() }
}
