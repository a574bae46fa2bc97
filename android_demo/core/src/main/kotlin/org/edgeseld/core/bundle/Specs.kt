package org.edgeseld.core.bundle

import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import org.edgeseld.core.LABEL_FRAME_SAMPLES
import org.edgeseld.core.SAMPLE_RATE_HZ

@Serializable
enum class ChannelFormat(val channels: Int) {
    @SerialName("foa") FOA(4),
    @SerialName("mic") MIC(4),
    @SerialName("stereo") STEREO(2),
    @SerialName("mono") MONO(1),
}

@Serializable
enum class WindowShape {
    @SerialName("hann") HANN,
    @SerialName("tapered") TAPERED,
}

@Serializable
enum class Spatial {
    @SerialName("intensity") INTENSITY,
    @SerialName("band-intensity") BAND_INTENSITY,
    @SerialName("band-phase") BAND_PHASE,
    @SerialName("none") NONE,
}

/** From PCM to features; the frontend inside the graph follows it, the host needs hop and window. */
@Serializable
data class SignalSpec(
    @SerialName("channel_format") val channelFormat: ChannelFormat = ChannelFormat.FOA,
    @SerialName("sample_rate_hz") val sampleRateHz: Int = SAMPLE_RATE_HZ,
    @SerialName("hop_samples") val hopSamples: Int = 480,
    @SerialName("n_fft") val nFft: Int = 1024,
    val window: WindowShape = WindowShape.HANN,
    @SerialName("window_samples") val windowSamples: Int = 960,
    @SerialName("mel_bands") val melBands: Int = 64,
    val spatial: Spatial = Spatial.BAND_INTENSITY,
    @SerialName("window_frames") val windowFrames: Int = 50,
) {
    init {
        require(sampleRateHz == SAMPLE_RATE_HZ) { "sample_rate_hz must be $SAMPLE_RATE_HZ, got $sampleRateHz" }
        require(hopSamples >= 1 && LABEL_FRAME_SAMPLES % hopSamples == 0) { "hop_samples must divide $LABEL_FRAME_SAMPLES, got $hopSamples" }
        require(windowSamples in hopSamples..nFft) {
            "need hop_samples <= window_samples <= n_fft, got $hopSamples, $windowSamples, $nFft"
        }
        require(melBands >= 1 && windowFrames >= 1) { "mel_bands and window_frames must be at least 1, got $melBands, $windowFrames" }
    }

    val channels: Int get() = channelFormat.channels

    /** Samples before a window that the causal frontend still sees. */
    val contextSamples: Int get() = nFft - hopSamples

    /** Feature frames in one inference window. */
    val windowHops: Int get() = windowFrames * (LABEL_FRAME_SAMPLES / hopSamples)

    /** Audio samples in one inference window, context apart. */
    val windowPcmSamples: Int get() = windowFrames * LABEL_FRAME_SAMPLES
}

/** How frames become events; tracking/Tracker.kt says what each rule does. */
@Serializable
data class TrackingSpec(
    val threshold: Double = 0.5,
    @SerialName("class_thresholds") val classThresholds: Map<String, Double> = emptyMap(),
    @SerialName("release_ratio") val releaseRatio: Double = 0.8,
    @SerialName("unify_deg") val unifyDeg: Double = 15.0,
    @SerialName("gate_deg") val gateDeg: Double = 40.0,
    @SerialName("max_gap_frames") val maxGapFrames: Int = 2,
    @SerialName("min_frames") val minFrames: Int = 2,
    @SerialName("motion_frames") val motionFrames: Int = 5,
    @SerialName("smooth_frames") val smoothFrames: Int = 5,
) {
    init {
        val thresholds = classThresholds.values + threshold
        require(thresholds.all { it > 0.0 && it < 1.0 }) { "tracking thresholds lie between 0 and 1, got $thresholds" }
        require(releaseRatio > 0.0 && releaseRatio <= 1.0) { "tracking.release_ratio must lie in (0, 1], got $releaseRatio" }
        require(unifyDeg in 0.0..180.0) { "tracking.unify_deg must lie in [0, 180], got $unifyDeg" }
        require(gateDeg > 0.0 && gateDeg <= 180.0) { "tracking.gate_deg must lie in (0, 180], got $gateDeg" }
        require(maxGapFrames >= 0 && minFrames >= 1 && motionFrames >= 1 && smoothFrames >= 1) { "tracking counts frames from 0 or 1 on" }
        require(smoothFrames % 2 == 1) { "tracking.smooth_frames must be odd, got $smoothFrames" }
    }

    /** Activation threshold of each class, in the order given. */
    fun thresholds(classes: List<String>): List<Double> = classes.map { classThresholds[it] ?: threshold }
}
