package org.edgeseld.core.hearing

import kotlin.math.max
import kotlin.math.min
import org.edgeseld.core.Tensor
import org.edgeseld.core.bundle.OutputFormat

/**
 * Outputs of one window or file, without a batch dimension, to a Prediction (runtime/decode.py).
 *
 * accdoa, multi-accdoa: `accdoa` (frames, tracks, axes, classes), activity = min(|xyz|, 1), the distance not negative.
 * sed-doa: `activity` (frames, classes), `vectors` (frames, 3, classes), optionally `distance` (frames, classes).
 * sed: `activity` alone, directions zero.
 */
fun decode(outputs: Map<String, Tensor>, format: OutputFormat, classes: List<String>): Prediction = when (format) {
    OutputFormat.ACCDOA, OutputFormat.MULTI_ACCDOA -> decodeAccdoa(outputs.getValue("accdoa"), classes)
    OutputFormat.SED_DOA -> decodeSedDoa(outputs, classes)
    OutputFormat.SED -> {
        val activity = outputs.getValue("activity")
        Prediction(activity.shape[0], 1, classes, activity.data.copyOf(), FloatArray(3 * activity.data.size))
    }
}

private fun decodeAccdoa(accdoa: Tensor, classes: List<String>): Prediction {
    val (frames, tracks, axes, count) = accdoa.shape
    val size = frames * tracks * count
    val prediction = Prediction(frames, tracks, classes, FloatArray(size), FloatArray(3 * size), if (axes == 4) FloatArray(size) else null)
    for (place in 0 until size) {
        val from = place / count * axes * count + place % count
        val length = writeDirection(accdoa.data, from, count, prediction.direction, place)
        prediction.activity[place] = min(length, 1f)
        prediction.distanceM?.set(place, max(accdoa.data[from + 3 * count], 0f))
    }
    return prediction
}

private fun decodeSedDoa(outputs: Map<String, Tensor>, classes: List<String>): Prediction {
    val activity = outputs.getValue("activity")
    val (frames, count) = activity.shape
    val distance = outputs["distance"]?.data?.let { metres -> FloatArray(metres.size) { max(metres[it], 0f) } }
    val prediction = Prediction(frames, 1, classes, activity.data.copyOf(), FloatArray(3 * activity.data.size), distance)
    val vectors = outputs.getValue("vectors").data
    for (place in activity.data.indices) {
        writeDirection(vectors, place / count * 3 * count + place % count, count, prediction.direction, place)
    }
    return prediction
}

/** Writes the unit vector of the axes at `from`, `from + stride` and `from + 2 stride`; the length before. */
private fun writeDirection(values: FloatArray, from: Int, stride: Int, direction: FloatArray, place: Int): Float {
    val x = values[from]
    val y = values[from + stride]
    val z = values[from + 2 * stride]
    val length = vectorLength(x, y, z)
    if (length > SHORTEST) {
        direction[3 * place] = x / length
        direction[3 * place + 1] = y / length
        direction[3 * place + 2] = z / length
    }
    return length
}
