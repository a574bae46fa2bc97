package org.edgeseld.core.uncertainty

import org.edgeseld.core.ConfigException
import org.edgeseld.core.LABEL_FRAME_SAMPLES
import org.edgeseld.core.bundle.SignalSpec
import org.edgeseld.core.ceilDiv
import org.edgeseld.core.hearing.SHORTEST
import org.edgeseld.core.hearing.vectorLength

const val SHIFT_SAMPLES = 720

/** Audio delayed by `number` x 30 ms; negative numbers advance it. */
data class Shift(val number: Int) {
    val delaySamples: Int get() = number * SHIFT_SAMPLES

    /** The delay as whole feature frames. */
    fun delayHops(hopSamples: Int): Int = Math.floorDiv(delaySamples, hopSamples)

    /** The samples, 0 .. hop - 1, that a frontend pass must add to them. */
    fun restSamples(hopSamples: Int): Int = Math.floorMod(delaySamples, hopSamples)

    /** The label frame of the shifted output in which label frame 0 of the audio lies. */
    val outputFrame: Int get() = Math.floorDiv(delaySamples, LABEL_FRAME_SAMPLES)

    /** How far past the start of that frame, 0 .. 2399 samples. */
    val outputSamples: Int get() = Math.floorMod(delaySamples, LABEL_FRAME_SAMPLES)
}

/** K = `count` shifts from the longest delay to the earliest; ConfigException unless K is odd and reaches less than half a window. */
fun shifts(count: Int, signal: SignalSpec): List<Shift> {
    if (count < 1 || count % 2 == 0) {
        throw ConfigException("time_shifts must be odd, so that as many shifts lie before as after, got $count")
    }
    if (2 * marginFrames(count) > signal.windowFrames) {
        throw ConfigException("time_shifts must reach less than half a window of ${signal.windowFrames} label frames, got $count")
    }
    val reach = (count - 1) / 2
    return (reach downTo -reach).map(::Shift)
}

/** Label frames on either side of a frame that the outputs of K = `count` shifts are drawn from. */
fun marginFrames(count: Int): Int = ceilDiv((count - 1) / 2 * SHIFT_SAMPLES, LABEL_FRAME_SAMPLES)

/** Aligned outputs of all shifts, and for each sample which frames it counts in, 1 or 0. */
class Regridded(val samples: Samples, val weights: List<FloatArray>)

/**
 * Outputs of all shifts on label frames first .. last - 1 (runtime/time_shifts.py).
 *
 * Each of `passes`, one per shift, and `reference`, the deterministic unshifted pass, hold the same label frames. A shift counts
 * in a frame whose neighbours in the shifted output are among them. Both neighbours are aligned to the reference as the network
 * gives them, and calibrated activities and activity-weighted vectors are interpolated between them.
 */
fun regrid(
    passes: List<Samples>, plan: List<Shift>, reference: Samples, first: Int, last: Int, calibrate: (Samples) -> Samples,
): Regridded {
    val own = reference.framesBetween(first, last)
    val placed = passes.zip(plan) { pass, shift -> between(pass, calibrate(pass), shift, own, first) }
    val weights = passes.zip(plan).flatMap { (pass, shift) ->
        val row = FloatArray(own.frames) { if (covered(shift, first + it, reference.frames)) 1f else 0f }
        List(pass.count) { row }
    }
    return Regridded(joinSamples(placed), weights)
}

private fun covered(shift: Shift, frame: Int, held: Int): Boolean =
    frame >= -shift.outputFrame && frame < held - shift.outputFrame - (if (shift.outputSamples > 0) 1 else 0)

/** A shifted pass on the label frames of the reference, the first of which is `first`: linear interpolation of its neighbours. */
private fun between(pass: Samples, calibrated: Samples, shift: Shift, reference: Samples, first: Int): Samples {
    fun neighbours(delay: Int): Samples {
        val start = first + shift.outputFrame + delay
        val stop = start + reference.frames
        val heard = pass.copyBetween(start, stop)
        val values = if (calibrated === pass) heard else calibrated.copyBetween(start, stop)
        return values.also { alignInPlace(heard, reference, it) }
    }
    val placed = neighbours(0)
    if (shift.outputSamples > 0) mix(placed, neighbours(1), shift.outputSamples.toFloat() / LABEL_FRAME_SAMPLES)
    return placed.also { if (it.axes >= 3) stretch(it) }
}

/** Moves `earlier` by a share of the way to `later`. */
private fun mix(earlier: Samples, later: Samples, share: Float) {
    mixRows(earlier.activity, later.activity, share)
    for (axis in 0 until earlier.axes) mixRows(earlier.weighted[axis], later.weighted[axis], share)
}

private fun mixRows(earlier: Rows, later: Rows, share: Float) {
    for (track in earlier.indices) for (sample in earlier[track].indices) mixRow(earlier[track][sample], later[track][sample], share)
}

private fun mixRow(earlier: FloatArray, later: FloatArray, share: Float) {
    for (cell in earlier.indices) earlier[cell] += share * (later[cell] - earlier[cell])
}

/** Gives vectors the length of their activity. */
private fun stretch(samples: Samples) {
    for (track in 0 until samples.tracks) for (sample in 0 until samples.count) {
        val (x, y, z) = Array(3) { samples.weighted[it][track][sample] }
        stretchRow(samples.activity[track][sample], x, y, z)
    }
}

private fun stretchRow(activity: FloatArray, x: FloatArray, y: FloatArray, z: FloatArray) {
    for (cell in activity.indices) {
        val length = vectorLength(x[cell], y[cell], z[cell])
        val factor = if (length > SHORTEST) activity[cell] / length else 0f
        x[cell] *= factor
        y[cell] *= factor
        z[cell] *= factor
    }
}
