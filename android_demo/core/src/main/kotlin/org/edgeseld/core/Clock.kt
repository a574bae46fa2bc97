package org.edgeseld.core

import kotlin.math.roundToInt

/** The clock of edgeseld: 24 kHz samples and 100 ms label frames, in integers only. */
const val SAMPLE_RATE_HZ = 24_000
const val LABEL_FRAME_SAMPLES = 2_400
const val LABEL_FRAMES_PER_S = SAMPLE_RATE_HZ / LABEL_FRAME_SAMPLES

/** Smallest integer at least numerator / denominator; the denominator is positive. */
fun ceilDiv(numerator: Int, denominator: Int): Int = -Math.floorDiv(-numerator, denominator)

/** Label frames that cover `samples` samples; a started frame counts. */
fun labelFrames(samples: Int): Int = ceilDiv(samples, LABEL_FRAME_SAMPLES)

/** Start of a label frame in seconds. */
fun frameOnsetS(frame: Int): Double = frame / LABEL_FRAMES_PER_S.toDouble()

/** The label frame that starts at `timeS` seconds, or nearest to it. */
fun labelFrameAt(timeS: Double): Int = (timeS * LABEL_FRAMES_PER_S).roundToInt()
