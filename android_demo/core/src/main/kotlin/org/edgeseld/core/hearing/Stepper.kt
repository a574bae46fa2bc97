package org.edgeseld.core.hearing

import org.edgeseld.core.LABEL_FRAME_SAMPLES
import org.edgeseld.core.Tensor
import org.edgeseld.core.bundle.Role
import org.edgeseld.core.labelFrames
import org.edgeseld.core.signal.Audio

/** A causal model goes from label frame to label frame; what it keeps of the past is explicit. */
class Stepper(private val graphs: Graphs) {
    private val spec = graphs.require(Role.STREAM, "streaming frame by frame")
    private val states = spec.inputs.drop(1)
    private val heard = spec.outputs.dropLast(states.size).map { it.name }
    private val kept = spec.outputs.takeLast(states.size).map { it.name }
    private var state = silence()

    /** Back to the silence before the start. */
    fun reset() {
        state = silence()
    }

    /** Outputs and embedding of one label frame, (1, 1, ...), from its PCM (1, channels, context + 2400). */
    fun step(pcm: Tensor): Outputs {
        val outputs = graphs.run(Role.STREAM, listOf(pcm) + state)
        state = kept.map(outputs::getValue)
        return heard.associateWith(outputs::getValue)
    }

    private fun silence() = states.map { Tensor.zeros(it.shape) }
}

/** Outputs of a whole recording in pieces of a window, (1, windowFrames, ...), zeros at the end; the state goes on. */
fun stepWindows(graphs: Graphs, audio: Audio, delaySamples: Int = 0): Sequence<Outputs> = sequence {
    val stepper = Stepper(graphs)
    val signal = graphs.manifest.signal
    val frames = labelFrames(audio.samples)
    for (first in 0 until frames step signal.windowFrames) {
        val steps = (first until minOf(first + signal.windowFrames, frames)).map { frame ->
            val start = frame * LABEL_FRAME_SAMPLES - delaySamples
            stepper.step(audio.cut(start - signal.contextSamples, start + LABEL_FRAME_SAMPLES))
        }
        yield(steps[0].keys.associateWith { name -> joined(steps.map { it.getValue(name) }, signal.windowFrames) })
    }
}

/** Frames (1, 1, ...) as (1, length, ...). */
private fun joined(frames: List<Tensor>, length: Int): Tensor {
    val result = Tensor.zeros(listOf(1, length) + frames[0].shape.drop(2))
    frames.forEachIndexed { index, frame -> frame.data.copyInto(result.data, index * frame.data.size) }
    return result
}
