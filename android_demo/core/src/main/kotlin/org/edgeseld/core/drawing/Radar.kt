package org.edgeseld.core.drawing

import kotlin.math.cos
import kotlin.math.sin
import org.edgeseld.core.tracking.Detection

/** Below this a source is drawn as a point, above it as a sector of its spread. */
private const val NARROWEST_DEG = 2.0
private const val WIDEST_DEG = 90.0

/**
 * One source on the radar of radius 1: up is ahead, left is left, the rim is the horizon and the centre straight above or below.
 *
 * `spreadDeg` is the half width of its sector; `strength` its activity, 0 .. 1; x and y are in screen directions, y down.
 */
data class RadarMark(
    val className: String,
    val track: Int,
    val colour: Int,
    val azimuthDeg: Double,
    val elevationDeg: Double,
    val spreadDeg: Double,
    val spreadKnown: Boolean,
    val strength: Double,
) {
    val x: Double get() = -sin(Math.toRadians(azimuthDeg)) * cos(Math.toRadians(elevationDeg))
    val y: Double get() = -cos(Math.toRadians(azimuthDeg)) * cos(Math.toRadians(elevationDeg))

    /** Start of the sector in degrees clockwise from the right, as canvases count. */
    val sectorStartDeg: Double get() = -90.0 - azimuthDeg - spreadDeg
}

/** Marks of the sources heard in one frame, loudest last so that they lie on top; those without direction are left out. */
fun radarMarks(detections: List<Detection>, classes: List<String>): List<RadarMark> = detections.mapNotNull { heard ->
    val azimuth = heard.azimuthDeg ?: return@mapNotNull null
    val spread = heard.uncertainty?.directionSpreadDeg
    RadarMark(
        className = heard.className,
        track = heard.track,
        colour = classes.indexOf(heard.className),
        azimuthDeg = azimuth,
        elevationDeg = heard.elevationDeg ?: 0.0,
        spreadDeg = (spread ?: 0.0).coerceIn(NARROWEST_DEG, WIDEST_DEG),
        spreadKnown = spread != null,
        strength = heard.activity.coerceIn(0.0, 1.0),
    )
}.sortedBy { it.strength }
