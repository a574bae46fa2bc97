package org.edgeseld.core.uncertainty

import kotlin.math.acos
import kotlin.math.max
import kotlin.math.min
import kotlin.math.sqrt
import org.edgeseld.core.hearing.Prediction
import org.edgeseld.core.hearing.SHORTEST
import org.edgeseld.core.hearing.Uncertainty
import org.edgeseld.core.hearing.degrees
import org.edgeseld.core.hearing.vectorLength

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
    val sums = FrameSums(samples, weights)
    for (frame in 0 until samples.frames) {
        sums.chooseFrame(frame)
        for (track in 0 until samples.tracks) {
            sums.add(track)
            for (classId in 0 until samples.classes) {
                val place = prediction.place(frame, track, classId)
                writeActivity(sums, classId, place, prediction, uncertainty)
                if (samples.axes >= 3) writeDirection(sums, classId, place, prediction, uncertainty)
            }
        }
    }
    return prediction
}

private fun writeActivity(sums: FrameSums, classId: Int, place: Int, prediction: Prediction, uncertainty: Uncertainty) {
    val mean = sums.activity[classId]
    val entropy = binaryEntropy(mean)
    prediction.activity[place] = mean
    uncertainty.activityStd[place] = sqrt(sums.squares[classId])
    uncertainty.entropy[place] = entropy
    uncertainty.mutualInformation[place] = max(entropy - sums.entropies[classId], 0f)
    uncertainty.directionSpreadDeg[place] = Float.NaN
}

private fun writeDirection(sums: FrameSums, classId: Int, place: Int, prediction: Prediction, uncertainty: Uncertainty) {
    val x = sums.weighted[0][classId]
    val y = sums.weighted[1][classId]
    val z = sums.weighted[2][classId]
    val weight = sums.directed[classId]
    val length = vectorLength(x, y, z)
    if (weight > SHORTEST) uncertainty.directionSpreadDeg[place] = degrees(acos(min(length / weight, 1f).toDouble()).toFloat())
    if (length > SHORTEST) {
        prediction.direction[3 * place] = x / length
        prediction.direction[3 * place + 1] = y / length
        prediction.direction[3 * place + 2] = z / length
    }
    prediction.distanceM?.set(place, sums.weighted[3][classId] / max(sums.activity[classId], SHORTEST))
}

/** Means over the samples of one track and frame, all classes side by side, as they lie in memory; summed in the order of the samples. */
private class FrameSums(private val samples: Samples, private val weights: FloatArray?) {
    private val classes = samples.classes
    private val shares = FloatArray(samples.count) { 1f / samples.count }
    private var frame = 0
    val activity = FloatArray(classes)
    val squares = FloatArray(classes)
    val entropies = FloatArray(classes)

    /** Activity of the samples that have a direction. */
    val directed = FloatArray(classes)
    val weighted = Array(samples.axes) { FloatArray(classes) }

    fun chooseFrame(chosen: Int) {
        frame = chosen
        if (weights == null) return
        var sum = 0f
        for (sample in shares.indices) sum += weights[sample * samples.frames + frame]
        for (sample in shares.indices) shares[sample] = weights[sample * samples.frames + frame] / sum
    }

    fun add(track: Int) {
        for (sums in listOf(activity, squares, entropies, directed)) sums.fill(0f)
        weighted.forEach { it.fill(0f) }
        for (sample in shares.indices) if (shares[sample] > 0f) addSample(samples.place(track, sample, frame, 0), shares[sample])
        for (sample in shares.indices) if (shares[sample] > 0f) addSquares(samples.place(track, sample, frame, 0), shares[sample])
    }

    private fun addSample(start: Int, share: Float) {
        addTo(activity, samples.activity, start, share)
        for (axis in weighted.indices) addTo(weighted[axis], samples.weighted, axis * samples.plane + start, share)
        for (classId in 0 until classes) entropies[classId] += binaryEntropy(samples.activity[start + classId]) * share
        if (weighted.size < 3) return
        for (classId in 0 until classes) if (hasDirection(start + classId)) directed[classId] += samples.activity[start + classId] * share
    }

    private fun addSquares(start: Int, share: Float) {
        for (classId in 0 until classes) {
            val apart = samples.activity[start + classId] - activity[classId]
            squares[classId] += apart * apart * share
        }
    }

    private fun addTo(sums: FloatArray, values: FloatArray, start: Int, share: Float) {
        for (classId in 0 until classes) sums[classId] += values[start + classId] * share
    }

    private fun hasDirection(place: Int): Boolean {
        val plane = samples.plane
        return samples.weighted[place] != 0f || samples.weighted[plane + place] != 0f || samples.weighted[2 * plane + place] != 0f
    }
}

/** H(p) = -p ln p - (1 - p) ln(1 - p) in nats; 0 for 0 and 1. */
fun binaryEntropy(probability: Float): Float {
    val rest = 1f - probability
    return -probability * logarithm(probability) - rest * logarithm(rest)
}
