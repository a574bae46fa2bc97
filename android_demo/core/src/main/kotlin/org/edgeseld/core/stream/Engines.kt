package org.edgeseld.core.stream

import org.edgeseld.core.BundleException
import org.edgeseld.core.ConfigException
import org.edgeseld.core.LABEL_FRAME_SAMPLES
import org.edgeseld.core.Tensor
import org.edgeseld.core.bundle.Role
import org.edgeseld.core.hearing.Graphs
import org.edgeseld.core.hearing.MonteCarlo
import org.edgeseld.core.hearing.Outputs
import org.edgeseld.core.hearing.Prediction
import org.edgeseld.core.hearing.Stepper
import org.edgeseld.core.uncertainty.aggregate
import org.edgeseld.core.uncertainty.align

/**
 * Hears `stepFrames` label frames at a time, `lookaheadFrames` behind the newest one; beside the samples of a step it takes the
 * `historySamples` before them.
 */
interface Engine {
    val stepFrames: Int
    val lookaheadFrames: Int
    val historySamples: Int

    /** Back to the silence before the start. */
    fun reset()

    /** The frames of one step, before unification, from PCM (1, channels, history + step samples). */
    fun hear(pcm: Tensor): Prediction
}

/** A causal model: one call per label frame, its state goes on; nothing is looked ahead. */
class FrameEngine(private val graphs: Graphs, private val monteCarlo: MonteCarlo?) : Engine {
    override val stepFrames = 1
    override val lookaheadFrames = 0
    override val historySamples = graphs.manifest.signal.contextSamples
    private val stepper = Stepper(graphs)

    init {
        val outside = graphs.manifest.monteCarlo?.sites?.firstOrNull { !it.name.startsWith("head") }
        if (monteCarlo != null && outside != null) {
            throw BundleException(
                "samples in a stream need dropout in the head alone, ${graphs.manifest.id} has it in ${outside.name} too: " +
                    "set samples to 0, or choose another model",
            )
        }
    }

    override fun reset() = stepper.reset()

    override fun hear(pcm: Tensor): Prediction {
        val outputs = stepper.step(pcm)
        if (monteCarlo == null) return readFrames(graphs, outputs, null, 0, 1)
        // The head graph takes a window of embeddings; it treats every frame alike.
        val embedding = outputs.getValue("embedding")
        val window = Tensor.zeros(listOf(1, graphs.manifest.signal.windowFrames) + embedding.shape.drop(2))
        embedding.data.copyInto(window.data)
        return readFrames(graphs, outputs + ("embedding" to window), monteCarlo, 0, 1)
    }
}

/** Any windowed model: the window ends with the newest step; `lookaheadFrames` of it lie after what is given out. */
class WindowEngine(
    private val graphs: Graphs,
    override val stepFrames: Int,
    override val lookaheadFrames: Int,
    private val monteCarlo: MonteCarlo?,
) : Engine {
    private val signal = graphs.manifest.signal
    override val historySamples = signal.contextSamples + signal.windowPcmSamples - stepFrames * LABEL_FRAME_SAMPLES

    init {
        if (stepFrames < 1 || lookaheadFrames < 0 || stepFrames + lookaheadFrames > signal.windowFrames) {
            throw ConfigException(
                "a hop of at least 1 frame and the look-ahead must fit into the window of ${signal.windowFrames} frames, " +
                    "got $stepFrames and $lookaheadFrames",
            )
        }
    }

    override fun reset() = Unit

    override fun hear(pcm: Tensor): Prediction {
        val last = signal.windowFrames - lookaheadFrames
        return readFrames(graphs, graphs.run(Role.FULL, listOf(pcm)), monteCarlo, last - stepFrames, last)
    }
}

/** Label frames first .. last - 1 of the outputs of one window, from the pass itself or from samples. */
private fun readFrames(graphs: Graphs, outputs: Outputs, monteCarlo: MonteCarlo?, first: Int, last: Int): Prediction {
    if (monteCarlo == null) {
        val frames = outputs.filterKeys { it != "embedding" }.mapValues { Tensor(it.value.shape.drop(1), it.value.data).rows(first, last) }
        return graphs.interpret(frames)
    }
    val drawn = monteCarlo.draw(outputs.getValue("embedding")).framesBetween(first, last)
    val passItself = graphs.decode(outputs).framesBetween(first, last)
    return aggregate(graphs.calibrate(align(drawn, passItself)), graphs.manifest.classes, monteCarlo.samples, 1)
}
