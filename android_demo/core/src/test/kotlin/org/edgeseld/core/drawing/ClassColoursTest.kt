package org.edgeseld.core.drawing

import kotlin.math.cbrt
import kotlin.math.pow
import kotlin.math.sqrt
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

private const val WHITE = 0xFFFFFFFF
private const val NIGHT = 0xFF101418

/** As many classes as STARSS22 has. */
private const val CLASSES = 13

class ClassColoursTest {
    @Test
    fun `thirteen classes have thirteen colours that differ and stand out from their ground`() {
        for ((colours, ground) in listOf(COLOURS_ON_LIGHT to WHITE, COLOURS_ON_DARK to NIGHT)) {
            assertEquals(CLASSES, colours.size)
            for (first in colours.indices) {
                assertTrue(contrast(colours[first], ground) >= 3.0, "colour $first")
                for (second in 0 until first) assertTrue(distance(colours[first], colours[second]) >= 30.0, "colours $first and $second")
            }
        }
    }

    /** WCAG 2.1, 1.4.11. */
    private fun contrast(first: Long, second: Long): Double {
        val (dark, light) = listOf(first, second).map { xyz(it)[1] }.sorted()
        return (light + 0.05) / (dark + 0.05)
    }

    /** CIE 1976 in L*a*b*: 2.3 is just visible. */
    private fun distance(first: Long, second: Long): Double =
        sqrt(lab(first).zip(lab(second)) { a, b -> (a - b).pow(2) }.sum())

    private fun lab(colour: Long): List<Double> {
        val (x, y, z) = xyz(colour).zip(listOf(0.9505, 1.0, 1.089)) { value, white -> cbrt(value / white) }
        return listOf(116 * y - 16, 500 * (x - y), 200 * (y - z))
    }

    private fun xyz(colour: Long): List<Double> {
        val (r, g, b) = listOf(16, 8, 0).map { shift ->
            val value = (colour shr shift and 0xFF) / 255.0
            if (value <= 0.04045) value / 12.92 else ((value + 0.055) / 1.055).pow(2.4)
        }
        return listOf(0.4124 * r + 0.3576 * g + 0.1805 * b, 0.2126 * r + 0.7152 * g + 0.0722 * b, 0.0193 * r + 0.1192 * g + 0.9505 * b)
    }
}
