package org.edgeseld.core.drawing

/**
 * Colours of 13 classes: hues of everyday names, moved apart until every pair differs clearly, for colour-blind eyes too, and
 * every colour has a contrast of at least 3 to its ground. Names stand beside colours everywhere.
 */
val COLOURS_ON_LIGHT = longArrayOf(
    0xFF178BD3, 0xFFF86108, 0xFF027D54, 0xFFDE4098, 0xFF664900, 0xFF253162, 0xFF8E8E8E, 0xFF582594, 0xFFD81A4C, 0xFF036170, 0xFF55182A,
    0xFF429300, 0xFFA47ABB,
)
val COLOURS_ON_DARK = longArrayOf(
    0xFF37A9D2, 0xFFFBA529, 0xFF4CB178, 0xFFFF91BF, 0xFFF7FE37, 0xFFF1FFEB, 0xFF3D5AFE, 0xFFC276FF, 0xFFE14128, 0xFF29FBFF, 0xFF9B623A,
    0xFF68E55F, 0xFF907A8C,
)
