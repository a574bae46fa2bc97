package org.edgeseld.core.uncertainty

import kotlin.math.max
import kotlin.math.min
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

/** Aligned outputs of all shifts, and which samples count where (samples, frames). */
class Regridded(val samples: Samples, val weights: FloatArray)

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
    val one = passes[0]
    val result = Samples(one.tracks, passes.size * one.count, last - first, one.classes, one.axes)
    val weights = FloatArray(result.count * result.frames)
    val regridder = Regridder(result, reference, first)
    passes.forEachIndexed { number, pass ->
        val shift = plan[number]
        val calibrated = calibrate(pass)
        for (sample in 0 until pass.count) {
            val row = number * pass.count + sample
            for (frame in first until last) if (covered(shift, frame, reference.frames)) weights[row * result.frames + frame - first] = 1f
            regridder.interpolate(pass, calibrated, shift, sample, row)
        }
    }
    return Regridded(result, weights)
}

private fun covered(shift: Shift, frame: Int, held: Int): Boolean =
    frame >= -shift.outputFrame && frame < held - shift.outputFrame - (if (shift.outputSamples > 0) 1 else 0)

/** Frames from `first` on of the result, whose first frame that is. */
private class Regridder(private val result: Samples, private val reference: Samples, private val first: Int) {
    private val aligned = result.tracks > 1 && result.axes >= 3
    private val before = TrackOrders(result.tracks, result.frames * result.classes)
    private val after = TrackOrders(result.tracks, result.frames * result.classes)

    /** Writes one sample of the result from its neighbours in the shifted pass; beyond its ends the pass is silent. */
    fun interpolate(pass: Samples, calibrated: Samples, shift: Shift, sample: Int, row: Int) {
        val share = shift.outputSamples.toFloat() / LABEL_FRAME_SAMPLES
        if (aligned) choose(before, pass, sample, shift.outputFrame)
        if (aligned && share > 0f) choose(after, pass, sample, shift.outputFrame + 1)
        for (frame in 0 until result.frames) {
            val earlier = first + frame + shift.outputFrame
            val from = start(pass, sample, earlier)
            val beyond = start(pass, sample, earlier + 1)
            for (track in 0 until pass.tracks) for (classId in 0 until pass.classes) {
                val cell = frame * result.classes + classId
                val one = if (from < 0) -1 else from + before.chosen[cell][track] * pass.trackPlane + classId
                val other = if (beyond < 0) -1 else beyond + after.chosen[cell][track] * pass.trackPlane + classId
                between(calibrated, one, other, share, result.place(track, row, frame, classId))
            }
        }
    }

    /** Orders of the frames of the result whose neighbour `delay` frames on lies inside the pass. */
    private fun choose(orders: TrackOrders, pass: Samples, sample: Int, delay: Int) {
        val low = max(first, -delay)
        val high = min(first + result.frames, pass.frames - delay)
        if (low >= high) return
        val classes = result.classes
        orders.choose(
            (low - first) * classes, (high - first) * classes, reference, reference.place(0, 0, low, 0), pass, pass.place(0, sample, low + delay, 0),
        )
    }

    /** Place of the first track and class, -1 beyond the ends. */
    private fun start(pass: Samples, sample: Int, frame: Int): Int = if (frame in 0 until pass.frames) pass.place(0, sample, frame, 0) else -1

    /** Linear interpolation, `share` of the later neighbour; vectors get the length of the new activity. */
    private fun between(calibrated: Samples, from: Int, beyond: Int, share: Float, to: Int) {
        val activity = mix(calibrated.activity, 0, from, beyond, share)
        result.activity[to] = activity
        if (result.axes < 3) return
        val x = mix(calibrated.weighted, 0, from, beyond, share)
        val y = mix(calibrated.weighted, calibrated.plane, from, beyond, share)
        val z = mix(calibrated.weighted, 2 * calibrated.plane, from, beyond, share)
        val length = vectorLength(x, y, z)
        val factor = if (length > SHORTEST) activity / max(length, SHORTEST) else 0f
        result.weighted[to] = x * factor
        result.weighted[result.plane + to] = y * factor
        result.weighted[2 * result.plane + to] = z * factor
        if (result.axes == 4) result.weighted[3 * result.plane + to] = mix(calibrated.weighted, 3 * calibrated.plane, from, beyond, share)
    }

    private fun mix(values: FloatArray, offset: Int, from: Int, beyond: Int, share: Float): Float {
        val earlier = if (from < 0) 0f else values[offset + from]
        val later = if (beyond < 0) 0f else values[offset + beyond]
        return earlier + share * (later - earlier)
    }
}
