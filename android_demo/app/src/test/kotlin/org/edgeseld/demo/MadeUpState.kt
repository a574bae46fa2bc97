package org.edgeseld.demo

import kotlin.math.cos
import kotlin.math.exp
import kotlin.math.sin
import org.edgeseld.core.bundle.TrackingSpec
import org.edgeseld.core.drawing.Agreement
import org.edgeseld.core.drawing.Timeline
import org.edgeseld.core.hearing.Prediction
import org.edgeseld.core.hearing.Uncertainty
import org.edgeseld.core.present.Battery
import org.edgeseld.core.present.DemoState
import org.edgeseld.core.present.Phase
import org.edgeseld.core.present.Readout
import org.edgeseld.core.tracking.Tracker
import org.edgeseld.core.tracking.trackEvents

private val CLASSES = listOf("female_speech", "male_speech", "clapping", "telephone", "laughter", "music", "bell", "knock")
private const val FRAMES = 80

/** A sound from `first` to `last` that starts at `azimuthDeg` and turns by `turnDeg` a frame. */
private class Voice(val classId: Int, val first: Int, val last: Int, val azimuthDeg: Double, val elevationDeg: Double, val turnDeg: Double, val spreadDeg: Float)

private val VOICES = listOf(
    Voice(0, 5, 60, 70.0, 10.0, -0.8, 12f),
    Voice(6, 30, 50, -45.0, 35.0, 0.0, 5f),
    Voice(7, 35, 70, 170.0, -20.0, 0.5, 25f),
)

/** A scene of eight seconds that no network heard: the pictures depend on the drawing alone. */
object MadeUpState {
    /** A measurement that nobody made. */
    const val BENCHMARK = """{
    "bundle": "student-s-tflite-int8-dynamic",
    "runtime": "TensorFlow Lite 2.21.0",
    "device": "Maker Phone, Android 15",
    "threads": 1,
    "mc_samples": 0,
    "time_shifts": 1,
    "audio_s": 5.0,
    "warm_ups": 3,
    "runs_ms": [
        11.1,
        11.2,
        11.4
    ],
    "median_ms": 11.2,
    "real_time_factor": 0.00224
}"""

    private val prediction = prediction()

    fun listening(): DemoState {
        val detections = Tracker(CLASSES, TrackingSpec()).add(prediction).detections
        return DemoState(
            models = listOf("student-s-tflite-int8-dynamic.seld"),
            scenes = listOf("sample_scene.wav"),
            timeShifts = 5,
            phase = Phase.PLAYING,
            timeline = Timeline.empty(CLASSES).plus(prediction, detections),
            events = trackEvents(prediction, TrackingSpec()),
            playedFrame = 42,
            readout = Readout("TensorFlow Lite 2.21.0", 412.0, 8.0),
            battery = Battery(84, 31.5),
            agreement = Agreement(3, 4, 3, 3.4),
        )
    }

    private fun prediction(): Prediction {
        val size = FRAMES * CLASSES.size
        val sure = Uncertainty(FloatArray(size) { 0.02f }, FloatArray(size), FloatArray(size), FloatArray(size) { Float.NaN }, 10, 5)
        val result = Prediction(FRAMES, 1, CLASSES, FloatArray(size) { 0.03f + 0.02f * sin(it * 0.7f) }, FloatArray(3 * size), null, sure)
        for (voice in VOICES) for (frame in 0 until FRAMES) speak(result, sure, voice, frame)
        return result
    }

    private fun speak(prediction: Prediction, sure: Uncertainty, voice: Voice, frame: Int) {
        val place = prediction.place(frame, 0, voice.classId)
        val edge = minOf(frame - voice.first, voice.last - frame)
        prediction.activity[place] = 0.9f / (1 + exp(-edge.toFloat()))
        sure.activityStd[place] = 0.04f + 0.12f * exp(-edge * edge / 6f)
        sure.directionSpreadDeg[place] = voice.spreadDeg
        val azimuth = Math.toRadians(voice.azimuthDeg + voice.turnDeg * (frame - voice.first))
        val elevation = Math.toRadians(voice.elevationDeg)
        prediction.direction[3 * place] = (cos(azimuth) * cos(elevation)).toFloat()
        prediction.direction[3 * place + 1] = (sin(azimuth) * cos(elevation)).toFloat()
        prediction.direction[3 * place + 2] = sin(elevation).toFloat()
    }
}
