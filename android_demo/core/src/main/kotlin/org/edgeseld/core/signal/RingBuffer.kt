package org.edgeseld.core.signal

/**
 * The newest audio between the thread that captures and the thread that hears. Neither waits for the other: what is not read
 * in time is dropped, oldest first, and counted.
 */
class RingBuffer(val channels: Int, val capacitySamples: Int) {
    private val data = FloatArray(channels * capacitySamples)
    private val lock = Any()
    private var written = 0L
    private var read = 0L

    /** Samples that came too fast to be heard. */
    var droppedSamples = 0L
        private set

    /** Adds one sample of every channel from `frame[offset ..]`. */
    fun write(frame: FloatArray, offset: Int) = synchronized(lock) {
        val place = (written % capacitySamples).toInt()
        for (channel in 0 until channels) data[channel * capacitySamples + place] = frame[offset + channel]
        written++
        if (written - read > capacitySamples) {
            read++
            droppedSamples++
        }
    }

    /** Moves the oldest `samples` samples to `target` (channels, samples); false, and nothing moves, where there are fewer. */
    fun read(target: FloatArray, samples: Int): Boolean = synchronized(lock) {
        if (written - read < samples) return false
        for (channel in 0 until channels) for (index in 0 until samples) {
            target[channel * samples + index] = data[channel * capacitySamples + ((read + index) % capacitySamples).toInt()]
        }
        read += samples
        return true
    }

    fun clear() = synchronized(lock) {
        read = written
        droppedSamples = 0L
    }
}
