package org.edgeseld.core.fallback

import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import org.edgeseld.core.ConfigException

/** Ways to measure doubt. */
@Serializable
enum class Measure {
    @SerialName("entropy") ENTROPY,
    @SerialName("mutual-information") MUTUAL_INFORMATION,
    @SerialName("direction-spread") DIRECTION_SPREAD,
    @SerialName("margin") MARGIN,
    @SerialName("switching") SWITCHING;

    /** As in policy.json. */
    val label: String get() = name.lowercase().replace('_', '-')
}

/**
 * When the device should ask the cloud (cloud/policy.py): windows whose doubt is above the threshold are sent, with context on
 * both sides. `edgeseld fallback --save-policy` writes it as policy.json.
 */
@Serializable
data class FallbackPolicy(
    val measure: Measure,
    val threshold: Double,
    @SerialName("window_frames") val windowFrames: Int,
    @SerialName("context_frames") val contextFrames: Int,
) {
    init {
        if (windowFrames < 1 || contextFrames < 0) {
            throw ConfigException("a policy has windows of 1 frame or more and no negative context, got $windowFrames and $contextFrames")
        }
    }

    /** Whether a window of this doubt goes to the cloud. */
    fun sends(doubt: Double): Boolean = doubt > threshold
}

/** A policy from the text of policy.json; ConfigException for anything else. */
fun readPolicy(text: String): FallbackPolicy = try {
    Json.decodeFromString(text)
} catch (error: SerializationException) {
    throw ConfigException("policy.json cannot be read (${error.message?.lineSequence()?.first()}): write it with `edgeseld fallback --save-policy`")
}
