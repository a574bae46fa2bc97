package org.edgeseld.core

import kotlin.math.abs
import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import org.edgeseld.core.bundle.TrackingSpec
import org.edgeseld.core.hearing.Prediction
import org.edgeseld.core.tracking.SeldEvent
import org.edgeseld.core.tracking.Vector
import org.edgeseld.core.tracking.angleDeg
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue

/** How far LiteRT's own two sets of kernels are apart on a bundle and its audio (tests/parity/rounding.py). */
@Serializable
class Rounding(val activity: Double, @SerialName("direction_deg") val directionDeg: Double)

/** What one runtime made of the audio: frames after unification, and the events in them. */
class Hearing(val prediction: Prediction, val events: List<SeldEvent>)

/** How many of Python's events have no twin, and where that was decided. */
class Apart(val events: Int, val places: List<String>)

/**
 * Holds the events of two runtimes that round int8 apart to each other: all are the same, but for what follows from a decision
 * within rounding.
 *
 * A class is heard otherwise in the frames in which its numbers of sources differ. Such frames, no further apart than a tracker
 * bridges, make a stretch; in one frame of every stretch either runtime must hear an activity that lies within rounding of the
 * threshold or of the release, or two tracks within rounding of the angle at which they become one.
 */
class RoundedApart(private val rules: TrackingSpec, private val rounding: Rounding, private val theirs: Hearing, private val ours: Hearing) {
    private val classes = theirs.prediction.classes
    private val thresholds = rules.thresholds(classes)

    /** What differs, each by a decision within rounding; AssertionError for any other difference. */
    fun check(): Apart {
        val common = theirs.outlines.keys intersect ours.outlines.keys
        for (outline in common) {
            assertEquals(theirs.outlines.getValue(outline).score, ours.outlines.getValue(outline).score, rounding.activity, "$outline")
        }
        val stretches = classes.associateWith(::stretches)
        val places = stretches.flatMap { (name, found) -> found.map { placeWithinRounding(name, it) } }
        for ((outline, event) in (theirs.outlines + ours.outlines) - common) {
            assertTrue(stretches.getValue(event.className).any { it touches event }, "$outline has no twin")
        }
        return Apart((theirs.outlines.keys - common).size, places)
    }

    private fun placeWithinRounding(name: String, stretch: List<Int>): String {
        val place = "$name from frame ${stretch.first()} to ${stretch.last()}"
        assertTrue(stretch.any { isWithinRounding(classes.indexOf(name), it) }, "$place is heard by one runtime only, and not by rounding")
        return place
    }

    /** Runs of frames in which the numbers of sources of a class differ. */
    private fun stretches(name: String): List<List<Int>> {
        val one = theirs.sources(name)
        val other = ours.sources(name)
        val frames = (one.keys + other.keys).filter { one[it] != other[it] }.sorted()
        return frames.fold(emptyList()) { runs, frame ->
            val last = runs.lastOrNull()
            if (last != null && frame - last.last() <= rules.maxGapFrames + 1) runs.dropLast(1) + listOf(last + frame) else runs + listOf(listOf(frame))
        }
    }

    private infix fun List<Int>.touches(event: SeldEvent): Boolean {
        val reach = rules.maxGapFrames + 1
        return event.frames.first() - reach <= last() && first() <= event.frames.last() + reach
    }

    private fun isWithinRounding(classId: Int, frame: Int): Boolean =
        listOf(theirs.prediction, ours.prediction).any { nearCut(it, classId, frame) || nearUnification(it, classId, frame) }

    private fun nearCut(prediction: Prediction, classId: Int, frame: Int): Boolean {
        val threshold = thresholds[classId]
        return (0 until prediction.tracks).any { track ->
            val activity = prediction.activity[prediction.place(frame, track, classId)]
            listOf(threshold, threshold * rules.releaseRatio).any { abs(activity - it) <= rounding.activity }
        }
    }

    private fun nearUnification(prediction: Prediction, classId: Int, frame: Int): Boolean {
        val places = (0 until prediction.tracks).map { prediction.place(frame, it, classId) }.filter { prediction.activity[it] > thresholds[classId] }
        fun direction(place: Int) = prediction.direction.let { Vector(it[3 * place].toDouble(), it[3 * place + 1].toDouble(), it[3 * place + 2].toDouble()) }
        return places.any { one ->
            places.any { it > one && abs(angleDeg(direction(one), direction(it)) - rules.unifyDeg) <= rounding.directionDeg }
        }
    }
}

private data class Outline(val className: String, val track: Int, val onsetS: Double, val offsetS: Double)

private val Hearing.outlines: Map<Outline, SeldEvent> get() = events.associateBy { Outline(it.className, it.track, it.onsetS, it.offsetS) }

/** Sources of a class by label frame. */
private fun Hearing.sources(name: String): Map<Int, Int> = events.filter { it.className == name }.flatMap { it.frames }.groupingBy { it }.eachCount()

private val SeldEvent.frames: List<Int> get() = trajectory.map { labelFrameAt(it.timeS) }
