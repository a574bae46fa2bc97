package org.edgeseld.core.bundle

import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable

const val SCHEMA_VERSION = 1
const val MANIFEST_FILE = "manifest.json"
const val GOLDEN_FILE = "golden.safetensors"
const val SUMS_FILE = "SHA256SUMS"

private val IDENTIFIER = Regex("[a-z0-9][a-z0-9.-]{0,63}")
private val VERSION = Regex("\\d+\\.\\d+\\.\\d+")
private val HASH = Regex("[0-9a-f]{64}")

@Serializable
enum class Target {
    @SerialName("onnx") ONNX,
    @SerialName("tflite") TFLITE,
    @SerialName("executorch") EXECUTORCH,
    @SerialName("coreml") COREML,
}

@Serializable
enum class Precision {
    @SerialName("fp32") FP32,
    @SerialName("fp16") FP16,
    @SerialName("int8-dynamic") INT8_DYNAMIC,
    @SerialName("int8") INT8,
    @SerialName("palette") PALETTE,
}

/** What a graph is for; edgeseld/core/manifest.py explains each. */
@Serializable
enum class Role {
    @SerialName("full") FULL,
    @SerialName("trunk") TRUNK,
    @SerialName("head") HEAD,
    @SerialName("frontend") FRONTEND,
    @SerialName("encoder") ENCODER,
    @SerialName("stream") STREAM;

    val label: String get() = name.lowercase()
}

@Serializable
enum class InputKind {
    @SerialName("waveform") WAVEFORM,
    @SerialName("features") FEATURES,
}

@Serializable
enum class OutputFormat {
    @SerialName("multi-accdoa") MULTI_ACCDOA,
    @SerialName("accdoa") ACCDOA,
    @SerialName("sed-doa") SED_DOA,
    @SerialName("sed") SED,
}

@Serializable
enum class TensorType {
    @SerialName("float32") FLOAT32,
    @SerialName("int8") INT8,
    @SerialName("uint8") UINT8,
}

@Serializable
enum class Generator {
    @SerialName("philox4x32-10") PHILOX_4X32_10,
}

/** One input or output; scale and zero point where it is quantised. */
@Serializable
data class TensorSpec(
    val name: String,
    val shape: List<Int>,
    val meaning: String,
    val dtype: TensorType = TensorType.FLOAT32,
    val scale: Double? = null,
    @SerialName("zero_point") val zeroPoint: Int? = null,
) {
    init {
        require(shape.all { it >= 1 }) { "the shape of $name must be positive, got $shape" }
    }
}

/** One graph: its file, the entry point inside it, and its tensors in order. */
@Serializable
data class GraphSpec(
    val file: String,
    val entry: String? = null,
    val inputs: List<TensorSpec>,
    val outputs: List<TensorSpec>,
)

/** One dropout site; its place in the list is its number in the counter of the generator. */
@Serializable
data class MaskSiteSpec(val name: String, val channels: Int, val rate: Double) {
    init {
        require(channels >= 1 && rate >= 0.0 && rate < 1.0) { "site $name needs channels >= 1 and a rate in [0, 1), got $channels, $rate" }
    }
}

/** Masks of the head graph, which takes `chunkSamples` samples per call. */
@Serializable
data class MonteCarloSpec(
    val sites: List<MaskSiteSpec>,
    @SerialName("chunk_samples") val chunkSamples: Int,
    val generator: Generator = Generator.PHILOX_4X32_10,
) {
    init {
        require(chunkSamples >= 1) { "chunk_samples must be at least 1, got $chunkSamples" }
    }
}

/** The activity p of every pass becomes sigmoid(logit(p) / temperature + bias) of its class. */
@Serializable
data class CalibrationSpec(
    val data: String,
    val temperature: Map<String, Double>,
    val bias: Map<String, Double>,
    @SerialName("spread_factor") val spreadFactor: Double = 1.0,
) {
    init {
        require(spreadFactor > 0.0 && temperature.values.all { it > 0.0 }) { "temperatures and spread_factor must be positive" }
    }
}

/** How far the exported graph may stray from the float model. */
@Serializable
data class ToleranceSpec(
    @SerialName("raw_max") val rawMax: Double,
    @SerialName("raw_mean") val rawMean: Double,
    @SerialName("changed_frames") val changedFrames: Double,
    @SerialName("direction_deg") val directionDeg: Double,
)

/** Where the bundle comes from. */
@Serializable
data class ProvenanceSpec(
    @SerialName("sources_sha256") val sourcesSha256: String,
    @SerialName("weights_sha256") val weightsSha256: String,
    val tools: Map<String, String>,
) {
    init {
        require(HASH.matches(sourcesSha256) && HASH.matches(weightsSha256)) { "provenance holds SHA-256 hashes" }
    }
}

/** `manifest.json`: everything a device must know of a bundle. */
@Serializable
data class Manifest(
    val id: String,
    val signal: SignalSpec,
    @SerialName("context_samples") val contextSamples: Int,
    @SerialName("output_format") val outputFormat: OutputFormat,
    val classes: List<String>,
    val tracking: TrackingSpec,
    val input: InputKind = InputKind.WAVEFORM,
    val graphs: Map<Role, GraphSpec>,
    @SerialName("monte_carlo") val monteCarlo: MonteCarloSpec? = null,
    val calibration: CalibrationSpec? = null,
    @SerialName("schema_version") val schemaVersion: Int = SCHEMA_VERSION,
    val version: String,
    val description: String,
    val licence: String,
    val target: Target,
    val precision: Precision,
    val verified: Boolean,
    val tolerance: ToleranceSpec,
    val provenance: ProvenanceSpec,
) {
    init {
        require(IDENTIFIER.matches(id)) { "id must be lower case letters, digits, dots and hyphens, got $id" }
        require(VERSION.matches(version)) { "version must be three numbers, got $version" }
        require(contextSamples >= 0) { "context_samples must be 0 or more, got $contextSamples" }
    }

    /** Folder name without the suffix `.seld`. */
    val name: String get() = "$id-${target.label}-${precision.label}"

    /** The graph of a role, null where the bundle has none. */
    fun graph(role: Role): GraphSpec? = graphs[role]

    val streams: Boolean get() = Role.STREAM in graphs
}

private val Target.label get() = name.lowercase()
private val Precision.label get() = name.lowercase().replace('_', '-')
