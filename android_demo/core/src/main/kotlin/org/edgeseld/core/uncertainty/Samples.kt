package org.edgeseld.core.uncertainty

import kotlin.math.max
import kotlin.math.min
import org.edgeseld.core.Tensor
import org.edgeseld.core.bundle.OutputFormat
import org.edgeseld.core.hearing.SHORTEST
import org.edgeseld.core.hearing.vectorLength

/** Of each track and sample a row of cells, label frames and in them classes side by side. */
typealias Rows = Array<Array<FloatArray>>

/**
 * Decoded passes over the same label frames: Monte Carlo samples, time shifts, or one deterministic pass.
 *
 * activity in [0, 1]; weighted, an entry per axis, the activity times the unit vector x, y, z and, as a fourth axis, times the
 * distance in metres. A model without directions has no axes. Loops run over whole rows, each an array of its own that starts
 * at 0: only such loops become vector instructions.
 */
class Samples(val frames: Int, val classes: Int, val activity: Rows, val weighted: Array<Rows>) {
    val tracks: Int get() = activity.size
    val count: Int get() = activity[0].size
    val axes: Int get() = weighted.size

    /** Numbers of a row. */
    val cells: Int get() = frames * classes

    /** Label frames first .. last - 1, silent beyond the ends; this itself where these are all. */
    fun framesBetween(first: Int, last: Int): Samples = if (first == 0 && last == frames) this else copyBetween(first, last)

    /** Label frames first .. last - 1 in arrays of their own, silent beyond the ends. */
    fun copyBetween(first: Int, last: Int): Samples {
        val start = max(first, 0)
        val stop = min(last, frames)
        return mapRows(last - first) { row ->
            FloatArray((last - first) * classes).also {
                if (start < stop) row.copyInto(it, (start - first) * classes, start * classes, stop * classes)
            }
        }
    }

    /** Every row made anew, of `frames` label frames. */
    fun mapRows(frames: Int = this.frames, transform: (FloatArray) -> FloatArray): Samples {
        fun all(rows: Rows): Rows = Array(tracks) { track -> Array(count) { transform(rows[track][it]) } }
        return Samples(frames, classes, all(activity), Array(axes) { all(weighted[it]) })
    }
}

/** Room for samples; no sound anywhere. */
fun silence(tracks: Int, count: Int, frames: Int, classes: Int, axes: Int): Samples {
    fun rows() = Array(tracks) { Array(count) { FloatArray(frames * classes) } }
    return Samples(frames, classes, rows(), Array(axes) { rows() })
}

/** The same passes over label frames one after the other. */
fun joinFrames(before: Samples, after: Samples): Samples {
    fun join(one: Rows, other: Rows): Rows =
        Array(one.size) { track -> Array(one[track].size) { sample -> one[track][sample] + other[track][sample] } }
    return Samples(
        before.frames + after.frames, before.classes, join(before.activity, after.activity),
        Array(before.axes) { join(before.weighted[it], after.weighted[it]) },
    )
}

/** Passes over the same label frames side by side. */
fun joinSamples(parts: List<Samples>): Samples {
    fun join(rows: List<Rows>): Rows = Array(rows[0].size) { track -> rows.flatMap { it[track].asList() }.toTypedArray() }
    val first = parts[0]
    return Samples(first.frames, first.classes, join(parts.map { it.activity }), Array(first.axes) { axis -> join(parts.map { it.weighted[axis] }) })
}

/** Raw outputs with a leading axis of samples to Samples; formats as in hearing/Decoding.kt. */
fun decodeSamples(outputs: Map<String, Tensor>, format: OutputFormat): Samples = when (format) {
    OutputFormat.ACCDOA, OutputFormat.MULTI_ACCDOA -> fromAccdoa(outputs.getValue("accdoa"))
    OutputFormat.SED -> fromActivity(outputs.getValue("activity"), 0)
    OutputFormat.SED_DOA -> fromSedDoa(outputs)
}

/** (samples, frames, tracks, axes, classes) to Samples; vectors are no longer than 1. */
private fun fromAccdoa(accdoa: Tensor): Samples {
    val (count, frames, tracks, axes, classes) = accdoa.shape
    val samples = silence(tracks, count, frames, classes, axes)
    for (sample in 0 until count) for (track in 0 until tracks) {
        for (axis in 0 until axes) for (frame in 0 until frames) {
            val from = (((sample * frames + frame) * tracks + track) * axes + axis) * classes
            accdoa.data.copyInto(samples.weighted[axis][track][sample], frame * classes, from, from + classes)
        }
        val length = samples.activity[track][sample]
        val (x, y, z) = Array(3) { samples.weighted[it][track][sample] }
        for (cell in length.indices) length[cell] = vectorLength(x[cell], y[cell], z[cell])
        for (values in listOf(x, y, z)) for (cell in length.indices) values[cell] /= max(length[cell], 1f)
        for (cell in length.indices) length[cell] = min(length[cell], 1f)
        if (axes == 4) weigh(samples.weighted[3][track][sample], length)
    }
    return samples
}

/** Distances in metres, not negative, times the activity. */
private fun weigh(distance: FloatArray, activity: FloatArray) {
    for (cell in distance.indices) distance[cell] = max(distance[cell], 0f) * activity[cell]
}

/** Activity (samples, frames, classes) and room for axes. */
private fun fromActivity(activity: Tensor, axes: Int): Samples {
    val (count, frames, classes) = activity.shape
    val samples = silence(1, count, frames, classes, axes)
    samples.activity[0].forEachIndexed { sample, row -> activity.data.copyInto(row, 0, sample * row.size, (sample + 1) * row.size) }
    return samples
}

private fun fromSedDoa(outputs: Map<String, Tensor>): Samples {
    val distance = outputs["distance"]
    val samples = fromActivity(outputs.getValue("activity"), if (distance == null) 3 else 4)
    val vectors = outputs.getValue("vectors").data
    val classes = samples.classes
    for (sample in 0 until samples.count) {
        val activity = samples.activity[0][sample]
        for (cell in activity.indices) {
            val place = sample * samples.cells + cell
            val from = place / classes * 3 * classes + place % classes
            val length = vectorLength(vectors[from], vectors[from + classes], vectors[from + 2 * classes])
            val factor = if (length > SHORTEST) activity[cell] / length else 0f
            for (axis in 0 until 3) samples.weighted[axis][0][sample][cell] = vectors[from + axis * classes] * factor
            if (distance != null) samples.weighted[3][0][sample][cell] = distance.data[place]
        }
        if (distance != null) weigh(samples.weighted[3][0][sample], activity)
    }
    return samples
}
