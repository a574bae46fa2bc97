package org.edgeseld.core.signal

internal const val HALVING_CENTRE = 127
private const val HALVING_TAPS = 2 * HALVING_CENTRE + 1
private const val SAMPLE_SCALE = (1 shl 23).toDouble()
private const val OUTPUT_SCALE = 1.0 / (1L shl 43)

/**
 * 48 to 24 kHz for one channel: 255 integer taps, samples in steps of 2^-23, sums exact below 2^53, so that no block size
 * changes a bit. Output m is centred on input 2 m and complete once input 2 m + 127 is there. Allocates nothing per sample.
 */
class Halving {
    // Twice the taps, so that the newest 255 samples always lie side by side.
    private val line = DoubleArray(2 * HALVING_TAPS)
    private var place = 0
    private var heard = 0L

    /** Takes the next sample; true where an output is complete, which `output` then computes. */
    fun push(sample: Float): Boolean {
        val scaled = Math.rint(sample * SAMPLE_SCALE)
        line[place] = scaled
        line[place + HALVING_TAPS] = scaled
        place = if (place + 1 == HALVING_TAPS) 0 else place + 1
        heard++
        return heard > HALVING_CENTRE && (heard - HALVING_CENTRE) % 2 == 1L
    }

    /** The filtered sample around the one that came 127 samples ago. */
    fun output(): Float {
        val centre = place + HALVING_CENTRE
        var sum = HALVING_TAPS_FROM_CENTRE[0] * line[centre]
        for (tap in 1..HALVING_CENTRE) sum += HALVING_TAPS_FROM_CENTRE[tap] * (line[centre - tap] + line[centre + tap])
        return (sum * OUTPUT_SCALE).toFloat()
    }

    fun reset() {
        line.fill(0.0)
        place = 0
        heard = 0L
    }
}

/** 48 kHz to 24 kHz, ceil(samples / 2), without delay. */
fun halveRate(audio: Audio): Audio {
    val samples = (audio.samples + 1) / 2
    val result = FloatArray(audio.channels * samples)
    for (channel in 0 until audio.channels) {
        val filter = Halving()
        var written = channel * samples
        for (index in 0 until audio.samples + HALVING_CENTRE) {
            val sample = if (index < audio.samples) audio.data[channel * audio.samples + index] else 0f
            if (filter.push(sample)) result[written++] = filter.output()
        }
    }
    return Audio(audio.channels, samples, result)
}
