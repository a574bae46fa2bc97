package org.edgeseld.demo

import android.content.Context
import android.content.res.Configuration

// Okabe and Ito's colours, told apart by colour-blind eyes, darkened for white ground or lightened for black until every one
// has a contrast of at least 3 to it. Names stand beside colours everywhere.
private val ON_LIGHT = intArrayOf(
    0xFF0072B2.toInt(), 0xFFB45100.toInt(), 0xFF00805A.toInt(), 0xFFA8487F.toInt(), 0xFF8A6D00.toInt(), 0xFF1B1F23.toInt(), 0xFF3A7CA5.toInt(),
)
private val ON_DARK = intArrayOf(
    0xFF56B4E9.toInt(), 0xFFFF9D4D.toInt(), 0xFF2CCB9B.toInt(), 0xFFE59AC8.toInt(), 0xFFF0E442.toInt(), 0xFFE6EDF3.toInt(), 0xFF9BC7E0.toInt(),
)

fun isNight(context: Context): Boolean =
    context.resources.configuration.uiMode and Configuration.UI_MODE_NIGHT_MASK == Configuration.UI_MODE_NIGHT_YES

/** The colour of a class by its number in the model. */
fun classColour(context: Context, number: Int): Int = (if (isNight(context)) ON_DARK else ON_LIGHT).let { it[Math.floorMod(number, it.size)] }

/** A colour with another opacity, 0 .. 1. */
fun withOpacity(colour: Int, opacity: Double): Int = (colour and 0xFFFFFF) or ((255 * opacity.coerceIn(0.0, 1.0)).toInt() shl 24)
