package org.edgeseld.core.tracking

import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import org.edgeseld.core.Repository
import org.edgeseld.core.assertSameEvents
import org.edgeseld.core.bundle.TrackingSpec
import org.edgeseld.core.hearing.Prediction
import org.edgeseld.core.hearing.Uncertainty
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory

/** A row of `heard` is frame, track, class, activity, x, y, z, distance, then the four uncertainties. */
@Serializable
private class TrackingCase(
    val name: String,
    val classes: List<String>,
    val frames: Int,
    val rules: TrackingSpec,
    val heard: List<List<Double>>,
    val events: List<SeldEvent>,
) {
    fun prediction(): Prediction {
        val size = frames * TRACKS * classes.size
        val sure = Uncertainty(FloatArray(size), FloatArray(size), FloatArray(size), FloatArray(size), mcSamples = 10, timeShifts = 1)
        val result = Prediction(frames, TRACKS, classes, FloatArray(size), FloatArray(3 * size), FloatArray(size), sure)
        for (row in heard) {
            val place = result.place(row[0].toInt(), row[1].toInt(), row[2].toInt())
            result.activity[place] = row[3].toFloat()
            for (axis in 0 until 3) result.direction[3 * place + axis] = row[4 + axis].toFloat()
            result.distanceM!![place] = row[7].toFloat()
            sure.arrays().forEachIndexed { index, array -> array[place] = row[8 + index].toFloat() }
        }
        return result
    }
}

private const val TRACKS = 3

class TrackerTest {
    private val cases = Json.decodeFromString<List<TrackingCase>>(Repository.trackingCases.readText())

    @TestFactory
    fun `events are Python's`() = cases.map { case ->
        DynamicTest.dynamicTest(case.name) { assertSameEvents(case.events, trackEvents(case.prediction(), case.rules), 1e-12, 1e-9) }
    }

    @Test
    fun `frames one by one give the events of all at once`() {
        for (case in cases) {
            val prediction = case.prediction()
            val tracker = Tracker(case.classes, case.rules)
            val closed = (0 until case.frames).flatMap { tracker.add(prediction.framesBetween(it, it + 1)).closed } + tracker.finish()
            assertEquals(trackEvents(prediction, case.rules).toSet(), closed.toSet())
        }
    }

    @Test
    fun `the most pairs win, then the least cost, then the first choice`() {
        assertEquals(listOf(0, 1), assign(listOf(listOf(5.0, 1.0), listOf(null, 2.0))))
        assertEquals(listOf(1, 0), assign(listOf(listOf(3.0, 1.0), listOf(1.0, 3.0))))
        assertEquals(listOf(0, null), assign(listOf(listOf(1.0), listOf(1.0))))
        assertEquals(listOf(null, null), assign(listOf(listOf(null), listOf(null))))
    }
}
