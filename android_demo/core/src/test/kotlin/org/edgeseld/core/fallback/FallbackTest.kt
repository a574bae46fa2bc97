package org.edgeseld.core.fallback

import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonObject
import org.edgeseld.core.ConfigException
import org.edgeseld.core.Repository
import org.edgeseld.core.hearing.Prediction
import org.edgeseld.core.hearing.Uncertainty
import org.edgeseld.core.present.CloudException
import org.edgeseld.core.signal.Audio
import org.edgeseld.core.tracking.SeldEvent
import org.edgeseld.core.tracking.TrajectoryPoint
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

private typealias Cells = List<List<List<Float?>>>

/** A prediction and its doubts; arrays (frames, tracks, classes). */
@Serializable
private class DoubtCase(
    val thresholds: List<Double>,
    val activity: Cells,
    val doubts: Map<Measure, Double>,
    val entropy: Cells? = null,
    @SerialName("mutual_information") val mutualInformation: Cells? = null,
    @SerialName("direction_spread_deg") val directionSpreadDeg: Cells? = null,
) {
    val prediction: Prediction get() {
        val values = flat(activity)
        val sure = entropy?.let { Uncertainty(FloatArray(values.size), flat(it), flat(mutualInformation!!), flat(directionSpreadDeg!!), 10, 1) }
        return Prediction(activity.size, activity[0].size, thresholds.indices.map { "class $it" }, values, FloatArray(3 * values.size), null, sure)
    }

    private fun flat(cells: Cells) = cells.flatten().flatten().map { it ?: Float.NaN }.toFloatArray()
}

@Serializable
private class BreakerStep(@SerialName("now_s") val nowS: Double, val outcome: String, val allowed: Boolean)

@Serializable
private class BreakerCase(@SerialName("failures_to_open") val failuresToOpen: Int, @SerialName("open_s") val openS: Double, val steps: List<BreakerStep>)

class FallbackTest {
    private val golden = Json.parseToJsonElement(Repository.fallbackCases.readText()).jsonObject
    // From text: decoding trees asks tests' serializers for methods that Android 5's way of interfaces does not give them.
    private val doubtCases = Json.decodeFromString<List<DoubtCase>>(golden.getValue("doubt").toString())
    private val breakerCase = Json.decodeFromString<BreakerCase>(golden.getValue("circuit_breaker").toString())
    private val audio = Audio(1, 7 * 2_400, FloatArray(7 * 2_400) { (it / 2_400).toFloat() })

    @Test
    fun `doubts are those of Python`() {
        assertEquals(Measure.entries.toSet(), doubtCases.flatMap { it.doubts.keys }.toSet())
        for (case in doubtCases) for ((measure, expected) in case.doubts) {
            assertEquals(expected, doubt(case.prediction, case.thresholds, measure), 1e-9, measure.label)
        }
    }

    @Test
    fun `the breaker opens and closes as Python's`() {
        val case = breakerCase
        val breaker = CircuitBreaker(case.failuresToOpen, case.openS)
        for (step in case.steps) {
            val allowed = breaker.allows(step.nowS)
            assertEquals(step.allowed, allowed, "at ${step.nowS} s")
            if (allowed && step.outcome == "ok") breaker.succeeded() else if (allowed) breaker.failed(step.nowS)
        }
    }

    @Test
    fun `what rests on samples needs samples`() {
        val case = doubtCases.first { it.entropy == null }
        for (measure in listOf(Measure.MUTUAL_INFORMATION, Measure.DIRECTION_SPREAD)) {
            val error = assertThrows(ConfigException::class.java) { doubt(case.prediction, case.thresholds, measure) }
            assertTrue(error.message!!.startsWith("${measure.label} needs Monte Carlo samples"), error.message)
        }
    }

    @Test
    fun `a policy is read, and a broken one refused`() {
        val text = """{"measure": "direction-spread", "threshold": 0.5, "window_frames": 30, "context_frames": 10}"""
        val policy = readPolicy(text)
        assertEquals(FallbackPolicy(Measure.DIRECTION_SPREAD, 0.5, 30, 10), policy)
        assertEquals(listOf(false, true), listOf(0.5, 0.51).map(policy::sends))
        for (broken in listOf("{", text.replace("spread", "red"), text.replace("30", "0"), text.replace("threshold", "treshold"))) {
            assertThrows(ConfigException::class.java) { readPolicy(broken) }
        }
    }

    @Test
    fun `only windows above the threshold are sent`() {
        val activity = FloatArray(7) { if (it in 3..5) 0.5f else 0.01f }
        val prediction = Prediction(7, 1, listOf("bell"), activity, FloatArray(21))
        val policy = FallbackPolicy(Measure.MARGIN, 0.9, windowFrames = 3, contextFrames = 1)
        assertEquals(listOf(LabelWindow(3, 6)), doubtfulWindows(prediction, listOf(0.5), policy))
        assertEquals(LabelWindow(6, 7), doubtfulWindows(prediction, listOf(0.5), policy.copy(threshold = -1.0)).last())
    }

    @Test
    fun `a window goes out with its context, and its own frames come back`() {
        val sent = mutableListOf<Audio>()
        val asker = WindowAsker(CircuitBreaker(), { 0.0 }) { piece ->
            sent += piece
            val points = List(piece.samples / 2_400) { TrajectoryPoint(it / 10.0, 0.9, 30.0, 0.0) }
            listOf(SeldEvent("bell", 0, 0.0, points.size / 10.0, 0.9, points))
        }
        val heard = asker.answer(audio, LabelWindow(3, 5), contextFrames = 1).heard!!
        assertEquals(listOf(2f, 3f, 4f, 5f), sent.single().data.toSet().toList())
        assertEquals(listOf(0.3, 0.4), heard.map { it.timeS })
        asker.answer(audio, LabelWindow(6, 7), contextFrames = 2)
        assertEquals(listOf(4f, 5f, 6f), sent.last().data.toSet().toList())
    }

    @Test
    fun `a cloud that is gone is left alone, and the device's answer stands`() {
        var asked = 0
        var nowS = 0.0
        val asker = WindowAsker(CircuitBreaker(failuresToOpen = 2), { nowS }) {
            asked++
            throw CloudException("too late")
        }
        val answers = List(3) { asker.answer(audio, LabelWindow(0, 3), 0) }
        assertEquals(2, asked)
        assertEquals(listOf("too late", "too late"), answers.take(2).map { it.trouble })
        answers.forEach { assertNull(it.heard) }
        nowS = 30.0
        asker.answer(audio, LabelWindow(0, 3), 0)
        assertEquals(3, asked)
    }
}
