package org.edgeseld.core.hearing

import kotlin.math.sqrt

/** Vectors shorter than this have no direction. */
const val SHORTEST = 1e-6f

private const val DEGREES = (180.0 / Math.PI).toFloat()

/** Length of a float32 vector, summed in the order x, y, z. */
fun vectorLength(x: Float, y: Float, z: Float): Float = sqrt(x * x + y * y + z * z)

/** Radians to degrees in float32. */
fun degrees(radians: Float): Float = radians * DEGREES
