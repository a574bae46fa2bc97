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
 * p. `weights`, a row of frames for each sample, 1 or 0, says which samples count in which frame; null means all.
 */
fun aggregate(samples: Samples, classes: List<String>, mcSamples: Int, timeShifts: Int, weights: List<FloatArray>? = null): Prediction {
    val size = samples.tracks * samples.cells
    val uncertainty = Uncertainty(FloatArray(size), FloatArray(size), FloatArray(size), FloatArray(size), mcSamples, timeShifts)
    val prediction = Prediction(
        samples.frames, samples.tracks, classes, FloatArray(size), FloatArray(3 * size),
        if (samples.axes == 4) FloatArray(size) else null, uncertainty,
    )
    val shares = shares(samples, weights ?: List(samples.count) { FloatArray(samples.frames) { 1f } })
    for (track in 0 until samples.tracks) {
        val means = TrackMeans(samples, track, shares)
        for (cell in 0 until samples.cells) {
            val place = prediction.place(cell / samples.classes, track, cell % samples.classes)
            writeActivity(means, cell, place, prediction, uncertainty)
            if (samples.axes >= 3) writeDirection(means, cell, place, prediction, uncertainty)
        }
    }
    return prediction
}

/** The share of each sample in the means, a row of cells. */
private fun shares(samples: Samples, weights: List<FloatArray>): List<FloatArray> {
    val counting = FloatArray(samples.frames) { frame -> weights.count { it[frame] > 0f }.toFloat() }
    return weights.map { weight ->
        FloatArray(samples.cells).also { row ->
            for (frame in weight.indices) row.fill(weight[frame] / counting[frame], frame * samples.classes, (frame + 1) * samples.classes)
        }
    }
}

private fun writeActivity(means: TrackMeans, cell: Int, place: Int, prediction: Prediction, uncertainty: Uncertainty) {
    val mean = means.activity[cell]
    val entropy = binaryEntropy(mean)
    prediction.activity[place] = mean
    uncertainty.activityStd[place] = sqrt(means.variance[cell])
    uncertainty.entropy[place] = entropy
    uncertainty.mutualInformation[place] = max(entropy - means.entropy[cell], 0f)
    uncertainty.directionSpreadDeg[place] = Float.NaN
}

private fun writeDirection(means: TrackMeans, cell: Int, place: Int, prediction: Prediction, uncertainty: Uncertainty) {
    val x = means.weighted[0][cell]
    val y = means.weighted[1][cell]
    val z = means.weighted[2][cell]
    val weight = means.directed[cell]
    val length = vectorLength(x, y, z)
    if (weight > SHORTEST) uncertainty.directionSpreadDeg[place] = degrees(acos(min(length / weight, 1f).toDouble()).toFloat())
    if (length > SHORTEST) {
        prediction.direction[3 * place] = x / length
        prediction.direction[3 * place + 1] = y / length
        prediction.direction[3 * place + 2] = z / length
    }
    prediction.distanceM?.set(place, means.weighted[3][cell] / max(means.activity[cell], SHORTEST))
}

/** Means over the samples of one track, a row of cells each, summed in the order of the samples. */
private class TrackMeans(samples: Samples, track: Int, shares: List<FloatArray>) {
    private val scratch = FloatArray(samples.cells)
    val activity = FloatArray(samples.cells)
    val variance = FloatArray(samples.cells)
    val entropy = FloatArray(samples.cells)

    /** Activity of the samples that have a direction. */
    val directed = FloatArray(samples.cells)
    val weighted = Array(samples.axes) { FloatArray(samples.cells) }

    init {
        shares.forEachIndexed { sample, share ->
            val row = samples.activity[track][sample]
            val axes = samples.weighted.map { it[track][sample] }
            add(activity, row, share)
            axes.forEachIndexed { axis, values -> add(weighted[axis], values, share) }
            if (axes.size >= 3) add(directed, directed(row, axes[0], axes[1], axes[2]), share)
            add(entropy, entropies(row), share)
        }
        shares.forEachIndexed { sample, share -> add(variance, squares(samples.activity[track][sample]), share) }
    }

    private fun add(sum: FloatArray, values: FloatArray, share: FloatArray) {
        for (cell in sum.indices) sum[cell] += values[cell] * share[cell]
    }

    private fun directed(row: FloatArray, x: FloatArray, y: FloatArray, z: FloatArray): FloatArray {
        for (cell in row.indices) scratch[cell] = if (x[cell] != 0f || y[cell] != 0f || z[cell] != 0f) row[cell] else 0f
        return scratch
    }

    private fun entropies(row: FloatArray): FloatArray {
        for (cell in row.indices) scratch[cell] = binaryEntropy(row[cell])
        return scratch
    }

    private fun squares(row: FloatArray): FloatArray {
        for (cell in row.indices) scratch[cell] = (row[cell] - activity[cell]) * (row[cell] - activity[cell])
        return scratch
    }
}

/** H(p) = -p ln p - (1 - p) ln(1 - p) in nats; 0 for 0 and 1. */
fun binaryEntropy(probability: Float): Float {
    val rest = 1f - probability
    return (-probability * logarithm(probability) - rest * logarithm(rest)).toFloat()
}
