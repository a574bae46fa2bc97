package org.edgeseld.core.uncertainty

import kotlin.math.acos
import kotlin.math.ln
import kotlin.math.max
import kotlin.math.min
import kotlin.math.sqrt
import org.edgeseld.core.hearing.Prediction
import org.edgeseld.core.hearing.SHORTEST
import org.edgeseld.core.hearing.Uncertainty
import org.edgeseld.core.hearing.degrees
import org.edgeseld.core.hearing.vectorLength

/** Smallest positive argument of a logarithm; x log x is 0 there in float32. */
private const val TINY = 1e-30f

/**
 * Prediction with uncertainty of aligned samples, before unification (runtime/aggregation.py, docs/uncertainty.md).
 *
 * Activity p: mean, standard deviation, entropy H(mean p), mutual information H(mean p) - mean H(p) in nats. Direction: that
 * of the mean of p u; spread: arccos(|sum p u| / sum p) in degrees, NaN where no sample is active. Distance: mean weighted by
 * p. `weights` (samples, frames), 1 or 0, says which samples count in which frame; null means all.
 */
fun aggregate(samples: Samples, classes: List<String>, mcSamples: Int, timeShifts: Int, weights: FloatArray? = null): Prediction {
    val size = samples.frames * samples.tracks * samples.classes
    val uncertainty = Uncertainty(FloatArray(size), FloatArray(size), FloatArray(size), FloatArray(size), mcSamples, timeShifts)
    val prediction = Prediction(
        samples.frames, samples.tracks, classes, FloatArray(size), FloatArray(3 * size),
        if (samples.axes == 4) FloatArray(size) else null, uncertainty,
    )
    val means = Means(samples, weights)
    for (track in 0 until samples.tracks) for (frame in 0 until samples.frames) for (classId in 0 until samples.classes) {
        aggregateCell(means, track, frame, classId, prediction, uncertainty)
    }
    return prediction
}

private fun aggregateCell(means: Means, track: Int, frame: Int, classId: Int, prediction: Prediction, uncertainty: Uncertainty) {
    val samples = means.samples
    val start = samples.place(track, 0, frame, classId)
    val place = prediction.place(frame, track, classId)
    means.chooseFrame(frame)
    val mean = means.of(samples.activity, start)
    val entropy = binaryEntropy(mean)
    prediction.activity[place] = mean
    uncertainty.activityStd[place] = sqrt(means.ofSquares(start, mean))
    uncertainty.entropy[place] = entropy
    uncertainty.mutualInformation[place] = max(entropy - means.ofEntropies(start), 0f)
    uncertainty.directionSpreadDeg[place] = Float.NaN
    if (samples.axes < 3) return
    val x = means.of(samples.weighted, start)
    val y = means.of(samples.weighted, samples.plane + start)
    val z = means.of(samples.weighted, 2 * samples.plane + start)
    val weight = means.ofDirected(start)
    val length = vectorLength(x, y, z)
    if (weight > SHORTEST) uncertainty.directionSpreadDeg[place] = degrees(acos(min(length / weight, 1f).toDouble()).toFloat())
    if (length > SHORTEST) {
        prediction.direction[3 * place] = x / length
        prediction.direction[3 * place + 1] = y / length
        prediction.direction[3 * place + 2] = z / length
    }
    val distance = prediction.distanceM ?: return
    distance[place] = means.of(samples.weighted, 3 * samples.plane + start) / max(mean, SHORTEST)
}

/** Means over the samples of one frame, summed in their order. */
private class Means(val samples: Samples, private val weights: FloatArray?) {
    private val count = samples.count
    private val stride = samples.frames * samples.classes
    private val shares = FloatArray(count)

    fun chooseFrame(frame: Int) {
        if (weights == null) return
        var sum = 0f
        for (sample in 0 until count) sum += weights[sample * samples.frames + frame]
        for (sample in 0 until count) shares[sample] = weights[sample * samples.frames + frame] / sum
    }

    fun of(values: FloatArray, start: Int): Float = mean { values[start + it * stride] }

    fun ofSquares(start: Int, centre: Float): Float = mean { (samples.activity[start + it * stride] - centre).let { d -> d * d } }

    fun ofEntropies(start: Int): Float = mean { binaryEntropy(samples.activity[start + it * stride]) }

    /** Activity of the samples that have a direction. */
    fun ofDirected(start: Int): Float = mean { if (directed(start + it * stride)) samples.activity[start + it * stride] else 0f }

    private fun directed(place: Int): Boolean = (0 until 3).any { samples.weighted[it * samples.plane + place] != 0f }

    private inline fun mean(value: (Int) -> Float): Float {
        var sum = 0f
        if (weights == null) {
            for (sample in 0 until count) sum += value(sample)
            return sum / count
        }
        for (sample in 0 until count) sum += value(sample) * shares[sample]
        return sum
    }
}

/** H(p) = -p ln p - (1 - p) ln(1 - p) in nats; 0 for 0 and 1. */
fun binaryEntropy(probability: Float): Float {
    val rest = 1f - probability
    return -probability * ln(max(probability, TINY)) - rest * ln(max(rest, TINY))
}
