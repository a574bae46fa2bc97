package org.edgeseld.core.signal

import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import org.edgeseld.core.AudioFormatException
import org.edgeseld.core.Repository
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

@Serializable
private class HalvingCase(
    val description: String,
    @SerialName("coefficients_from_centre") val coefficients: List<Int>,
    @SerialName("pcm16_48khz") val pcm: List<Int>,
    @SerialName("sums_24khz") val sums: List<Long>,
)

class HalvingTest {
    private val case = Json.decodeFromString<HalvingCase>(Repository.halvingCase.readText())
    private val pcm = FloatArray(case.pcm.size) { case.pcm[it] / 32_768f }

    @Test
    fun `the taps are Python's`() = assertEquals(case.coefficients, HALVING_TAPS_FROM_CENTRE.toList())

    @Test
    fun `every output is Python's to the bit`() {
        val expected = FloatArray(case.sums.size) { (case.sums[it].toDouble() / (1L shl 35)).toFloat() }
        assertArrayEquals(expected, halveRate(Audio(1, pcm.size, pcm)).data)
    }

    @Test
    fun `a microphone's blocks of any size give the same samples, channel by channel`() {
        val ring = RingBuffer(2, 1000)
        val capture = Capture(3, 48_000, ring)
        val frames = 300
        val interleaved = FloatArray(3 * frames) { if (it % 3 == 0) pcm[it / 3 % pcm.size] else -pcm[(it / 3 + 7) % pcm.size] }
        for (start in 0 until frames step 70) {
            val count = minOf(70, frames - start)
            capture.push(interleaved.copyOfRange(3 * start, 3 * (start + count)), count)
        }
        val whole = halveRate(Audio(2, frames, FloatArray(2 * frames) { interleaved[3 * (it % frames) + it / frames] }))
        val complete = (frames - HALVING_CENTRE + 1) / 2
        val heard = FloatArray(2 * complete)
        assertFalse(ring.read(FloatArray(2 * complete + 2), complete + 1))
        assertTrue(ring.read(heard, complete))
        for (channel in 0..1) {
            val expected = whole.data.copyOfRange(channel * whole.samples, channel * whole.samples + complete)
            assertArrayEquals(expected, heard.copyOfRange(channel * complete, (channel + 1) * complete))
        }
    }

    @Test
    fun `a full ring drops its oldest samples and counts them`() {
        val ring = RingBuffer(1, 4)
        Capture(1, 24_000, ring).push(floatArrayOf(1f, 2f, 3f, 4f, 5f, 6f), 6)
        val heard = FloatArray(4)
        assertTrue(ring.read(heard, 4))
        assertArrayEquals(floatArrayOf(3f, 4f, 5f, 6f), heard)
        assertEquals(2L, ring.droppedSamples)
    }

    @Test
    fun `a device that cannot serve the model is refused`() {
        assertThrows(AudioFormatException::class.java) { Capture(2, 48_000, RingBuffer(4, 100)) }
        assertThrows(AudioFormatException::class.java) { Capture(4, 44_100, RingBuffer(4, 100)) }
    }

    @Test
    fun `capturing a block allocates nothing`() {
        val threads = java.lang.management.ManagementFactory.getThreadMXBean() as com.sun.management.ThreadMXBean
        val thread = Thread.currentThread().id
        val capture = Capture(4, 48_000, RingBuffer(4, 48_000))
        val block = FloatArray(4 * 480) { pcm[it % pcm.size] }
        repeat(2_000) { capture.push(block, 480) }
        val before = threads.getThreadAllocatedBytes(thread)
        repeat(1_000) { capture.push(block, 480) }
        val perBlock = (threads.getThreadAllocatedBytes(thread) - before) / 1_000
        println("capture path: $perBlock bytes allocated per block of 10 ms")
        assertEquals(0L, perBlock)
    }
}
