package org.edgeseld.core.present

import org.edgeseld.core.drawing.Timeline
import org.edgeseld.core.drawing.compareEvents
import org.edgeseld.core.fallback.LabelWindow
import org.edgeseld.core.fallback.WindowAnswer
import org.edgeseld.core.hearing.Passes
import org.edgeseld.core.hearing.Prediction
import org.edgeseld.core.tracking.Detection
import org.edgeseld.core.tracking.EventList
import org.edgeseld.core.tracking.SeldEvent
import org.edgeseld.core.tracking.detectionsOf

/** What happens to the demo: what the user does, and what the listener and the device report. */
sealed interface DemoEvent {
    data class ModelChosen(val model: String) : DemoEvent
    data class SoundChosen(val sound: Sound) : DemoEvent
    data class SamplesChosen(val count: Int) : DemoEvent
    data class ShiftsChosen(val count: Int) : DemoEvent
    data class CloudChosen(val address: String?) : DemoEvent
    data object StartPressed : DemoEvent
    data object StopPressed : DemoEvent
    data class PermissionAnswered(val granted: Boolean) : DemoEvent

    /** The screen is gone: the microphone is given back at once. */
    data object Hidden : DemoEvent
    data class ModelReady(val classes: List<String>) : DemoEvent
    data class FramesHeard(val prediction: Prediction, val detections: List<Detection>, val readout: Readout, val level: Float) : DemoEvent
    data class EventsClosed(val events: List<SeldEvent>) : DemoEvent

    /** A scene is heard; its sound plays from now on, a frame a tick. `doubtful` windows are to be asked about, null: all of it. */
    data class SceneHeard(val doubtful: Doubtful? = null) : DemoEvent
    data object FramePlayed : DemoEvent

    /** A server heard the scene in place of the device, in `askedMs` with the way there and back. */
    data class CloudHeard(val answer: EventList, val askedMs: Double) : DemoEvent
    data class CloudAnswered(val events: List<SeldEvent>) : DemoEvent
    data class WindowsAnswered(val answers: List<WindowAnswer>) : DemoEvent
    data class CloudFailed(val detail: String) : DemoEvent
    data class Failed(val problem: Problem) : DemoEvent
    data class BatteryRead(val battery: Battery) : DemoEvent
}

/** Windows in which the device is not sure enough of itself, and the label frames of context that go with each. */
data class Doubtful(val windows: List<LabelWindow>, val contextFrames: Int)

/** What the presenter asks the device for. */
sealed interface DemoEffect {
    data object AskPermission : DemoEffect
    data class Listen(val model: String, val sound: Sound, val passes: Passes) : DemoEffect
    data object StopListening : DemoEffect
    data class HearInCloud(val address: String, val scene: String, val passes: Passes) : DemoEffect
    data class AskCloud(val address: String, val scene: String, val passes: Passes) : DemoEffect
    data class AskWindows(val address: String, val scene: String, val passes: Passes, val doubtful: Doubtful) : DemoEffect
}

data class Step(val state: DemoState, val effects: List<DemoEffect> = emptyList())

private const val MOST_EVENTS = 200

/** The demo as a state machine: the next state, and what to do; it knows no Android. `mayRecord` is the permission now. */
fun advance(state: DemoState, event: DemoEvent, mayRecord: Boolean): Step = when (event) {
    is DemoEvent.ModelChosen -> stopped(state.copy(model = event.model, timeline = Timeline.empty(emptyList()), events = emptyList(), readout = null))
    is DemoEvent.SoundChosen -> stopped(state.copy(sound = event.sound))
    is DemoEvent.SamplesChosen -> restarted(state.copy(mcSamples = event.count), event.count != state.mcSamples)
    is DemoEvent.ShiftsChosen -> restarted(state.copy(timeShifts = event.count), event.count != state.timeShifts)
    is DemoEvent.CloudChosen -> Step(state.copy(cloud = event.address?.takeIf { it.isNotBlank() }, agreement = null, fallback = null))
    DemoEvent.StartPressed -> started(state, mayRecord)
    DemoEvent.StopPressed, DemoEvent.Hidden -> stopped(state)
    is DemoEvent.PermissionAnswered -> permitted(state, event.granted)
    is DemoEvent.BatteryRead -> Step(state.copy(battery = event.battery))
    is DemoEvent.CloudAnswered -> Step(state.copy(agreement = compareEvents(state.events, event.events)))
    is DemoEvent.WindowsAnswered -> Step(fallenBack(state, event.answers))
    is DemoEvent.CloudFailed -> Step(state.copy(problem = Problem(Problem.Kind.NETWORK, event.detail)))
    is DemoEvent.Failed -> if (state.busy) Step(state.copy(phase = Phase.IDLE, problem = event.problem), listOf(DemoEffect.StopListening)) else Step(state)
    is DemoEvent.ModelReady, is DemoEvent.FramesHeard, is DemoEvent.EventsClosed, is DemoEvent.SceneHeard, is DemoEvent.CloudHeard,
    DemoEvent.FramePlayed ->
        // What a stopped listener still reports is too late.
        if (state.busy) heard(state, event) else Step(state)
}

