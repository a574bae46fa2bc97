package org.edgeseld.core.fallback

import kotlin.math.abs
import kotlin.math.ln
import kotlin.math.ln1p
import kotlin.math.max
import org.edgeseld.core.ConfigException
import org.edgeseld.core.hearing.Prediction
import org.edgeseld.core.hearing.Uncertainty

/**
 * Mean doubt of the label frames of a prediction (cloud/policy.py says what each measure is); `thresholds` per class.
 * ConfigException for mutual information or spread of a prediction without samples or shifts.
 */
fun doubt(prediction: Prediction, thresholds: List<Double>, measure: Measure): Double {
    val frames = FrameDoubts(prediction, thresholds)
    val ofFrame: (Int) -> Double = when (measure) {
        Measure.ENTROPY -> frames::entropy
        Measure.MUTUAL_INFORMATION -> frames.sure(measure).let { sure -> { frames.overClasses(it) { place -> sure.mutualInformation[place].toDouble() } } }
        Measure.DIRECTION_SPREAD -> frames.sure(measure).let { sure -> { frames.spreadDeg(it, sure) } }
        Measure.MARGIN -> frames::margin
        Measure.SWITCHING -> frames::switching
    }
    return if (prediction.frames == 0) 0.0 else (0 until prediction.frames).sumOf(ofFrame) / prediction.frames
}

private class FrameDoubts(private val prediction: Prediction, private val thresholds: List<Double>) {
    private val tracks = 0 until prediction.tracks
    private val classes = prediction.classes.indices

    fun sure(measure: Measure): Uncertainty = prediction.uncertainty
        ?: throw ConfigException("${measure.label} needs Monte Carlo samples or time shifts: draw some, or take entropy, margin or switching")

    /** Sum over the classes of the largest value of their tracks. */
    fun overClasses(frame: Int, value: (Int) -> Double): Double =
        classes.sumOf { classId -> tracks.maxOf { value(prediction.place(frame, it, classId)) } }

    fun entropy(frame: Int): Double = overClasses(frame) { place ->
        prediction.uncertainty?.entropy?.get(place)?.toDouble() ?: binaryEntropy(activity(place))
    }

    fun margin(frame: Int): Double = classes.maxOf { classId ->
        val threshold = thresholds[classId]
        tracks.maxOf { 1.0 - abs(activity(prediction.place(frame, it, classId)) - threshold) / max(threshold, 1.0 - threshold) }
    }

    fun switching(frame: Int): Double = if (frame == 0) 0.0 else classes.count { hears(frame, it) != hears(frame - 1, it) }.toDouble()

    fun spreadDeg(frame: Int, sure: Uncertainty): Double {
        var weighted = 0.0
        var total = 0.0
        for (track in tracks) for (classId in classes) {
            val place = prediction.place(frame, track, classId)
            val spreadDeg = sure.directionSpreadDeg[place]
            if (activity(place) <= thresholds[classId] || !spreadDeg.isFinite()) continue
            weighted += activity(place) * spreadDeg
            total += activity(place)
        }
        return if (total > 0.0) weighted / total else 0.0
    }

    private fun hears(frame: Int, classId: Int) = tracks.any { activity(prediction.place(frame, it, classId)) > thresholds[classId] }

    private fun activity(place: Int): Double = prediction.activity[place].toDouble()
}

/** H(p) in nats, 0 at both ends. */
private fun binaryEntropy(probability: Double): Double =
    if (probability <= 0.0 || probability >= 1.0) 0.0 else -probability * ln(probability) - (1.0 - probability) * ln1p(-probability)
