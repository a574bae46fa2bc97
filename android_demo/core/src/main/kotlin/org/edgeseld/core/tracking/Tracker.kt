package org.edgeseld.core.tracking

import org.edgeseld.core.bundle.TrackingSpec
import org.edgeseld.core.hearing.Prediction

/** What some frames brought: events that reached their minimum duration, events that ended, and what was heard of both. */
class Changes(val opened: List<SeldEvent>, val closed: List<SeldEvent>, val detections: List<Detection>)

/**
 * Follows the sources of one recording or stream through consecutive label frames (core/tracking.py states the rules).
 *
 * `keptFrames` bounds the trajectory of an event to its last frames, so that a stream keeps its memory.
 */
class Tracker(private val classes: List<String>, private val rules: TrackingSpec, private val keptFrames: Int? = null) {
    var nextFrame = 0
        private set
    private val thresholds = rules.thresholds(classes).map { it.toFloat() }
    private val release = rules.thresholds(classes).map { (it * rules.releaseRatio).toFloat() }
    private var passes = 0 to 1
    private var alive = listOf<Source>()

    /** Follows the next frames, predicted and unified. */
    fun add(prediction: Prediction): Changes {
        val opened = mutableListOf<SeldEvent>()
        val closed = mutableListOf<SeldEvent>()
        val detections = mutableListOf<Detection>()
        prediction.uncertainty?.let { passes = it.mcSamples to it.timeShifts }
        for (index in 0 until prediction.frames) {
            for (source in followFrame(prediction, index)) {
                if (source.heardFrames == rules.minFrames) opened += event(source)
                if (source.heardFrames >= rules.minFrames) detections += describeDetection(source, classes[source.classId])
            }
            closed += close(alive.filter { nextFrame - it.last.frame > rules.maxGapFrames })
            nextFrame++
        }
        return Changes(opened, closed, detections)
    }

    /** Ends all events. */
    fun finish(): List<SeldEvent> = close(alive)

    /** Sources heard in one frame, by class and number. */
    private fun followFrame(prediction: Prediction, index: Int): List<Source> = classes.indices.flatMap { classId ->
        val tracks = (0 until prediction.tracks).filter { prediction.activity[prediction.place(index, it, classId)] > release[classId] }
        if (tracks.isEmpty()) emptyList() else follow(classId, tracks.map { heardAt(prediction, index, it, classId, nextFrame) })
    }

    /** Gives what is heard of one class in one frame to its sources. */
    private fun follow(classId: Int, heard: List<Heard>): List<Source> {
        // The order of the tracks of a prediction means nothing.
        val ordered = heard.sortedWith(
            compareBy({ -it.activity }, { it.direction.x }, { it.direction.y }, { it.direction.z }),
        )
        val sources = alive.filter { it.classId == classId }.sortedBy { it.number }
        val columns = assign(ordered.map { one -> sources.map { cost(it, one) } })
        val followed = ordered.zip(columns).mapNotNull { (one, column) ->
            val source = when {
                column != null -> sources[column]
                one.activity > thresholds[classId] -> start(classId, one.frame)
                else -> null
            }
            source?.apply { add(one) }
        }
        return followed.sortedBy { it.number }
    }

    /** Angle from where the source should be, null where it cannot be the source. */
    private fun cost(source: Source, heard: Heard): Double? {
        val angle = angleDeg(source.expected(heard.frame, rules.motionFrames), heard.direction)
        val nearest = minOf(angle, angleDeg(source.last.direction, heard.direction))
        return if (nearest <= rules.gateDeg) angle else null
    }

    private fun start(classId: Int, frame: Int): Source {
        val taken = alive.filter { it.classId == classId }.map { it.number }.toSet()
        val number = (0..taken.size).first { it !in taken }
        return Source(classId, number, frame, keptFrames).also { alive = alive + it }
    }

    /** Forgets the sources; the events of those that lasted. */
    private fun close(ended: List<Source>): List<SeldEvent> {
        if (ended.isEmpty()) return emptyList()
        alive = alive.filter { source -> ended.none { it === source } }
        return ended.filter { it.heardFrames >= rules.minFrames }
            .sortedWith(compareBy({ it.firstFrame }, { it.classId }, { it.number }))
            .map(::event)
    }

    private fun event(source: Source) = describeEvent(source, classes[source.classId], passes, rules.smoothFrames)
}

/** Events of a whole prediction after unification, by onset, then class, then number. */
fun trackEvents(prediction: Prediction, rules: TrackingSpec): List<SeldEvent> {
    val tracker = Tracker(prediction.classes, rules)
    val events = tracker.add(prediction).closed + tracker.finish()
    val order = prediction.classes.withIndex().associate { it.value to it.index }
    return events.sortedWith(compareBy({ it.onsetS }, { order.getValue(it.className) }, { it.track }))
}
