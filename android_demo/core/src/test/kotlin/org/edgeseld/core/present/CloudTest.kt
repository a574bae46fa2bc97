package org.edgeseld.core.present

import com.sun.net.httpserver.HttpServer
import java.net.InetAddress
import java.net.InetSocketAddress
import kotlinx.serialization.json.Json
import org.edgeseld.core.hearing.Passes
import org.edgeseld.core.tracking.EventList
import org.edgeseld.core.tracking.EventUncertainty
import org.edgeseld.core.tracking.SeldEvent
import org.edgeseld.core.tracking.TrajectoryPoint
import org.edgeseld.core.tracking.detectionsOf
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test

class CloudTest {
    private val sure = EventUncertainty(0.05, 0.3, 0.1, 8.0, 10, 1)
    private val loud = event("knock", 0.1, listOf(0.9, 0.8), sure)
    private val faint = event("bell", 0.2, listOf(0.4), sure)
    private val answer = EventList("teacher-m", 0.35, listOf(loud, faint, event("knock", 0.2, listOf(0.6), null, track = 1)))

    private fun event(name: String, onsetS: Double, activity: List<Double>, sure: EventUncertainty?, track: Int = 0): SeldEvent {
        val points = activity.mapIndexed { index, value -> TrajectoryPoint(onsetS + 0.1 * index, value, 20.0, 5.0) }
        return SeldEvent(name, track, onsetS, onsetS + 0.1 * points.size, activity.average(), points, sure)
    }

    /** Asks a server that answers with `status` and `body`; what it was asked, and the answer. */
    private fun ask(status: Int, body: String): Pair<String, EventList> {
        var asked = ""
        val server = HttpServer.create(InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0)
        server.createContext("/") { exchange ->
            asked = "${exchange.requestMethod} ${exchange.requestURI} ${exchange.requestBody.readBytes().decodeToString()}"
            exchange.sendResponseHeaders(status, body.length.toLong())
            exchange.responseBody.use { it.write(body.encodeToByteArray()) }
        }
        server.start()
        try {
            return askCloud("http://127.0.0.1:${server.address.port}/", "sound".encodeToByteArray(), Passes(10, 5, 7L), 5_000).let { asked to it }
        } finally {
            server.stop(0)
        }
    }

    @Test
    fun `a server is asked for the events of a recording`() {
        val (asked, heard) = ask(200, Json.encodeToString(answer))
        assertEquals("POST /v1/events?mc_samples=10&time_shifts=5&seed=7 sound", asked)
        assertEquals(answer, heard)
    }

    @Test
    fun `a refusal tells the reason, and what is no answer is none`() {
        val refusal = assertThrows(CloudException::class.java) { ask(422, "no such format") }
        assertEquals("the server answered 422: no such format", refusal.message)
        assertThrows(CloudException::class.java) { ask(200, "<html>") }
    }

    @Test
    fun `frames of an answer hold the loudest event of each class`() {
        val frames = framesOf(answer)
        assertEquals(listOf("bell", "knock") to 4, frames.classes to frames.frames)
        assertArrayEquals(floatArrayOf(0f, 0f, 0f, 0.9f, 0.4f, 0.8f, 0f, 0f), frames.activity)
        assertEquals(0.05f, frames.uncertainty!!.activityStd[3])
        assertNull(framesOf(EventList("teacher-m", 0.3, listOf(event("bell", 0.1, listOf(0.4), null)))).uncertainty)
    }

    @Test
    fun `detections of events are as sure as their event`() {
        val detections = detectionsOf(listOf(loud), firstFrame = 10)
        assertEquals(listOf(1.1, 1.2), detections.map { it.timeS })
        assertEquals(8.0, detections[0].uncertainty?.directionSpreadDeg)
    }
}
