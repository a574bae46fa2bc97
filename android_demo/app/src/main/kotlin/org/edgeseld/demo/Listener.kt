package org.edgeseld.demo

import android.content.Context
import java.io.IOException
import org.edgeseld.core.AudioFormatException
import org.edgeseld.core.EdgeseldException
import org.edgeseld.core.LABEL_FRAME_SAMPLES
import org.edgeseld.core.SAMPLE_RATE_HZ
import org.edgeseld.core.fallback.doubtfulWindows
import org.edgeseld.core.hearing.Prediction
import org.edgeseld.core.hearing.SeldModel
import org.edgeseld.core.present.DemoEffect
import org.edgeseld.core.present.DemoEvent
import org.edgeseld.core.present.Doubtful
import org.edgeseld.core.present.Problem
import org.edgeseld.core.present.Readout
import org.edgeseld.core.present.Sound
import org.edgeseld.core.signal.Audio
import org.edgeseld.core.stream.Update
import org.edgeseld.core.tracking.Tracker

private const val WAIT_MS = 5L
private const val GONE_MS = 3_000L

/** Hears one scene or the microphone on a thread of its own, and reports events; `report` is called on that thread. */
class Listener(private val context: Context, private val task: DemoEffect.Listen, private val report: (DemoEvent) -> Unit) {
    @Volatile
    private var listening = true
    private val thread = Thread(::run, "listener")

    fun start() = thread.start()

    /** Asks the thread to end; it gives microphone and model back. */
    fun stop() {
        listening = false
    }

    private fun run() {
        try {
            ModelStore(context).open(task.model).use { model ->
                report(DemoEvent.ModelReady(model.manifest.classes))
                when (val sound = task.sound) {
                    is Sound.Scene -> hearScene(model, ModelStore(context).scene(sound.name))
                    Sound.Microphone -> hearMicrophone(model)
                }
            }
        } catch (error: AudioFormatException) {
            report(DemoEvent.Failed(Problem(Problem.Kind.AUDIO, error.message ?: "")))
        } catch (error: EdgeseldException) {
            report(DemoEvent.Failed(Problem(Problem.Kind.MODEL, error.message ?: "")))
        } catch (error: IllegalStateException) {
            // The runtime failed in the middle of a run.
            report(DemoEvent.Failed(Problem(Problem.Kind.MODEL, error.message ?: "")))
        } catch (error: IOException) {
            report(DemoEvent.Failed(Problem(Problem.Kind.AUDIO, error.message ?: "")))
        }
    }

    private fun hearScene(model: SeldModel, audio: Audio) {
        val start = System.nanoTime()
        val prediction = model.predict(audio, task.passes)
        val spentMs = (System.nanoTime() - start) / 1e6
        // The screen keeps the last minute of a longer scene.
        val detections = Tracker(model.manifest.classes, model.manifest.tracking).add(prediction).detections
        report(DemoEvent.FramesHeard(prediction, detections, Readout(model.backend.name, spentMs, audio.samples.toDouble() / SAMPLE_RATE_HZ), 0f))
        report(DemoEvent.EventsClosed(model.events(prediction)))
        report(DemoEvent.SceneHeard(doubtful(model, prediction)))
    }

    /** What to ask the cloud about, by the policy that the user copied to this app; null without one. */
    private fun doubtful(model: SeldModel, prediction: Prediction): Doubtful? {
        val policy = ModelStore(context).policy() ?: return null
        val thresholds = model.manifest.tracking.thresholds(model.manifest.classes)
        return Doubtful(doubtfulWindows(prediction, thresholds, policy), policy.contextFrames)
    }

    private fun hearMicrophone(model: SeldModel) {
        val channels = model.manifest.signal.channels
        val stream = model.stream(task.passes.mcSamples, task.passes.seed)
        val microphone = Microphone(context, channels)
        val block = FloatArray(channels * LABEL_FRAME_SAMPLES)
        var waitedMs = 0L
        try {
            while (listening) {
                if (!microphone.ring.read(block, LABEL_FRAME_SAMPLES)) {
                    if (waitedMs > GONE_MS) throw AudioFormatException("the microphone is silent: another app may hold it")
                    Thread.sleep(WAIT_MS)
                    waitedMs += WAIT_MS
                    continue
                }
                waitedMs = 0L
                val start = System.nanoTime()
                val update = stream.feed(Audio(channels, LABEL_FRAME_SAMPLES, block.copyOf()))
                tell(model, update, (System.nanoTime() - start) / 1e6, microphone.level)
            }
        } finally {
            microphone.close()
        }
    }

    private fun tell(model: SeldModel, update: Update, spentMs: Double, level: Float) {
        val prediction = update.prediction ?: return
        val audioS = prediction.frames.toDouble() * LABEL_FRAME_SAMPLES / SAMPLE_RATE_HZ
        report(DemoEvent.FramesHeard(prediction, update.detections, Readout(model.backend.name, spentMs, audioS), level))
        if (update.closed.isNotEmpty()) report(DemoEvent.EventsClosed(update.closed))
    }
}
