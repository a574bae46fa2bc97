package org.edgeseld.demo

import android.content.res.Resources
import java.util.Locale
import kotlin.math.abs
import kotlin.math.roundToInt
import org.edgeseld.core.drawing.RadarMark
import org.edgeseld.core.present.CLOUD_TEACHER
import org.edgeseld.core.present.DemoState
import org.edgeseld.core.present.Phase
import org.edgeseld.core.present.Problem
import org.edgeseld.core.present.Sound

private const val AHEAD_DEG = 3

/** What the screen says, in the language of the resources. */
class Wording(private val resources: Resources) {
    private val separator = resources.getString(R.string.separator)

    fun className(name: String): String = name.replace('_', ' ')

    /** "student-s · int8-dynamic" of a bundle, all of which are for one runtime, or the cloud. */
    fun model(name: String): String =
        if (name == CLOUD_TEACHER) resources.getString(R.string.cloud_teacher) else name.substringBefore(".seld").replace("-tflite-", " · ")

    /** The entries of the chooser: bundles, or that there are none, and the cloud. */
    fun models(names: List<String>): List<String> =
        names.map(::model).ifEmpty { listOf(resources.getString(R.string.no_models)) } + model(CLOUD_TEACHER)

    /** "60° left, 20° up", as one would point. */
    fun direction(azimuthDeg: Double, elevationDeg: Double): String {
        val azimuth = azimuthDeg.roundToInt()
        val elevation = elevationDeg.roundToInt()
        val side = when {
            abs(azimuth) < AHEAD_DEG -> resources.getString(R.string.ahead)
            180 - abs(azimuth) < AHEAD_DEG -> resources.getString(R.string.behind)
            azimuth > 0 -> resources.getString(R.string.left, azimuth)
            else -> resources.getString(R.string.right, -azimuth)
        }
        val height = when {
            elevation > 0 -> resources.getString(R.string.up, elevation)
            elevation < 0 -> resources.getString(R.string.down, -elevation)
            else -> null
        }
        return listOfNotNull(side, height).joinToString(separator)
    }

    fun mark(mark: RadarMark): String {
        val spread = if (mark.spreadKnown) resources.getString(R.string.within, mark.spreadDeg.roundToInt()) else null
        return listOfNotNull(className(mark.className), direction(mark.azimuthDeg, mark.elevationDeg), spread).joinToString(separator)
    }

    fun radar(marks: List<RadarMark>): String = resources.getString(
        R.string.radar_says,
        if (marks.isEmpty()) resources.getString(R.string.silent) else marks.reversed().joinToString("; ", transform = ::mark),
    )

    fun status(state: DemoState): String = state.problem?.let(::problem) ?: when (state.phase) {
        Phase.IDLE -> if (state.events.isEmpty()) resources.getString(R.string.idle) else sources(state.events.size)
        Phase.ASKING_PERMISSION -> resources.getString(R.string.asking_permission)
        Phase.PREPARING -> resources.getString(R.string.preparing)
        Phase.LISTENING, Phase.PLAYING -> if (state.marks.isEmpty()) resources.getString(R.string.silent) else sources(state.marks.size)
    }

    private fun sources(count: Int) = resources.getQuantityString(R.plurals.hearing, count, count)

    private fun problem(problem: Problem): String = when (problem.kind) {
        Problem.Kind.NO_PERMISSION -> resources.getString(R.string.problem_permission)
        Problem.Kind.NO_MODEL -> resources.getString(R.string.problem_no_model)
        Problem.Kind.NO_CLOUD -> resources.getString(R.string.problem_no_cloud)
        Problem.Kind.LIVE_CLOUD -> resources.getString(R.string.problem_live_cloud)
        Problem.Kind.MODEL -> resources.getString(R.string.problem_model, problem.detail)
        Problem.Kind.AUDIO -> resources.getString(R.string.problem_audio, problem.detail)
        Problem.Kind.NETWORK -> resources.getString(R.string.problem_network, problem.detail)
    }

    fun samples(count: Int): String =
        if (count == 0) resources.getString(R.string.no_samples) else resources.getQuantityString(R.plurals.samples, count, count)

    fun shifts(state: DemoState): String = when {
        state.sound == Sound.Microphone -> resources.getString(R.string.shifts_not_live)
        state.timeShifts == 1 -> resources.getString(R.string.no_shifts)
        else -> resources.getQuantityString(R.plurals.shifts, state.timeShifts, state.timeShifts)
    }

    fun readout(state: DemoState): String {
        val heard = state.readout?.let { resources.getString(R.string.readout, it.runtime, it.hearingMs, it.audioS, 100 * it.realTimeFactor) }
        val battery = state.battery?.let { resources.getString(R.string.battery, it.percent, it.temperatureC) }
        return listOfNotNull(heard, battery).joinToString("\n")
    }

    /** What the cloud said: of the whole scene beside the device, or of doubtful windows in its place. */
    fun agreement(state: DemoState): String {
        state.fallback?.let { return resources.getString(R.string.fallback, it.doubtful, it.answered) }
        val found = state.agreement ?: return ""
        val angle = found.angleDeg?.let { resources.getString(R.string.agreement_angle, it) } ?: ""
        return resources.getString(R.string.agreement, found.ours, found.theirs, found.shared) + angle
    }

    /** The name of a scene's file without its ending. */
    fun scene(name: String): String = name.substringBeforeLast('.').replace('_', ' ').replaceFirstChar { it.titlecase(Locale.ROOT) }
}
