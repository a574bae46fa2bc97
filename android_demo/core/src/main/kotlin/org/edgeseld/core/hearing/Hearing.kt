package org.edgeseld.core.hearing

import org.edgeseld.core.Tensor
import org.edgeseld.core.bundle.Role
import org.edgeseld.core.ceilDiv
import org.edgeseld.core.labelFrames
import org.edgeseld.core.signal.Audio
import org.edgeseld.core.uncertainty.Samples
import org.edgeseld.core.uncertainty.Shift
import org.edgeseld.core.uncertainty.aggregate
import org.edgeseld.core.uncertainty.align
import org.edgeseld.core.uncertainty.joinFrames
import org.edgeseld.core.uncertainty.marginFrames
import org.edgeseld.core.uncertainty.regrid
import org.edgeseld.core.uncertainty.shifts

/** The deterministic pass, before unification (runtime/hearing.py). */
internal fun hearOnce(graphs: Graphs, audio: Audio): Prediction {
    val parts = windows(graphs, audio).map { outputs -> graphs.interpret(outputs.mapValues { Tensor(it.value.shape.drop(1), it.value.data) }) }
    return joinPredictions(parts.toList()).framesBetween(0, labelFrames(audio.samples))
}

/** Monte Carlo samples of every window, before unification; the trunk runs once per window. */
internal fun hearSamples(graphs: Graphs, audio: Audio, mcSamples: Int, seed: Long): Prediction {
    val monteCarlo = MonteCarlo(graphs, mcSamples, seed)
    val parts = windows(graphs, audio).map { outputs ->
        val drawn = align(monteCarlo.draw(outputs.getValue("embedding")), graphs.decode(outputs))
        aggregate(graphs.calibrate(drawn), graphs.manifest.classes, mcSamples, 1)
    }
    return joinPredictions(parts.toList()).framesBetween(0, labelFrames(audio.samples))
}

/**
 * Time shifts, each with Monte Carlo samples if any are wanted, before unification. Only two windows of samples are held at a
 * time: label frames are aggregated as soon as all shifts of them are heard.
 */
internal fun hearShifts(graphs: Graphs, audio: Audio, timeShifts: Int, mcSamples: Int, seed: Long): Prediction {
    val plan = shifts(timeShifts, graphs.manifest.signal)
    val monteCarlo = if (mcSamples > 0) MonteCarlo(graphs, mcSamples, seed) else null
    val windowFrames = graphs.manifest.signal.windowFrames
    val frames = labelFrames(audio.samples)
    val parts = mutableListOf<Prediction>()
    var held = emptyList<Samples>()
    var done = 0
    var base = 0
    shiftedWindows(graphs, audio, plan).forEachIndexed { index, shifted ->
        val ready = minOf((index + 1) * windowFrames, frames)
        val window = passes(graphs, plan, shifted, monteCarlo).map { it.framesBetween(0, ready - index * windowFrames) }
        held = if (held.isEmpty()) window else held.zip(window, ::joinFrames)
        val last = if (ready == frames) frames else ready - marginFrames(timeShifts)
        val placed = regrid(held.drop(1), plan, held[0], done - base, last - base, graphs::calibrate)
        parts += aggregate(placed.samples, graphs.manifest.classes, mcSamples, timeShifts, placed.weights)
        held = window
        base = index * windowFrames
        done = last
    }
    return joinPredictions(parts)
}

/** The deterministic unshifted pass, then the passes of all shifts. */
private fun passes(graphs: Graphs, plan: List<Shift>, shifted: List<Outputs>, monteCarlo: MonteCarlo?): List<Samples> {
    val unshifted = plan.indexOfFirst { it.number == 0 }
    if (monteCarlo == null) return shifted.map(graphs::decode).let { listOf(it[unshifted]) + it }
    return listOf(graphs.decode(shifted[unshifted])) + shifted.map { monteCarlo.draw(it.getValue("embedding")) }
}

/** Outputs and embedding of each window, (1, windowFrames, ...); a causal model is heard frame by frame. */
private fun windows(graphs: Graphs, audio: Audio): Sequence<Outputs> {
    if (graphs.manifest.streams) return stepWindows(graphs, audio)
    val signal = graphs.manifest.signal
    return windowIndices(graphs, audio).asSequence().map { index ->
        val start = index * signal.windowPcmSamples
        graphs.run(Role.FULL, listOf(audio.cut(start - signal.contextSamples, start + signal.windowPcmSamples)))
    }
}

/** For each window the outputs of all shifts. */
private fun shiftedWindows(graphs: Graphs, audio: Audio, plan: List<Shift>): Sequence<List<Outputs>> {
    if (graphs.manifest.streams) return sideBySide(plan.map { stepWindows(graphs, audio, it.delaySamples) })
    graphs.require(Role.ENCODER, "time shifts")
    val signal = graphs.manifest.signal
    val lines = featureLines(graphs, audio, plan)
    return windowIndices(graphs, audio).asSequence().map { index ->
        plan.map { shift ->
            val start = index * signal.windowHops - shift.delayHops(signal.hopSamples)
            val line = lines.getValue(shift.restSamples(signal.hopSamples))
            graphs.run(Role.ENCODER, listOf(line.frames(start, start + signal.windowHops)))
        }
    }
}

/** A frontend pass for each part of a hop that shifts leave over, from the first frame that any of them needs. */
private fun featureLines(graphs: Graphs, audio: Audio, plan: List<Shift>): Map<Int, FeatureLine> {
    val hop = graphs.manifest.signal.hopSamples
    return plan.groupBy { it.restSamples(hop) }.mapValues { (rest, shifts) ->
        FeatureLine(graphs, audio, rest, first = -shifts.maxOf { it.delayHops(hop) })
    }
}

/** Windows side by side that cover the audio, at least one. */
private fun windowIndices(graphs: Graphs, audio: Audio): IntRange =
    0 until maxOf(ceilDiv(audio.samples, graphs.manifest.signal.windowPcmSamples), 1)

private fun <T> sideBySide(sequences: List<Sequence<T>>): Sequence<List<T>> = sequence {
    val iterators = sequences.map { it.iterator() }
    while (iterators.all { it.hasNext() }) yield(iterators.map { it.next() })
}
