package org.edgeseld.core.drawing

import kotlin.math.max
import kotlin.math.min
import org.edgeseld.core.hearing.Prediction
import org.edgeseld.core.labelFrameAt
import org.edgeseld.core.tracking.Detection

/** What is kept for the screen: a minute. */
const val TIMELINE_FRAMES = 600

/** Classes that never reach this activity are left out. */
private const val FAINTEST = 0.15f

/**
 * Activities of the last label frames, from `firstFrame` on: (frames, classes), the loudest track of each class, with one standard
 * deviation; and the sources heard in each frame.
 */
class Timeline private constructor(
    val classes: List<String>,
    val firstFrame: Int,
    val activity: List<FloatArray>,
    val deviation: List<FloatArray>,
    val detections: Map<Int, List<Detection>>,
) {
    val frames: Int get() = activity.size
    val lastFrame: Int get() = firstFrame + frames - 1

    /** The timeline after the next frames, the oldest left out. */
    fun plus(prediction: Prediction, heard: List<Detection>): Timeline {
        val loudest = (0 until prediction.frames).map { frame -> prediction.classes.indices.map { loudestPlace(prediction, frame, it) } }
        val sure = prediction.uncertainty
        val values = loudest.map { places -> FloatArray(places.size) { prediction.activity[places[it]] } }
        val deviations = loudest.map { places -> FloatArray(places.size) { sure?.activityStd?.get(places[it]) ?: 0f } }
        val surplus = max(0, frames + prediction.frames - TIMELINE_FRAMES)
        val first = firstFrame + surplus
        val marks = detections.filterKeys { it >= first } + byFrame(heard)
        return Timeline(classes, first, (activity + values).drop(surplus), (deviation + deviations).drop(surplus), marks)
    }

    /** The timeline with other sources in label frames first .. last - 1. */
    fun heardAnew(first: Int, last: Int, heard: List<Detection>): Timeline =
        Timeline(classes, firstFrame, activity, deviation, detections.filterKeys { it < first || it >= last } + byFrame(heard))

    /** Rows for the screen: the classes that could be heard and were loudest, at most `most`, in the order of the model. */
    fun rows(most: Int): List<TimelineRow> {
        val peaks = classes.indices.associateWith { classId -> activity.maxOfOrNull { it[classId] } ?: 0f }
        return classes.indices.filter { peaks.getValue(it) >= FAINTEST }.sortedByDescending { peaks.getValue(it) }.take(most).sorted().map { classId ->
            TimelineRow(
                className = classes[classId],
                colour = classId,
                mean = FloatArray(frames) { activity[it][classId] },
                low = FloatArray(frames) { max(activity[it][classId] - deviation[it][classId], 0f) },
                high = FloatArray(frames) { min(activity[it][classId] + deviation[it][classId], 1f) },
            )
        }
    }

    companion object {
        fun empty(classes: List<String>) = Timeline(classes, 0, emptyList(), emptyList(), emptyMap())
    }
}

private fun byFrame(heard: List<Detection>): Map<Int, List<Detection>> = heard.groupBy { labelFrameAt(it.timeS) }

/** Activity of one class with its band, one number a frame. */
class TimelineRow(val className: String, val colour: Int, val mean: FloatArray, val low: FloatArray, val high: FloatArray)

private fun loudestPlace(prediction: Prediction, frame: Int, classId: Int): Int =
    (0 until prediction.tracks).map { prediction.place(frame, it, classId) }.maxBy { prediction.activity[it] }
