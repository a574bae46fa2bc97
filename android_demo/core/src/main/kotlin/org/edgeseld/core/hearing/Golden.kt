package org.edgeseld.core.hearing

import kotlin.math.PI
import kotlin.math.abs
import kotlin.math.sin
import org.edgeseld.core.BundleException
import org.edgeseld.core.LABEL_FRAME_SAMPLES
import org.edgeseld.core.SAMPLE_RATE_HZ
import org.edgeseld.core.Tensor
import org.edgeseld.core.bundle.Bundle
import org.edgeseld.core.bundle.GOLDEN_FILE
import org.edgeseld.core.bundle.InputKind
import org.edgeseld.core.bundle.Manifest
import org.edgeseld.core.bundle.Role
import org.edgeseld.core.bundle.readSafetensors
import org.edgeseld.core.uncertainty.Philox
import org.edgeseld.core.uncertainty.drawMasks
import java.io.File

private const val SCENE_SCALE = 32_768f
private const val SINE_HZ = 1_000
private const val QUIET = 1e-3
private const val DC = 0.5f
private const val NOISE_PEAK = 0.1

/** What a backend says to a golden case, and what the float torch model says: (batch, frames, ...) by name. */
class Replay(val case: String, val outputs: Outputs, val expected: Outputs) {
    /** The largest absolute difference of any output, the embedding apart, which each format rounds in its own way. */
    val largestDifference: Float
        get() = expected.filterKeys { it != "embedding" }.maxOf { (name, tensor) -> largestDifference(outputs.getValue(name).data, tensor.data) }
}

/** Of the values of `second`, which may hold the first few samples of `first` alone. */
fun largestDifference(first: FloatArray, second: FloatArray): Float = second.indices.maxOfOrNull { abs(first[it] - second[it]) } ?: 0f

/** Golden vectors of a bundle (runtime/golden.py). */
class Golden(private val manifest: Manifest, val tensors: Map<String, Tensor>) {
    constructor(bundle: Bundle) : this(bundle.manifest, readSafetensors(File(bundle.folder, GOLDEN_FILE)))

    /** Inputs of the graph `full` by case, the scene first. */
    fun inputs(): Map<String, Tensor> {
        if (manifest.input == InputKind.FEATURES) return mapOf("scene" to tensors.getValue("features"))
        val scene = tensors.getValue("scene")
        val (channels, samples) = scene.shape
        val pcm = Tensor(listOf(1, channels, samples), FloatArray(scene.data.size) { scene.data[it] / SCENE_SCALE })
        return mapOf("scene" to pcm) + formulaCases(channels, samples)
    }

    /** Every golden case through every graph of the bundle, the scene through `full` first. */
    fun replay(backend: Backend): Sequence<Replay> = sequence {
        val graphs = Graphs(manifest, backend)
        for ((case, input) in inputs()) {
            val outputs = graphs.run(Role.FULL, listOf(input))
            val expected = outputs.keys.mapNotNull { name -> tensors["$case/full/$name"]?.let { name to it } }.toMap()
            yield(Replay(case, outputs, expected))
        }
        manifest.monteCarlo?.let { spec ->
            val masks = drawMasks(spec.sites, spec.chunkSamples, seed = 0L)
            val samples = graphs.run(Role.HEAD, listOf(tensors.getValue("scene/full/embedding")) + masks)
            yield(Replay("scene, samples", samples, samples.mapValues { tensors.getValue("scene/head/${it.key}") }))
        }
        val scene = manifest.graphs.getValue(Role.FULL).outputs.associate { it.name to tensors.getValue("scene/full/${it.name}") }
        if (Role.ENCODER in manifest.graphs) yield(Replay("scene, shared frontend", graphs.run(Role.ENCODER, listOf(features(graphs))), scene))
        if (manifest.streams) yield(Replay("scene, stream", steps(graphs), scene))
    }

