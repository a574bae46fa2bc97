package org.edgeseld.core.drawing

import kotlin.math.max
import kotlin.math.min
import org.edgeseld.core.tracking.SeldEvent
import org.edgeseld.core.tracking.Vector
import org.edgeseld.core.tracking.angleDeg

/** Two lists of events beside each other, the device's and the cloud's; the angle is null where no pair has directions. */
data class Agreement(val ours: Int, val theirs: Int, val shared: Int, val angleDeg: Double?)

/** Pairs events of one class that overlap in time, those that overlap longest first. */
fun compareEvents(ours: List<SeldEvent>, theirs: List<SeldEvent>): Agreement {
    val pairs = ours.flatMap { one -> theirs.filter { it.className == one.className && overlapS(one, it) > 0.0 }.map { one to it } }
        .sortedByDescending { (one, other) -> overlapS(one, other) }
    val taken = mutableSetOf<SeldEvent>()
    val shared = pairs.filter { (one, other) -> if (one in taken || other in taken) false else taken.addAll(listOf(one, other)) }
    val angles = shared.mapNotNull { (one, other) -> meanDirection(one)?.let { a -> meanDirection(other)?.let { b -> angleDeg(a, b) } } }
    return Agreement(ours.size, theirs.size, shared.size, angles.takeIf { it.isNotEmpty() }?.average())
}

private fun overlapS(first: SeldEvent, second: SeldEvent): Double =
    min(first.offsetS, second.offsetS) - max(first.onsetS, second.onsetS)

/** The mean of the unit vectors along the way, null without directions. */
fun meanDirection(event: SeldEvent): Vector? {
    val vectors = event.trajectory.mapNotNull { point -> point.azimuthDeg?.let { direction(it, point.elevationDeg ?: 0.0) } }
    if (vectors.isEmpty()) return null
    return Vector(vectors.sumOf { it.x }, vectors.sumOf { it.y }, vectors.sumOf { it.z })
}

private fun direction(azimuthDeg: Double, elevationDeg: Double): Vector {
    val azimuth = Math.toRadians(azimuthDeg)
    val elevation = Math.toRadians(elevationDeg)
    val horizontal = kotlin.math.cos(elevation)
    return Vector(horizontal * kotlin.math.cos(azimuth), horizontal * kotlin.math.sin(azimuth), kotlin.math.sin(elevation))
}
