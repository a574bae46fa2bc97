package org.edgeseld.core.present

import kotlin.math.max
import kotlin.math.roundToInt
import org.edgeseld.core.SAMPLE_RATE_HZ
import org.edgeseld.core.hearing.Prediction
import org.edgeseld.core.hearing.Uncertainty
import org.edgeseld.core.labelFrameAt
import org.edgeseld.core.labelFrames
import org.edgeseld.core.tracking.EventList
import org.edgeseld.core.tracking.SeldEvent

/** The choice that is no bundle on the device: `edgeseld serve` hears whole scenes in its place. */
const val CLOUD_TEACHER = "cloud-teacher"

/**
 * What a server heard, in frames of one track: of each class the loudest of its events, silence between them.
 *
 * The interface tells events, not frames; the classes are those that were heard, by name, and deviations are the events' means.
 */
fun framesOf(answer: EventList): Prediction {
    val classes = answer.events.map { it.className }.distinct().sorted()
    val frames = labelFrames((answer.durationS * SAMPLE_RATE_HZ).roundToInt())
    val size = frames * classes.size
    val sure = answer.events.firstNotNullOfOrNull { it.uncertainty }?.let {
        Uncertainty(FloatArray(size), FloatArray(size), FloatArray(size), FloatArray(size) { Float.NaN }, it.mcSamples, it.timeShifts)
    }
    val prediction = Prediction(frames, 1, classes, FloatArray(size), FloatArray(3 * size), null, sure)
    for (event in answer.events) write(event, classes.indexOf(event.className), prediction)
    return prediction
}

private fun write(event: SeldEvent, classId: Int, prediction: Prediction) {
    for (point in event.trajectory) {
        val frame = labelFrameAt(point.timeS)
        if (frame !in 0 until prediction.frames) continue
        val place = prediction.place(frame, 0, classId)
        prediction.activity[place] = max(prediction.activity[place], point.activity.toFloat())
        prediction.uncertainty?.activityStd?.set(place, event.uncertainty?.activityStd?.toFloat() ?: 0f)
    }
}
