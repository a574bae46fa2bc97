package org.edgeseld.core.present

import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import org.edgeseld.core.SAMPLE_RATE_HZ
import org.edgeseld.core.hearing.Passes
import org.edgeseld.core.hearing.SeldModel
import org.edgeseld.core.signal.Audio

private const val WARM_UPS = 3
private val JSON = Json { prettyPrint = true }

/** What to measure. */
data class BenchmarkPlan(val passes: Passes = Passes(), val runs: Int = 20, val threads: Int = 1)

/** Time to hear `audioS` seconds of sound, run by run, after warm-ups. */
@Serializable
private class BenchmarkResult(
    val bundle: String,
    val runtime: String,
    val device: String,
    val threads: Int,
    @SerialName("mc_samples") val mcSamples: Int,
    @SerialName("time_shifts") val timeShifts: Int,
    @SerialName("audio_s") val audioS: Double,
    @SerialName("warm_ups") val warmUps: Int,
    @SerialName("runs_ms") val runsMs: List<Double>,
    @SerialName("median_ms") val medianMs: Double,
    @SerialName("real_time_factor") val realTimeFactor: Double,
)

@Serializable
private class BenchmarkFailure(val bundle: String, val error: String)

/** The result as JSON. */
fun measure(model: SeldModel, audio: Audio, plan: BenchmarkPlan, device: String): String {
    repeat(WARM_UPS) { model.predict(audio, plan.passes) }
    val runsMs = List(maxOf(plan.runs, 1)) {
        val start = System.nanoTime()
        model.predict(audio, plan.passes)
        (System.nanoTime() - start) / 1e6
    }
    val sorted = runsMs.sorted()
    val medianMs = (sorted[(sorted.size - 1) / 2] + sorted[sorted.size / 2]) / 2
    val audioS = audio.samples.toDouble() / SAMPLE_RATE_HZ
    return JSON.encodeToString(
        BenchmarkResult(
            model.manifest.name, model.backend.name, device, plan.threads, plan.passes.mcSamples, plan.passes.timeShifts, audioS, WARM_UPS,
            runsMs, medianMs, medianMs / 1000.0 / audioS,
        ),
    )
}

/** Why nothing could be measured, as JSON. */
fun failure(bundle: String, error: Exception): String = JSON.encodeToString(BenchmarkFailure(bundle, error.message ?: ""))
