package org.edgeseld.core.signal

import org.edgeseld.core.Tensor

/** Audio at 24 kHz, full scale 1, one channel after the other. */
class Audio(val channels: Int, val samples: Int, val data: FloatArray) {
    init {
        require(data.size == channels * samples) { "audio of $channels x $samples holds ${channels * samples} numbers, got ${data.size}" }
    }

    /** Samples start .. stop - 1 as a tensor (1, channels, stop - start), silence before the start and after the end. */
    fun cut(start: Int, stop: Int): Tensor {
        val result = FloatArray(channels * (stop - start))
        val low = maxOf(start, 0)
        val high = minOf(stop, samples)
        for (channel in 0 until channels) {
            if (low < high) data.copyInto(result, channel * (stop - start) + low - start, channel * samples + low, channel * samples + high)
        }
        return Tensor(listOf(1, channels, stop - start), result)
    }
}
