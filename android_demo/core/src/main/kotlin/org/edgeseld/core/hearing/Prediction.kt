package org.edgeseld.core.hearing

/** Per frame, track and class; the spread is NaN where nothing is active. */
data class Uncertainty(
    val activityStd: FloatArray,
    val entropy: FloatArray,
    val mutualInformation: FloatArray,
    val directionSpreadDeg: FloatArray,
    val mcSamples: Int,
    val timeShifts: Int,
) {
    /** The four arrays, each replaced. */
    fun mapArrays(change: (FloatArray) -> FloatArray): Uncertainty = copy(
        activityStd = change(activityStd),
        entropy = change(entropy),
        mutualInformation = change(mutualInformation),
        directionSpreadDeg = change(directionSpreadDeg),
    )

    fun arrays(): List<FloatArray> = listOf(activityStd, entropy, mutualInformation, directionSpreadDeg)
}

/**
 * Decoded output on the 100 ms label grid.
 *
 * activity (frames, tracks, classes) in [0, 1]; direction (frames, tracks, classes, 3) unit vectors x, y, z, zero where there is
 * none; distanceM of the activity's shape, or null.
 */
data class Prediction(
    val frames: Int,
    val tracks: Int,
    val classes: List<String>,
    val activity: FloatArray,
    val direction: FloatArray,
    val distanceM: FloatArray? = null,
    val uncertainty: Uncertainty? = null,
) {
    fun place(frame: Int, track: Int, classId: Int): Int = (frame * tracks + track) * classes.size + classId

    /** Label frames first .. last - 1. */
    fun framesBetween(first: Int, last: Int): Prediction {
        val row = tracks * classes.size
        fun cut(array: FloatArray) = array.copyOfRange(first * row, last * row)
        return copy(
            frames = last - first,
            activity = cut(activity),
            direction = direction.copyOfRange(3 * first * row, 3 * last * row),
            distanceM = distanceM?.let(::cut),
            uncertainty = uncertainty?.mapArrays(::cut),
        )
    }
}

/** Predictions of one model over label frames one after the other; `parts` holds at least one. */
fun joinPredictions(parts: List<Prediction>): Prediction {
    if (parts.size == 1) return parts[0]
    fun join(array: (Prediction) -> FloatArray) = parts.map(array).let { arrays ->
        val joined = FloatArray(arrays.sumOf { it.size })
        arrays.fold(0) { place, part -> part.copyInto(joined, place); place + part.size }
        joined
    }
    val first = parts[0]
    return first.copy(
        frames = parts.sumOf { it.frames },
        activity = join { it.activity },
        direction = join { it.direction },
        distanceM = first.distanceM?.let { join { part -> checkNotNull(part.distanceM) } },
        uncertainty = first.uncertainty?.let { sure ->
            fun of(choose: (Uncertainty) -> FloatArray) = join { choose(checkNotNull(it.uncertainty)) }
            sure.copy(
                activityStd = of { it.activityStd },
                entropy = of { it.entropy },
                mutualInformation = of { it.mutualInformation },
                directionSpreadDeg = of { it.directionSpreadDeg },
            )
        },
    )
}
