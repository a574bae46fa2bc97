package org.edgeseld.core.hearing

import kotlin.math.acos
import kotlin.math.max
import kotlin.math.min

private val PAIRS = listOf(0 to 1, 1 to 2, 2 to 0)
private const val TRACKS = 3

/**
 * Merges active tracks of one class that lie within `unifyDeg` of each other, frame by frame (multi-ACCDOA, Shimada 2022).
 *
 * One near pair merges, with two or more near pairs all three do. The merged source takes the lowest of its tracks, with
 * activity and direction of the mean of the activity-weighted vectors, and the mean of distances and uncertainties; the others
 * fall silent. Inactive tracks stay as they are.
 */
fun unify(prediction: Prediction, thresholds: List<Double>, unifyDeg: Double): Prediction {
    if (prediction.tracks != TRACKS) return prediction
    val merger = Merger(prediction.copy(
        activity = prediction.activity.copyOf(),
        direction = prediction.direction.copyOf(),
        distanceM = prediction.distanceM?.copyOf(),
        uncertainty = prediction.uncertainty?.mapArrays { it.copyOf() },
    ))
    for (frame in 0 until prediction.frames) for (classId in prediction.classes.indices) {
        merger.merge(frame, classId, thresholds[classId].toFloat(), unifyDeg.toFloat())
    }
    return merger.result
}

private class Merger(val result: Prediction) {
    private val averaged = listOfNotNull(result.distanceM) + (result.uncertainty?.arrays() ?: emptyList())

    fun merge(frame: Int, classId: Int, threshold: Float, unifyDeg: Float) {
        val places = IntArray(TRACKS) { result.place(frame, it, classId) }
        val members = members(places, threshold, unifyDeg)
        if (members.isEmpty()) return
        val count = members.size.toFloat()
        val mean = FloatArray(3) { axis -> sum(members) { result.direction[3 * it + axis] * result.activity[it] } / count }
        val lowest = members[0]
        for (array in averaged) array[lowest] = sum(members) { array[it] } / count
        for (place in members) result.activity[place] = 0f
        val length = vectorLength(mean[0], mean[1], mean[2])
        result.activity[lowest] = length
        for (axis in 0 until 3) result.direction[3 * lowest + axis] = if (length > SHORTEST) mean[axis] / length else 0f
    }

    private inline fun sum(places: List<Int>, value: (Int) -> Float): Float {
        var sum = 0f
        for (place in places) sum += value(place)
        return sum
    }

    /** Places of the tracks that take part in the one merge of a frame and class, by track. */
    private fun members(places: IntArray, threshold: Float, unifyDeg: Float): List<Int> {
        val near = PAIRS.filter { (first, second) ->
            result.activity[places[first]] > threshold && result.activity[places[second]] > threshold &&
                angleDeg(places[first], places[second]) < unifyDeg
        }
        return (0 until TRACKS).filter { near.size >= 2 || near.any { (first, second) -> it == first || it == second } }
            .map { places[it] }
    }

    private fun angleDeg(first: Int, second: Int): Float {
        var cosine = 0f
        for (axis in 0 until 3) cosine += result.direction[3 * first + axis] * result.direction[3 * second + axis]
        return degrees(acos(min(max(cosine, -1f), 1f).toDouble()).toFloat())
    }
}
