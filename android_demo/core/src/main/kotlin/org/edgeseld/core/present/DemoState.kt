package org.edgeseld.core.present

import org.edgeseld.core.drawing.Agreement
import org.edgeseld.core.drawing.RadarMark
import org.edgeseld.core.drawing.Timeline
import org.edgeseld.core.drawing.radarMarks
import org.edgeseld.core.hearing.Passes
import org.edgeseld.core.tracking.SeldEvent

/** What is listened to. */
sealed interface Sound {
    /** A recording by its name. */
    data class Scene(val name: String) : Sound

    data object Microphone : Sound
}

enum class Phase { IDLE, ASKING_PERMISSION, PREPARING, LISTENING, PLAYING }

/** Why nothing is heard; texts come from the resources, `detail` from the error. */
data class Problem(val kind: Kind, val detail: String = "") {
    enum class Kind { NO_PERMISSION, NO_MODEL, NO_CLOUD, LIVE_CLOUD, MODEL, AUDIO, NETWORK }
}

/** Time to hear one second of audio, and the battery. */
data class Readout(val runtime: String, val hearingMs: Double, val audioS: Double) {
    /** Below 1 the device keeps up with the sound. */
    val realTimeFactor: Double get() = hearingMs / 1000.0 / audioS
}

data class Battery(val percent: Int, val temperatureC: Double)

/** How many windows of a scene the device doubted, and how many of them the cloud heard instead. */
data class Fallback(val doubtful: Int, val answered: Int)

/** Everything the screen shows; drawing it needs nothing else. `model` is one of `models`, or CLOUD_TEACHER. */
data class DemoState(
    val models: List<String>,
    val scenes: List<String>,
    val model: String? = models.firstOrNull(),
    val sound: Sound = scenes.firstOrNull()?.let { Sound.Scene(it) } ?: Sound.Microphone,
    val mcSamples: Int = 10,
    val timeShifts: Int = 1,
    val cloud: String? = null,
    val phase: Phase = Phase.IDLE,
    val problem: Problem? = null,
    val timeline: Timeline = Timeline.empty(emptyList()),
    val events: List<SeldEvent> = emptyList(),
    val playedFrame: Int = 0,
    val level: Float = 0f,
    val readout: Readout? = null,
    val battery: Battery? = null,
    val agreement: Agreement? = null,
    val fallback: Fallback? = null,
) {
    val busy: Boolean get() = phase != Phase.IDLE

    val passes: Passes get() = Passes(mcSamples, if (sound == Sound.Microphone) 1 else timeShifts)

    /** Sources at the frame that is played now. */
    val marks: List<RadarMark> get() = radarMarks(timeline.detections[playedFrame] ?: emptyList(), timeline.classes)
}
