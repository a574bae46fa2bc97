package org.edgeseld.core.tracking

import kotlin.math.abs
import kotlin.math.atan2
import kotlin.math.hypot
import org.edgeseld.core.frameOnsetS
import org.edgeseld.core.labelFrameAt

/** The event of a source up to its last heard frame; `passes` counts Monte Carlo samples and time shifts. */
fun describeEvent(source: Source, className: String, passes: Pair<Int, Int>, smoothFrames: Int) = SeldEvent(
    className = className,
    track = source.number,
    onsetS = frameOnsetS(source.firstFrame),
    offsetS = frameOnsetS(source.last.frame + 1),
    score = source.activitySum / source.heardFrames,
    trajectory = trajectory(source.points, smoothFrames),
    uncertainty = source.last.uncertainty?.let { meanUncertainty(source, passes) },
)

/** The source in the last frame in which it was heard. */
fun describeDetection(source: Source, className: String): Detection {
    val last = source.last
    val angles = anglesDeg(last.direction)
    return Detection(
        timeS = frameOnsetS(last.frame),
        className = className,
        track = source.number,
        activity = last.activity,
        azimuthDeg = angles?.first,
        elevationDeg = angles?.second,
        distanceM = last.distanceM,
        uncertainty = last.uncertainty?.let { (std, entropy, information, spread) ->
            FrameUncertainty(std, entropy, information, spread.takeUnless { it.isNaN() })
        },
    )
}

/** Directions and distances are means over the heard frames around each frame, weighted by activity. */
private fun trajectory(points: List<Heard>, smoothFrames: Int): List<TrajectoryPoint> = points.map { point ->
    val near = points.filter { abs(it.frame - point.frame) <= smoothFrames / 2 }
    val weight = near.sumOf { it.activity }
    val mean = Vector(
        near.sumOf { it.activity * it.direction.x },
        near.sumOf { it.activity * it.direction.y },
        near.sumOf { it.activity * it.direction.z },
    )
    val angles = anglesDeg(mean)
    TrajectoryPoint(
        timeS = frameOnsetS(point.frame),
        activity = point.activity,
        azimuthDeg = angles?.first,
        elevationDeg = angles?.second,
        distanceM = point.distanceM?.let { near.sumOf { it.activity * checkNotNull(it.distanceM) } / weight },
    )
}

/** Azimuth and elevation, null for a zero vector. */
fun anglesDeg(vector: Vector): Pair<Double, Double>? {
    if (vector.x == 0.0 && vector.y == 0.0 && vector.z == 0.0) return null
    return Math.toDegrees(atan2(vector.y, vector.x)) to Math.toDegrees(atan2(vector.z, hypot(vector.x, vector.y)))
}

/** Means over the heard frames, the spread's over those that have one. */
private fun meanUncertainty(source: Source, passes: Pair<Int, Int>): EventUncertainty {
    val (std, entropy, information) = source.uncertaintySums.map { it / source.heardFrames }
    return EventUncertainty(
        activityStd = std,
        entropy = entropy,
        mutualInformation = information,
        directionSpreadDeg = if (source.spreadFrames > 0) source.uncertaintySums[3] / source.spreadFrames else null,
        mcSamples = passes.first,
        timeShifts = passes.second,
    )
}

/** Events frame by frame, each frame as sure as its event; their time 0 is label frame `firstFrame`. */
fun detectionsOf(events: List<SeldEvent>, firstFrame: Int): List<Detection> = events.flatMap { event ->
    val sure = event.uncertainty?.let { FrameUncertainty(it.activityStd, it.entropy, it.mutualInformation, it.directionSpreadDeg) }
    event.trajectory.map { point ->
        val timeS = frameOnsetS(firstFrame + labelFrameAt(point.timeS))
        Detection(timeS, event.className, event.track, point.activity, point.azimuthDeg, point.elevationDeg, point.distanceM, sure)
    }
}
