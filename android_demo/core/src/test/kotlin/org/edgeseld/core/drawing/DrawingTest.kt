package org.edgeseld.core.drawing

import org.edgeseld.core.hearing.Prediction
import org.edgeseld.core.hearing.Uncertainty
import org.edgeseld.core.tracking.Detection
import org.edgeseld.core.tracking.FrameUncertainty
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

class DrawingTest {
    private fun heard(azimuthDeg: Double?, elevationDeg: Double, activity: Double, spreadDeg: Double? = null) = Detection(
        0.0, "bell", 0, activity, azimuthDeg, elevationDeg, null, FrameUncertainty(0.1, 0.1, 0.1, spreadDeg),
    )

    @Test
    fun `left is left, ahead is up, above is in the middle`() {
        val marks = radarMarks(listOf(heard(90.0, 0.0, 0.3), heard(0.0, 0.0, 0.2), heard(20.0, 90.0, 0.9), heard(null, 0.0, 1.0)), listOf("bell"))
        val (ahead, left, above) = marks
        assertEquals(-1.0, left.x, 1e-9)
        assertEquals(-1.0, ahead.y, 1e-9)
        assertEquals(0.0, Math.hypot(above.x, above.y), 1e-9)
        assertEquals(3, marks.size)
    }

    @Test
    fun `a sector lies around its direction, as canvases count`() {
        val mark = radarMarks(listOf(heard(-90.0, 0.0, 1.0, spreadDeg = 10.0)), listOf("bell")).single()
        assertEquals(-10.0, mark.sectorStartDeg, 1e-9)
    }

    @Test
    fun `the timeline keeps the last minute of the loudest classes`() {
        val size = 2 * 3
        val sure = Uncertainty(FloatArray(size) { 0.5f }, FloatArray(size), FloatArray(size), FloatArray(size), 10, 1)
        val frames = Prediction(2, 1, listOf("a", "b", "c"), floatArrayOf(0.1f, 0.9f, 0.2f, 0.3f, 0.8f, 0.1f), FloatArray(3 * size), null, sure)
        val start = Timeline.empty(frames.classes)
        val long = (0 until 400).fold(start) { timeline, _ -> timeline.plus(frames, emptyList()) }
        assertEquals(TIMELINE_FRAMES, long.frames)
        assertEquals(200, long.firstFrame)
        val rows = start.plus(frames, emptyList()).rows(2)
        assertEquals(listOf("a", "b"), rows.map { it.className })
        assertArrayEquals(floatArrayOf(1f, 1f), rows[1].high)
        assertArrayEquals(floatArrayOf(0f, 0f), rows[0].low)
    }
}
