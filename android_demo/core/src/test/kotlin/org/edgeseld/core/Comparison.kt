package org.edgeseld.core

import kotlin.math.abs
import org.edgeseld.core.hearing.Prediction
import org.edgeseld.core.tracking.SeldEvent
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue

private const val ACTIVITY_FLOOR = 0.1f

/** How far a Kotlin prediction lies from Python's: largest differences; directions where the activity is at least 0.1. */
data class Differences(val activity: Float, val direction: Float, val distanceM: Float, val uncertainty: Float, val spreadDeg: Float)

/** Compares with the arrays that tests/parity wrote. */
fun differences(prediction: Prediction, expected: Map<String, Tensor>): Differences {
    fun largest(values: FloatArray?, name: String, counts: (Int) -> Boolean = { true }): Float {
        val others = expected[name]?.data
        assertEquals(others?.size, values?.size, name)
        if (values == null || others == null) return 0f
        return values.indices.filter(counts).maxOfOrNull { place ->
            if (values[place].isNaN() && others[place].isNaN()) 0f else abs(values[place] - others[place])
        } ?: 0f
    }
    val activity = expected.getValue("activity").data
    val sure = prediction.uncertainty
    return Differences(
        activity = largest(prediction.activity, "activity"),
        direction = largest(prediction.direction, "direction") { activity[it / 3] >= ACTIVITY_FLOOR },
        distanceM = largest(prediction.distanceM, "distance_m") { activity[it] >= ACTIVITY_FLOOR },
        uncertainty = maxOf(
            largest(sure?.activityStd, "activity_std"),
            largest(sure?.entropy, "entropy"),
            largest(sure?.mutualInformation, "mutual_information"),
        ),
        spreadDeg = largest(sure?.directionSpreadDeg, "direction_spread_deg") { activity[it] >= ACTIVITY_FLOOR },
    )
}

/** The same sounds with the same numbers, starts and ends; scores, angles and uncertainty within rounding. */
fun assertSameEvents(expected: List<SeldEvent>, events: List<SeldEvent>, tolerance: Double = 1e-5, angleDeg: Double = 1e-2) {
    fun outline(list: List<SeldEvent>) = list.map { listOf(it.className, it.track, it.onsetS, it.offsetS, it.trajectory.size) }
    assertEquals(outline(expected), outline(events))
    for ((theirs, ours) in expected.zip(events)) {
        assertEquals(theirs.score, ours.score, tolerance)
        for ((there, here) in theirs.trajectory.zip(ours.trajectory)) {
            assertEquals(there.timeS, here.timeS)
            assertEquals(there.activity, here.activity, tolerance)
            assertAngle(there.azimuthDeg, here.azimuthDeg, angleDeg)
            assertAngle(there.elevationDeg, here.elevationDeg, angleDeg)
            assertEquals(there.distanceM == null, here.distanceM == null)
            there.distanceM?.let { assertEquals(it, here.distanceM!!, 1e-3) }
        }
        assertEquals(theirs.uncertainty == null, ours.uncertainty == null)
        val sure = theirs.uncertainty ?: continue
        assertEquals(sure.activityStd, ours.uncertainty!!.activityStd, tolerance)
        assertEquals(sure.entropy, ours.uncertainty.entropy, 10 * tolerance)
        assertEquals(sure.mutualInformation, ours.uncertainty.mutualInformation, 10 * tolerance)
        assertEquals(listOf(sure.mcSamples, sure.timeShifts), listOf(ours.uncertainty.mcSamples, ours.uncertainty.timeShifts))
    }
}

private fun assertAngle(expected: Double?, angle: Double?, tolerance: Double) {
    assertEquals(expected == null, angle == null)
    if (expected == null || angle == null) return
    val turn = abs(expected - angle) % 360.0
    assertTrue(minOf(turn, 360.0 - turn) <= tolerance, "expected $expected degrees, got $angle")
}
