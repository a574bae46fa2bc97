package org.edgeseld.demo

import android.content.Context
import android.content.res.Configuration
import org.edgeseld.core.drawing.COLOURS_ON_DARK
import org.edgeseld.core.drawing.COLOURS_ON_LIGHT

private fun isNight(context: Context): Boolean =
    context.resources.configuration.uiMode and Configuration.UI_MODE_NIGHT_MASK == Configuration.UI_MODE_NIGHT_YES

/** The colour of a class by its number in the model. */
fun classColour(context: Context, number: Int): Int =
    (if (isNight(context)) COLOURS_ON_DARK else COLOURS_ON_LIGHT).let { it[Math.floorMod(number, it.size)].toInt() }

/** A colour with another opacity, 0 .. 1. */
fun withOpacity(colour: Int, opacity: Double): Int = (colour and 0xFFFFFF) or ((255 * opacity.coerceIn(0.0, 1.0)).toInt() shl 24)
