package org.edgeseld.core.uncertainty

import kotlin.math.ln

private const val STEP_BITS = 7
private const val STEPS = 1 shl STEP_BITS
private const val MANTISSA_BITS = 23
private const val EXPONENT_OF_ONE = 127

/** Smallest positive argument of a logarithm; x log x is 0 there in float32. */
private const val TINY = 1e-30f

private const val THIRD = 1.0 / 3.0
private val LN_2 = ln(2.0)
private val CENTRES = DoubleArray(STEPS) { 1.0 + (it + 0.5) / STEPS }
private val INVERSES = DoubleArray(STEPS) { 1.0 / CENTRES[it] }
private val LOGARITHMS = DoubleArray(STEPS) { ln(CENTRES[it]) }

/**
 * ln x of max(x, 1e-30) within 1e-10, three times as fast as Math.log: entropies of all samples take most of the aggregation.
 *
 * x = 2^e m; the table gives the logarithm of a centre c beside m, and three terms of ln(1 + r) the rest, |r| < 1/256.
 */
internal fun logarithm(x: Float): Double {
    val bits = (if (x > TINY) x else TINY).toRawBits()
    val step = (bits ushr (MANTISSA_BITS - STEP_BITS)) and (STEPS - 1)
    val mantissa = Float.fromBits((bits and ((1 shl MANTISSA_BITS) - 1)) or (EXPONENT_OF_ONE shl MANTISSA_BITS))
    val r = mantissa * INVERSES[step] - 1.0
    val exponent = (bits ushr MANTISSA_BITS) - EXPONENT_OF_ONE
    return exponent * LN_2 + LOGARITHMS[step] + r * (1.0 - r * (0.5 - r * THIRD))
}
