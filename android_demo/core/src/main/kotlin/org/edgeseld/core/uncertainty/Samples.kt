package org.edgeseld.core.uncertainty

import kotlin.math.max
import kotlin.math.min
import org.edgeseld.core.Tensor
import org.edgeseld.core.bundle.OutputFormat
import org.edgeseld.core.hearing.SHORTEST
import org.edgeseld.core.hearing.vectorLength

/**
 * Decoded passes over the same label frames: Monte Carlo samples, time shifts, or one deterministic pass.
 *
 * activity (tracks, samples, frames, classes) in [0, 1]; weighted (axes, tracks, samples, frames, classes), the activity
 * times the unit vector x, y, z and, as a fourth axis, times the distance in metres. A model without directions has no axes.
 */
class Samples(val tracks: Int, val count: Int, val frames: Int, val classes: Int, val axes: Int) {
    /** Numbers of one track, and of one axis. */
    val trackPlane: Int = count * frames * classes
    val plane: Int = tracks * trackPlane
    val activity: FloatArray = FloatArray(plane)
    val weighted: FloatArray = FloatArray(axes * plane)

    /** Place of a cell in `activity`, and in an axis of `weighted`. */
    fun place(track: Int, sample: Int, frame: Int, classId: Int): Int = ((track * count + sample) * frames + frame) * classes + classId

    /** Label frames first .. last - 1. */
    fun framesBetween(first: Int, last: Int): Samples {
        if (first == 0 && last == frames) return this
        val part = Samples(tracks, count, last - first, classes, axes)
        part.takeFrames(this, first, last, 0)
        return part
    }

    /** Copies frames first .. last - 1 of `other` to the frames from `place` on. */
    fun takeFrames(other: Samples, first: Int, last: Int, place: Int) {
        val width = (last - first) * classes
        for (row in 0 until tracks * count) {
            val from = (row * other.frames + first) * classes
            val to = (row * frames + place) * classes
            other.activity.copyInto(activity, to, from, from + width)
            for (axis in 0 until axes) {
                val start = axis * other.plane + from
                other.weighted.copyInto(weighted, axis * plane + to, start, start + width)
            }
        }
    }
}

/** The same passes over label frames one after the other. */
fun joinFrames(parts: List<Samples>): Samples {
    val first = parts[0]
    if (parts.size == 1) return first
    val joined = Samples(first.tracks, first.count, parts.sumOf { it.frames }, first.classes, first.axes)
    var place = 0
    for (part in parts) {
        joined.takeFrames(part, 0, part.frames, place)
        place += part.frames
    }
    return joined
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
    val samples = Samples(tracks, count, frames, classes, axes)
    val plane = samples.plane
    val raw = accdoa.data
    for (sample in 0 until count) for (frame in 0 until frames) for (track in 0 until tracks) {
        val from = ((sample * frames + frame) * tracks + track) * axes * classes
        val to = samples.place(track, sample, frame, 0)
        for (classId in 0 until classes) {
            val x = raw[from + classId]
            val y = raw[from + classes + classId]
            val z = raw[from + 2 * classes + classId]
            val length = vectorLength(x, y, z)
            val divisor = max(length, 1f)
            val activity = min(length, 1f)
            samples.activity[to + classId] = activity
            samples.weighted[to + classId] = x / divisor
            samples.weighted[plane + to + classId] = y / divisor
            samples.weighted[2 * plane + to + classId] = z / divisor
            if (axes == 4) samples.weighted[3 * plane + to + classId] = max(raw[from + 3 * classes + classId], 0f) * activity
        }
    }
    return samples
}

/** Activity (samples, frames, classes) and room for axes. */
private fun fromActivity(activity: Tensor, axes: Int): Samples {
    val (count, frames, classes) = activity.shape
    return Samples(1, count, frames, classes, axes).also { activity.data.copyInto(it.activity) }
}

private fun fromSedDoa(outputs: Map<String, Tensor>): Samples {
    val distance = outputs["distance"]
    val samples = fromActivity(outputs.getValue("activity"), if (distance == null) 3 else 4)
    val vectors = outputs.getValue("vectors").data
    val classes = samples.classes
    for (cell in 0 until samples.plane) {
        val from = cell / classes * 3 * classes + cell % classes
        val length = vectorLength(vectors[from], vectors[from + classes], vectors[from + 2 * classes])
        val factor = if (length > SHORTEST) samples.activity[cell] / max(length, SHORTEST) else 0f
        for (axis in 0 until 3) samples.weighted[axis * samples.plane + cell] = vectors[from + axis * classes] * factor
        if (distance != null) samples.weighted[3 * samples.plane + cell] = max(distance.data[cell], 0f) * samples.activity[cell]
    }
    return samples
}
