package org.edgeseld.core.tracking

import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable

/** Where the source is in one label frame; null angles for a model without directions. The schema is docs/events.schema.json. */
@Serializable
data class TrajectoryPoint(
    @SerialName("time_s") val timeS: Double,
    val activity: Double,
    @SerialName("azimuth_deg") val azimuthDeg: Double? = null,
    @SerialName("elevation_deg") val elevationDeg: Double? = null,
    @SerialName("distance_m") val distanceM: Double? = null,
)

/** Means over the frames of the event. */
@Serializable
data class EventUncertainty(
    @SerialName("activity_std") val activityStd: Double,
    val entropy: Double,
    @SerialName("mutual_information") val mutualInformation: Double,
    @SerialName("direction_spread_deg") val directionSpreadDeg: Double?,
    @SerialName("mc_samples") val mcSamples: Int,
    @SerialName("time_shifts") val timeShifts: Int,
)

/** How sure one frame is; the spread is null where nothing is active. */
@Serializable
data class FrameUncertainty(
    @SerialName("activity_std") val activityStd: Double,
    val entropy: Double,
    @SerialName("mutual_information") val mutualInformation: Double,
    @SerialName("direction_spread_deg") val directionSpreadDeg: Double?,
)

/** An event in one label frame, as a stream reports it. */
@Serializable
data class Detection(
    @SerialName("time_s") val timeS: Double,
    @SerialName("class_name") val className: String,
    val track: Int,
    val activity: Double,
    @SerialName("azimuth_deg") val azimuthDeg: Double? = null,
    @SerialName("elevation_deg") val elevationDeg: Double? = null,
    @SerialName("distance_m") val distanceM: Double? = null,
    val uncertainty: FrameUncertainty? = null,
)

/** One sound: what, when, where along the way, and how sure. */
@Serializable
data class SeldEvent(
    @SerialName("class_name") val className: String,
    val track: Int,
    @SerialName("onset_s") val onsetS: Double,
    @SerialName("offset_s") val offsetS: Double,
    val score: Double,
    val trajectory: List<TrajectoryPoint>,
    val uncertainty: EventUncertainty? = null,
)

/** The JSON that infer, stream and the server print. */
@Serializable
data class EventList(
    val model: String,
    @SerialName("duration_s") val durationS: Double,
    val events: List<SeldEvent>,
    @SerialName("schema_version") val schemaVersion: Int = 1,
)
