package org.edgeseld.core.hearing

import org.edgeseld.core.Tensor
import org.edgeseld.core.bundle.Role
import org.edgeseld.core.ceilDiv
import org.edgeseld.core.signal.Audio

/**
 * Features of a whole recording, delayed by `delaySamples`, from frame `first` (0 or below) on, so that shifted windows share
 * them. The frontend runs once per tile; requests move forward, and tiles before those of the last request are forgotten.
 */
class FeatureLine(private val graphs: Graphs, private val audio: Audio, private val delaySamples: Int, private val first: Int) {
    private val tileFrames = graphs.require(Role.FRONTEND, "time shifts").outputs[0].shape[2]
    private var tiles = mapOf<Int, Tensor>()

    /** Features (1, maps, stop - start, mel bands) of the frames start .. stop - 1. */
    fun frames(start: Int, stop: Int): Tensor {
        val low = start - first
        val high = stop - first
        val wanted = Math.floorDiv(low, tileFrames) until ceilDiv(high, tileFrames)
        tiles = wanted.associateWith { tiles[it] ?: hear(it) }
        val (_, maps, _, bands) = tiles.getValue(wanted.first).shape
        val result = Tensor.zeros(listOf(1, maps, stop - start, bands))
        for (map in 0 until maps) for (frame in low until high) {
            val from = (map * tileFrames + frame % tileFrames) * bands
            val to = (map * (stop - start) + frame - low) * bands
            tiles.getValue(frame / tileFrames).data.copyInto(result.data, to, from, from + bands)
        }
        return result
    }

    private fun hear(number: Int): Tensor {
        val signal = graphs.manifest.signal
        val start = (first + number * tileFrames) * signal.hopSamples - delaySamples
        val pcm = audio.cut(start - signal.contextSamples, start + tileFrames * signal.hopSamples)
        return graphs.run(Role.FRONTEND, listOf(pcm)).getValue("features")
    }
}
