package org.edgeseld.core.tracking

import kotlin.math.atan2
import kotlin.math.sqrt

/** A direction in float64. */
data class Vector(val x: Double, val y: Double, val z: Double) {
    val length: Double get() = sqrt(x * x + y * y + z * z)

    infix fun dot(other: Vector): Double = x * other.x + y * other.y + z * other.z
}

/** Great-circle angle between two vectors of any length, 0 if one of them is zero. */
fun angleDeg(first: Vector, second: Vector): Double {
    val cross = Vector(
        first.y * second.z - first.z * second.y,
        first.z * second.x - first.x * second.z,
        first.x * second.y - first.y * second.x,
    )
    return Math.toDegrees(atan2(cross.length, first dot second))
}

/** The unit vector `share` of the way from `first` to `last` beyond `last`, on the straight line between them. */
fun extrapolate(first: Vector, last: Vector, share: Double): Vector {
    val beyond = Vector(
        last.x + share * (last.x - first.x),
        last.y + share * (last.y - first.y),
        last.z + share * (last.z - first.z),
    )
    val length = beyond.length
    return if (length > 0.0) Vector(beyond.x / length, beyond.y / length, beyond.z / length) else last
}

/**
 * A column for each row, no column twice: the most pairs, then the least sum of costs (core/assignment.py).
 *
 * `costs` holds a row for each direction that was heard and a column for each source, null where they cannot belong together.
 * Ties go to the choice that is lexicographically first, "no column" coming last.
 */
fun assign(costs: List<List<Double?>>): List<Int?> {
    val search = Search(costs)
    search.extend(emptyList(), 0, 0.0)
    return search.best
}

private class Search(private val costs: List<List<Double?>>) {
    var best: List<Int?> = emptyList()
    private var mostPairs = -1
    private var leastTotal = 0.0

    fun extend(chosen: List<Int?>, pairs: Int, total: Double) {
        if (chosen.size == costs.size) {
            if (pairs > mostPairs || (pairs == mostPairs && total < leastTotal)) {
                best = chosen
                mostPairs = pairs
                leastTotal = total
            }
            return
        }
        costs[chosen.size].forEachIndexed { column, cost ->
            if (cost != null && column !in chosen) extend(chosen + column, pairs + 1, total + cost)
        }
        extend(chosen + null, pairs, total)
    }
}
