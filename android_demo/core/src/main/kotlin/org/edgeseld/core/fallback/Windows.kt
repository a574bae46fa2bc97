package org.edgeseld.core.fallback

import org.edgeseld.core.EdgeseldException
import org.edgeseld.core.LABEL_FRAME_SAMPLES
import org.edgeseld.core.hearing.Prediction
import org.edgeseld.core.labelFrameAt
import org.edgeseld.core.labelFrames
import org.edgeseld.core.signal.Audio
import org.edgeseld.core.tracking.Detection
import org.edgeseld.core.tracking.SeldEvent
import org.edgeseld.core.tracking.detectionsOf

/** Label frames first .. last - 1 of a recording. */
data class LabelWindow(val first: Int, val last: Int)

/** What the cloud heard in a window that it was asked about; null where it did not answer, and the device's answer stands. */
data class WindowAnswer(val window: LabelWindow, val heard: List<Detection>?, val trouble: String? = null)

/** The windows of a recording that a policy sends. */
fun doubtfulWindows(prediction: Prediction, thresholds: List<Double>, policy: FallbackPolicy): List<LabelWindow> =
    (0 until prediction.frames step policy.windowFrames)
        .map { LabelWindow(it, minOf(it + policy.windowFrames, prediction.frames)) }
        .filter { policy.sends(doubt(prediction.framesBetween(it.first, it.last), thresholds, policy.measure)) }

/** Asks about windows of a recording, one after the other, where the breaker lets it; `ask` gives the events of a piece of audio. */
class WindowAsker(private val breaker: CircuitBreaker, private val nowS: () -> Double, private val ask: (Audio) -> List<SeldEvent>) {
    /** Only the window and its context leave the device. */
    fun answer(audio: Audio, window: LabelWindow, contextFrames: Int): WindowAnswer {
        if (!breaker.allows(nowS())) return WindowAnswer(window, null, "the cloud failed several times and is left alone for a while")
        val start = maxOf(window.first - contextFrames, 0)
        val stop = minOf(window.last + contextFrames, labelFrames(audio.samples))
        val piece = audio.cut(start * LABEL_FRAME_SAMPLES, stop * LABEL_FRAME_SAMPLES)
        return try {
            val events = ask(Audio(audio.channels, (stop - start) * LABEL_FRAME_SAMPLES, piece.data))
            breaker.succeeded()
            WindowAnswer(window, detectionsOf(events, start).filter { labelFrameAt(it.timeS) in window.first until window.last })
        } catch (error: EdgeseldException) {
            breaker.failed(nowS())
            WindowAnswer(window, null, error.message)
        }
    }
}
