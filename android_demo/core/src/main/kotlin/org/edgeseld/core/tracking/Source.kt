package org.edgeseld.core.tracking

import org.edgeseld.core.hearing.Prediction

/** Heard frames from which motion is believed: with two, one step of noise would be taken for speed. */
private const val MOTION_POINTS = 3

/** One source in one frame; the direction is a zero vector where there is none. */
class Heard(val frame: Int, val activity: Double, val direction: Vector, val distanceM: Double?, val uncertainty: DoubleArray?)

/** A source that may go on. Sums cover all frames in which it was heard, `points` all or the last `keptFrames` of them. */
class Source(val classId: Int, val number: Int, val firstFrame: Int, private val keptFrames: Int?) {
    val points = ArrayDeque<Heard>()
    var heardFrames = 0
        private set
    var activitySum = 0.0
        private set
    val uncertaintySums = DoubleArray(4)
    var spreadFrames = 0
        private set

    val last: Heard get() = points.last()

    /** Goes on with what is heard in a later frame. */
    fun add(heard: Heard) {
        points.addLast(heard)
        if (keptFrames != null && points.size > keptFrames) points.removeFirst()
        heardFrames++
        activitySum += heard.activity
        heard.uncertainty?.forEachIndexed { index, value ->
            if (!value.isNaN()) {
                uncertaintySums[index] += value
                if (index == 3) spreadFrames++
            }
        }
    }

    /** Where its motion over the last `motionFrames` frames takes it. */
    fun expected(frame: Int, motionFrames: Int): Vector {
        val recent = points.asReversed().takeWhile { it.frame > last.frame - motionFrames }
        if (recent.size < MOTION_POINTS) return last.direction
        val first = recent.last()
        val share = (frame - last.frame).toDouble() / (last.frame - first.frame)
        return extrapolate(first.direction, last.direction, share)
    }
}

/** What a prediction says of one track and class in its frame `index`, which is `frame` of the stream. */
fun heardAt(prediction: Prediction, index: Int, track: Int, classId: Int, frame: Int): Heard {
    val place = prediction.place(index, track, classId)
    fun axis(number: Int) = prediction.direction[3 * place + number].toDouble()
    return Heard(
        frame,
        prediction.activity[place].toDouble(),
        Vector(axis(0), axis(1), axis(2)),
        prediction.distanceM?.get(place)?.toDouble(),
        prediction.uncertainty?.arrays()?.map { it[place].toDouble() }?.toDoubleArray(),
    )
}
