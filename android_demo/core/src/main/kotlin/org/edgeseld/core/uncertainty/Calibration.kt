package org.edgeseld.core.uncertainty

import kotlin.math.exp
import kotlin.math.ln
import kotlin.math.max
import kotlin.math.min
import org.edgeseld.core.bundle.Manifest
import org.edgeseld.core.hearing.Prediction
import org.edgeseld.core.hearing.SHORTEST

/** Activities closer to 0 or 1 than this have no finite logit in float32; it is the step below 1. */
private const val SATURATION = 1f / (1 shl 24)
private const val WIDEST_DEG = 90f

/** Activities that are probabilities, spreads that hold what they say (runtime/calibrate.py). */
class Calibration(private val slope: FloatArray, private val bias: FloatArray, private val spreadFactor: Float) {
    /** Calibrated activity; 0 stays 0. */
    fun activity(activity: Float, classId: Int): Float {
        if (activity <= 0f) return 0f
        val inside = min(max(activity, SATURATION), 1f - SATURATION)
        val logit = ln(inside / (1f - inside)) * slope[classId] + bias[classId]
        return 1f / (1f + exp(-logit))
    }

    /** Activities (..., classes), calibrated. */
    fun activities(activities: FloatArray): FloatArray = FloatArray(activities.size) { activity(activities[it], it % slope.size) }

    /** Samples with calibrated activities, the weighted axes in proportion. */
    fun samples(samples: Samples): Samples {
        val result = silence(samples.tracks, samples.count, samples.frames, samples.classes, samples.axes)
        for (track in 0 until samples.tracks) for (sample in 0 until samples.count) for (cell in 0 until samples.cells) {
            val before = samples.activity[track][sample][cell]
            val after = activity(before, cell % samples.classes)
            val share = if (before > SHORTEST) after / before else 0f
            result.activity[track][sample][cell] = after
            for (axis in 0 until samples.axes) {
                result.weighted[axis][track][sample][cell] = samples.weighted[axis][track][sample][cell] * share
            }
        }
        return result
    }

    /** The prediction with its angular spread scaled, up to 90 degrees. */
    fun spread(prediction: Prediction): Prediction {
        val uncertainty = prediction.uncertainty ?: return prediction
        val scaled = uncertainty.directionSpreadDeg.map { if (it.isNaN()) it else min(it * spreadFactor, WIDEST_DEG) }.toFloatArray()
        return prediction.copy(uncertainty = uncertainty.copy(directionSpreadDeg = scaled))
    }

    companion object {
        /** The calibration of a model in the order of its classes, null for a model without one. */
        fun of(manifest: Manifest): Calibration? = manifest.calibration?.let { spec ->
            Calibration(
                slope = manifest.classes.map { (1.0 / (spec.temperature[it] ?: 1.0)).toFloat() }.toFloatArray(),
                bias = manifest.classes.map { (spec.bias[it] ?: 0.0).toFloat() }.toFloatArray(),
                spreadFactor = spec.spreadFactor.toFloat(),
            )
        }
    }
}
