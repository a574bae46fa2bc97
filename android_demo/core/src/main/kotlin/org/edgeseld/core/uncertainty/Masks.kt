package org.edgeseld.core.uncertainty

import org.edgeseld.core.Tensor
import org.edgeseld.core.bundle.MaskSiteSpec

private const val STEPS = (1 shl 24).toDouble()

/**
 * Dropout masks (samples, 1, channels) of all sites: 0, or 1 / (1 - rate) where the channel is kept.
 *
 * Channel c of sample n is word c mod 4 of counter (c div 4, n, site, 0); it is kept iff (word >> 8) >= round(rate x 2^24).
 */
fun drawMasks(sites: List<MaskSiteSpec>, samples: Int, seed: Long): List<Tensor> = sites.mapIndexed { number, site ->
    val dropped = Math.rint(site.rate * STEPS).toLong()
    val kept = (1.0 / (1.0 - site.rate)).toFloat()
    val values = FloatArray(samples * site.channels)
    val words = LongArray(4)
    for (sample in 0 until samples) {
        for (channel in 0 until site.channels) {
            if (channel % 4 == 0) Philox.draw(channel / 4L, sample.toLong(), number.toLong(), 0L, seed, words)
            if (words[channel % 4] ushr 8 >= dropped) values[sample * site.channels + channel] = kept
        }
    }
    Tensor(listOf(samples, 1, site.channels), values)
}
