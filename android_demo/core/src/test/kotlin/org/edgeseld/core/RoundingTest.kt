package org.edgeseld.core

import org.edgeseld.core.bundle.TrackingSpec
import org.edgeseld.core.hearing.Prediction
import org.edgeseld.core.hearing.unify
import org.edgeseld.core.tracking.trackEvents
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test

class RoundingTest {
    private val rules = TrackingSpec()
    private val rounding = Rounding(activity = 0.02, directionDeg = 2.0)

    /** A bell straight ahead, as loud as told in each frame. */
    private fun bell(vararg activity: Float): Hearing {
        val direction = FloatArray(3 * activity.size) { if (it % 3 == 0) 1f else 0f }
        return heard(Prediction(activity.size, 1, listOf("bell"), activity, direction))
    }

    /** Two bells in three frames, so far apart. */
    private fun bells(angleDeg: Double): Hearing {
        val radians = Math.toRadians(angleDeg)
        val frame = floatArrayOf(1f, 0f, 0f, Math.cos(radians).toFloat(), Math.sin(radians).toFloat(), 0f, 0f, 0f, 0f)
        val prediction = Prediction(3, 3, listOf("bell"), FloatArray(9) { if (it % 3 < 2) 0.9f else 0f }, FloatArray(27) { frame[it % 9] })
        return heard(unify(prediction, rules.thresholds(listOf("bell")), rules.unifyDeg))
    }

    private fun heard(prediction: Prediction) = Hearing(prediction, trackEvents(prediction, rules))

    private fun apart(theirs: Hearing, ours: Hearing): Int = RoundedApart(rules, rounding, theirs, ours).check().events

    @Test
    fun `the same events have none apart`() {
        assertEquals(0, apart(bell(0f, 0.9f, 0.9f, 0f), bell(0f, 0.91f, 0.89f, 0f)))
    }

    @Test
    fun `an end beside the release is counted apart`() {
        val places = RoundedApart(rules, rounding, bell(0.9f, 0.9f, 0.39f), bell(0.9f, 0.9f, 0.41f)).check().places
        assertEquals(listOf("bell from frame 2 to 2"), places)
        assertEquals(1, apart(bell(0.9f, 0.9f, 0.9f, 0.39f), bell(0.9f, 0.9f, 0.9f, 0.41f)))
        assertThrows(AssertionError::class.java) { apart(bell(0.9f, 0.9f, 0.9f, 0.37f), bell(0.9f, 0.9f, 0.9f, 0.43f)) }
    }

    @Test
    fun `what follows from a start beside the threshold is counted apart with it`() {
        assertEquals(1, apart(bell(0.51f, 0.45f, 0.45f, 0.9f, 0.9f), bell(0.49f, 0.45f, 0.45f, 0.9f, 0.9f)))
        assertThrows(AssertionError::class.java) { apart(bell(0.6f, 0.45f, 0.45f, 0.9f, 0.9f), bell(0.45f, 0.45f, 0.45f, 0.9f, 0.9f)) }
    }

    @Test
    fun `a rounded frame does not excuse another part of the recording`() {
        val theirs = bell(0.9f, 0.9f, 0.41f, 0f, 0f, 0f, 0f, 0.9f, 0.9f, 0.9f)
        val ours = bell(0.9f, 0.9f, 0.39f, 0f, 0f, 0f, 0f, 0f, 0.9f, 0.9f)
        assertThrows(AssertionError::class.java) { apart(theirs, ours) }
    }

    @Test
    fun `two tracks beside the angle of unification are one or two`() {
        assertEquals(2, bells(15.5).events.size)
        assertEquals(1, bells(14.5).events.size)
        assertEquals(1, apart(bells(15.5), bells(14.5)))
        assertThrows(AssertionError::class.java) { apart(bells(19.0), bells(11.0)) }
    }

    @Test
    fun `other numbers or other scores are never excused`() {
        val heard = bell(0.9f, 0.9f, 0.9f)
        assertThrows(AssertionError::class.java) { apart(heard, Hearing(heard.prediction, heard.events.map { it.copy(track = 1) })) }
        assertThrows(AssertionError::class.java) { apart(heard, Hearing(heard.prediction, heard.events.map { it.copy(score = 0.8) })) }
    }
}
