package org.edgeseld.core.hearing

import org.edgeseld.core.AudioFormatException
import org.edgeseld.core.BundleException
import org.edgeseld.core.bundle.InputKind
import org.edgeseld.core.bundle.Manifest
import org.edgeseld.core.signal.Audio
import org.edgeseld.core.stream.EventStream
import org.edgeseld.core.stream.FrameEngine
import org.edgeseld.core.stream.WindowEngine
import org.edgeseld.core.tracking.SeldEvent
import org.edgeseld.core.tracking.trackEvents

const val DEFAULT_HOP_FRAMES = 5

/** How many passes a prediction rests on; one deterministic pass by default. */
data class Passes(val mcSamples: Int = 0, val timeShifts: Int = 1, val seed: Long = 0L)

/** A model on its backend, as `edgeseld.load` gives it; used by one thread at a time. */
class SeldModel(val manifest: Manifest, val backend: Backend) : AutoCloseable {
    private val graphs = Graphs(manifest, backend)

    /** Hears audio at 24 kHz; near tracks are unified. AudioFormatException, ConfigException, BundleException as in Python. */
    fun predict(audio: Audio, passes: Passes = Passes()): Prediction {
        check(audio)
        val prediction = when {
            passes.timeShifts != 1 -> hearShifts(graphs, audio, passes.timeShifts, passes.mcSamples, passes.seed)
            passes.mcSamples != 0 -> hearSamples(graphs, audio, passes.mcSamples, passes.seed)
            else -> hearOnce(graphs, audio)
        }
        return graphs.finish(prediction)
    }

    fun events(prediction: Prediction): List<SeldEvent> = trackEvents(prediction, manifest.tracking)

    /** A live stream: a causal model goes from label frame to label frame, any other slides its window on. */
    fun stream(mcSamples: Int = 0, seed: Long = 0L, hopFrames: Int = DEFAULT_HOP_FRAMES, lookaheadFrames: Int = 0): EventStream {
        val monteCarlo = if (mcSamples != 0) MonteCarlo(graphs, mcSamples, seed) else null
        val engine = if (manifest.streams) FrameEngine(graphs, monteCarlo) else WindowEngine(graphs, hopFrames, lookaheadFrames, monteCarlo)
        return EventStream(graphs, engine)
    }

    override fun close() = backend.close()

    private fun check(audio: Audio) {
        val signal = manifest.signal
        if (audio.channels != signal.channels) {
            throw AudioFormatException(
                "${manifest.id} hears ${signal.channelFormat.name.lowercase()} audio with ${signal.channels} channels, " +
                    "got ${audio.channels}: convert it, or choose another model",
            )
        }
        if (manifest.input != InputKind.WAVEFORM) {
            throw BundleException("${manifest.id} takes features, not audio: export it with --input waveform")
        }
        if (audio.samples == 0 || audio.data.any { !it.isFinite() }) {
            val found = if (audio.samples == 0) "no samples" else "NaN or infinite ones"
            throw AudioFormatException("audio needs finite samples, got $found: repair the recording")
        }
    }
}
