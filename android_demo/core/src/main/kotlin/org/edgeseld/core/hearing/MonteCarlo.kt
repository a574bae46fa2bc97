package org.edgeseld.core.hearing

import org.edgeseld.core.BundleException
import org.edgeseld.core.ConfigException
import org.edgeseld.core.Tensor
import org.edgeseld.core.bundle.Role
import org.edgeseld.core.ceilDiv
import org.edgeseld.core.uncertainty.Samples
import org.edgeseld.core.uncertainty.drawMasks

/** Draws of the network: the head with masks, on an embedding that all samples share. */
class MonteCarlo(private val graphs: Graphs, val samples: Int, seed: Long) {
    private val masks: List<List<Tensor>>

    init {
        if (samples < 1) throw ConfigException("mc_samples must be 1 or more, got $samples")
        graphs.require(Role.HEAD, "Monte Carlo dropout")
        val spec = graphs.manifest.monteCarlo
            ?: throw BundleException("${graphs.manifest.id} has no dropout sites: choose a model trained with dropout")
        val chunk = spec.chunkSamples
        val chunks = ceilDiv(samples, chunk)
        val drawn = drawMasks(spec.sites, chunks * chunk, seed)
        masks = (0 until chunks).map { index -> drawn.map { it.rows(index * chunk, (index + 1) * chunk) } }
    }

    /** All samples for an embedding (1, frames, width). */
    fun draw(embedding: Tensor): Samples {
        val runs = masks.map { graphs.run(Role.HEAD, listOf(embedding) + it) }
        return graphs.decode(runs[0].keys.associateWith { name -> Tensor.concatenate(runs.map { it.getValue(name) }).rows(0, samples) })
    }
}
