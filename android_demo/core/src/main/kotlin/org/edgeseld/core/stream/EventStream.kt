package org.edgeseld.core.stream

import kotlin.math.abs
import org.edgeseld.core.AudioFormatException
import org.edgeseld.core.LABEL_FRAME_SAMPLES
import org.edgeseld.core.StreamException
import org.edgeseld.core.Tensor
import org.edgeseld.core.ceilDiv
import org.edgeseld.core.hearing.Graphs
import org.edgeseld.core.hearing.Prediction
import org.edgeseld.core.hearing.joinPredictions
import org.edgeseld.core.labelFrames
import org.edgeseld.core.signal.Audio
import org.edgeseld.core.tracking.Detection
import org.edgeseld.core.tracking.SeldEvent
import org.edgeseld.core.tracking.Tracker

/** An event that goes on for longer keeps its onset, score and uncertainty, and the last minute of its trajectory. */
private const val KEPT_FRAMES = 600

/** Integers that were not divided by full scale, and broken drivers, lie far above this. */
private const val HIGHEST_PEAK = 16f

/** What a block brought: the label frames from `firstFrame` on that are complete now, and what happened in them. */
class Update(
    val firstFrame: Int,
    val prediction: Prediction? = null,
    val opened: List<SeldEvent> = emptyList(),
    val closed: List<SeldEvent> = emptyList(),
    val detections: List<Detection> = emptyList(),
)

/** A live stream through a model, used by one thread at a time: blocks of any size in, frames and events out. */
class EventStream(private val graphs: Graphs, private val engine: Engine) {
    private val stepSamples = engine.stepFrames * LABEL_FRAME_SAMPLES
    private val channels = graphs.manifest.signal.channels
    private val width = engine.historySamples + stepSamples
    private val buffer = FloatArray(channels * width)
    private var tracker = newTracker()
    private var waitingSamples = 0
    private var steps = 0
    private var finished = false
    private var samples = 0

    /** Samples, not finite or beyond all full scale, that were heard as silence. */
    var invalidSamples = 0
        private set

    /** Begins again at time 0 with silence before it, whatever came before. */
    fun restart() {
        engine.reset()
        buffer.fill(0f)
        tracker = newTracker()
        waitingSamples = 0
        steps = 0
        finished = false
        samples = 0
        invalidSamples = 0
    }

    /** Hears the next samples. AudioFormatException for another number of channels; StreamException after `finish`. */
    fun feed(block: Audio): Update {
        requireOpen()
        if (block.channels != channels) {
            throw AudioFormatException("a block has $channels channels, got ${block.channels}: convert it")
        }
        samples += block.samples
        return hear(sane(block), null)
    }

    /** Hears the last frames, silence following the last sample, and ends all events. */
    fun finish(): Update {
        requireOpen()
        val frames = labelFrames(samples)
        val allSteps = if (frames > 0) ceilDiv(frames + engine.lookaheadFrames, engine.stepFrames) else 0
        val silence = allSteps * stepSamples - samples
        val update = hear(Audio(channels, silence, FloatArray(channels * silence)), frames)
        finished = true
        return Update(update.firstFrame, update.prediction, update.opened, update.closed + tracker.finish(), update.detections)
    }

    /** Runs the engine for every step that is full; frames from `frames` on are left out. */
    private fun hear(block: Audio, frames: Int?): Update {
        val first = tracker.nextFrame
        val parts = mutableListOf<Prediction>()
        var place = 0
        while (place < block.samples) {
            val taken = minOf(stepSamples - waitingSamples, block.samples - place)
            for (channel in 0 until channels) {
                val to = channel * width + engine.historySamples + waitingSamples
                val from = channel * block.samples + place
                block.data.copyInto(buffer, to, from, from + taken)
            }
            waitingSamples += taken
            place += taken
            if (waitingSamples == stepSamples) step(frames)?.let { parts += it }
        }
        if (parts.isEmpty()) return Update(first)
        val prediction = joinPredictions(parts)
        val changes = tracker.add(prediction)
        return Update(first, prediction, changes.opened, changes.closed, changes.detections)
    }

    /** The frames that one full step completes; null as long as they lie before the start or after the end. */
    private fun step(frames: Int?): Prediction? {
        val prediction = engine.hear(Tensor(listOf(1, channels, width), buffer))
        for (channel in 0 until channels) buffer.copyInto(buffer, channel * width, channel * width + stepSamples, (channel + 1) * width)
        waitingSamples = 0
        val start = steps * engine.stepFrames - engine.lookaheadFrames
        steps++
        val stop = start + engine.stepFrames
        val first = maxOf(start, 0)
        val last = if (frames == null) stop else minOf(stop, frames)
        return if (first >= last) null else graphs.finish(prediction).framesBetween(first - start, last - start)
    }

    private fun requireOpen() {
        if (finished) throw StreamException("the stream is finished: restart it to begin again")
    }

    private fun sane(block: Audio): Audio {
        if (block.data.all { abs(it) <= HIGHEST_PEAK }) return block
        val valid = { value: Float -> abs(value) <= HIGHEST_PEAK }
        invalidSamples += (0 until block.samples).count { index -> (0 until channels).any { !valid(block.data[it * block.samples + index]) } }
        return Audio(channels, block.samples, FloatArray(block.data.size) { if (valid(block.data[it])) block.data[it] else 0f })
    }

    private fun newTracker() = Tracker(graphs.manifest.classes, graphs.manifest.tracking, KEPT_FRAMES)
}
