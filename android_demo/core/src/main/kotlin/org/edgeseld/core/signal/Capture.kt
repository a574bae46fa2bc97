package org.edgeseld.core.signal

import org.edgeseld.core.AudioFormatException
import org.edgeseld.core.SAMPLE_RATE_HZ

/**
 * Interleaved blocks of a microphone at 24 or 48 kHz to the ring buffer at 24 kHz. Allocates nothing per block.
 *
 * The device may give more channels than the model takes; the first ones count.
 */
class Capture(private val deviceChannels: Int, rateHz: Int, private val ring: RingBuffer) {
    private val halvings = if (rateHz == 2 * SAMPLE_RATE_HZ) Array(ring.channels) { Halving() } else null
    private val frame = FloatArray(ring.channels)

    /** Root mean square of the last block, 0 .. 1. */
    var level = 0f
        private set

    init {
        if (rateHz != SAMPLE_RATE_HZ && rateHz != 2 * SAMPLE_RATE_HZ) {
            throw AudioFormatException("a microphone gives 24 or 48 kHz, got $rateHz: choose another device")
        }
        if (deviceChannels < ring.channels) {
            throw AudioFormatException("the model takes ${ring.channels} channels, the microphone gives $deviceChannels: choose another model")
        }
    }

    /** Takes `frames` frames of `deviceChannels` samples each. */
    fun push(block: FloatArray, frames: Int) {
        var energy = 0f
        for (index in 0 until frames) {
            val start = index * deviceChannels
            energy += block[start] * block[start]
            if (halvings == null) ring.write(block, start) else halve(block, start, halvings)
        }
        if (frames > 0) level = kotlin.math.sqrt(energy / frames)
    }

    private fun halve(block: FloatArray, start: Int, filters: Array<Halving>) {
        var complete = false
        for (channel in filters.indices) complete = filters[channel].push(block[start + channel])
        if (!complete) return
        for (channel in filters.indices) frame[channel] = filters[channel].output()
        ring.write(frame, 0)
    }
}