private fun started(state: DemoState, mayRecord: Boolean): Step {
    val model = state.model
    return when {
        state.busy -> Step(state)
        model == null -> Step(state.copy(problem = Problem(Problem.Kind.NO_MODEL)))
        state.sound == Sound.Microphone && model != CLOUD_TEACHER && !mayRecord ->
            Step(state.copy(phase = Phase.ASKING_PERMISSION, problem = null), listOf(DemoEffect.AskPermission))
        else -> listening(state, model)
    }
}

private fun listening(state: DemoState, model: String): Step {
    val sound = state.sound
    val effect = when {
        model != CLOUD_TEACHER -> DemoEffect.Listen(model, sound, state.passes)
        sound !is Sound.Scene -> return refused(state, Problem.Kind.LIVE_CLOUD)
        else -> DemoEffect.HearInCloud(state.cloud ?: return refused(state, Problem.Kind.NO_CLOUD), sound.name, state.passes)
    }
    val next = state.copy(
        phase = Phase.PREPARING, problem = null, agreement = null, fallback = null, readout = null, events = emptyList(), playedFrame = 0, level = 0f,
        timeline = Timeline.empty(emptyList()),
    )
    return Step(next, listOf(effect))
}

private fun refused(state: DemoState, kind: Problem.Kind): Step = Step(state.copy(phase = Phase.IDLE, problem = Problem(kind)))

private fun permitted(state: DemoState, granted: Boolean): Step {
    val model = state.model
    return when {
        state.phase != Phase.ASKING_PERMISSION || model == null -> Step(state)
        granted -> listening(state, model)
        else -> refused(state, Problem.Kind.NO_PERMISSION)
    }
}

private fun stopped(state: DemoState): Step =
    Step(state.copy(phase = Phase.IDLE, level = 0f), if (state.busy) listOf(DemoEffect.StopListening) else emptyList())

/** Other passes take effect at once. */
private fun restarted(state: DemoState, changed: Boolean): Step {
    val model = state.model
    if (!changed || !state.busy || state.phase == Phase.ASKING_PERMISSION || model == null) return Step(state)
    val next = listening(state, model)
    return next.copy(effects = listOf(DemoEffect.StopListening) + next.effects)
}

private fun heard(state: DemoState, event: DemoEvent): Step = when (event) {
    is DemoEvent.ModelReady -> Step(state.copy(phase = Phase.LISTENING, timeline = Timeline.empty(event.classes)))
    is DemoEvent.FramesHeard -> {
        val timeline = state.timeline.plus(event.prediction, event.detections)
        val newest = if (state.sound == Sound.Microphone) timeline.lastFrame else state.playedFrame
        Step(state.copy(timeline = timeline, playedFrame = newest, readout = event.readout, level = event.level))
    }
    is DemoEvent.EventsClosed -> Step(state.copy(events = (state.events + event.events).takeLast(MOST_EVENTS)))
    is DemoEvent.SceneHeard -> Step(state.copy(phase = Phase.PLAYING, playedFrame = 0), cloudQuestion(state, event.doubtful))
    is DemoEvent.CloudHeard -> Step(heardInCloud(state, event))
    DemoEvent.FramePlayed -> when {
        state.phase != Phase.PLAYING -> Step(state)
        state.playedFrame >= state.timeline.lastFrame -> Step(state.copy(phase = Phase.IDLE))
        else -> Step(state.copy(playedFrame = state.playedFrame + 1))
    }
    else -> Step(state)
}

private fun heardInCloud(state: DemoState, heard: DemoEvent.CloudHeard): DemoState {
    val answer = heard.answer
    val frames = framesOf(answer)
    return state.copy(
        phase = Phase.PLAYING, playedFrame = 0, events = answer.events, readout = Readout(answer.model, heard.askedMs, answer.durationS),
        timeline = Timeline.empty(frames.classes).plus(frames, detectionsOf(answer.events, 0)),
    )
}

private fun cloudQuestion(state: DemoState, doubtful: Doubtful?): List<DemoEffect> {
    val scene = state.sound as? Sound.Scene
    val address = state.cloud
    return when {
        scene == null || address == null -> emptyList()
        doubtful == null -> listOf(DemoEffect.AskCloud(address, scene.name, state.passes))
        else -> listOf(DemoEffect.AskWindows(address, scene.name, state.passes, doubtful))
    }
}

/** The cloud's sources in the windows that it answered; everywhere else the device's stand. */
private fun fallenBack(state: DemoState, answers: List<WindowAnswer>): DemoState {
    val timeline = answers.fold(state.timeline) { before, (window, heard) -> if (heard == null) before else before.heardAnew(window.first, window.last, heard) }
    val trouble = answers.firstNotNullOfOrNull { it.trouble }
    return state.copy(
        timeline = timeline,
        fallback = Fallback(answers.size, answers.count { it.heard != null }),
        problem = trouble?.let { Problem(Problem.Kind.NETWORK, it) } ?: state.problem,
    )
}