    /** Features of the scene from the frontend graph, which is longer than a window. */
    private fun features(graphs: Graphs): Tensor {
        val signal = manifest.signal
        val spare = manifest.graphs.getValue(Role.FRONTEND).outputs[0].shape[2] - signal.windowHops
        val before = spare / 2
        val pcm = padded(inputs().getValue("scene"), before * signal.hopSamples, (spare - before) * signal.hopSamples)
        val (_, maps, frames, bands) = graphs.manifest.graphs.getValue(Role.FRONTEND).outputs[0].shape
        val whole = graphs.run(Role.FRONTEND, listOf(pcm)).getValue("features")
        val window = Tensor.zeros(listOf(1, maps, signal.windowHops, bands))
        val width = signal.windowHops * bands
        for (map in 0 until maps) {
            val from = (map * frames + before) * bands
            whole.data.copyInto(window.data, map * width, from, from + width)
        }
        return window
    }

    /** The scene frame by frame. */
    private fun steps(graphs: Graphs): Outputs {
        val stepper = Stepper(graphs)
        val signal = manifest.signal
        val scene = inputs().getValue("scene")
        val steps = (0 until signal.windowFrames).map { frame ->
            stepper.step(slice(scene, frame * LABEL_FRAME_SAMPLES, signal.contextSamples + LABEL_FRAME_SAMPLES))
        }
        return steps[0].keys.associateWith { name ->
            val frames = Tensor.concatenate(steps.map { Tensor(it.getValue(name).shape.drop(1), it.getValue(name).data) })
            Tensor(listOf(1) + frames.shape, frames.data)
        }
    }

    companion object {
        /**
         * Extremes (1, channels, samples): sine of 1 kHz at 0 dBFS and at -60 dBFS, silence, DC, noise. The noise of sample n in
         * channel c is 0.1 (2 (word >> 8) / 2^24 - 1) of word n mod 4 of Philox counter (n div 4, c, 0, 0), key 0.
         */
        fun formulaCases(channels: Int, samples: Int): Map<String, Tensor> {
            val step = 2 * PI * SINE_HZ / SAMPLE_RATE_HZ
            fun case(value: (Int, Int) -> Float) =
                Tensor(listOf(1, channels, samples), FloatArray(channels * samples) { value(it / samples, it % samples) })
            val words = LongArray(4)
            return mapOf(
                "sine" to case { _, n -> sin(step * n).toFloat() },
                "quiet" to case { _, n -> (QUIET * sin(step * n)).toFloat() },
                "silence" to case { _, _ -> 0f },
                "dc" to case { _, _ -> DC },
                "noise" to case { channel, n ->
                    if (n % 4 == 0) Philox.draw(n / 4L, channel.toLong(), 0L, 0L, 0L, words)
                    (NOISE_PEAK * (2.0 * (words[n % 4] ushr 8) / (1 shl 24) - 1.0)).toFloat()
                },
            )
        }
    }
}

/** Compares the backend with the float model on the scene; BundleException where an output strays beyond the tolerance. */
fun selfTest(bundle: Bundle, backend: Backend) {
    val tolerance = bundle.manifest.tolerance.rawMax
    val error = Golden(bundle).replay(backend).first().largestDifference
    if (!(error <= tolerance)) {
        throw BundleException(
            "${bundle.manifest.name} must repeat its golden vectors within $tolerance, got $error: " +
                "this device's runtime computes something else; choose another model",
        )
    }
}

private fun slice(pcm: Tensor, start: Int, width: Int): Tensor {
    val (_, channels, samples) = pcm.shape
    return Tensor(listOf(1, channels, width), FloatArray(channels * width) { pcm.data[it / width * samples + start + it % width] })
}

private fun padded(pcm: Tensor, before: Int, after: Int): Tensor {
    val (_, channels, samples) = pcm.shape
    val result = Tensor.zeros(listOf(1, channels, before + samples + after))
    for (channel in 0 until channels) {
        pcm.data.copyInto(result.data, channel * (before + samples + after) + before, channel * samples, (channel + 1) * samples)
    }
    return result
}
