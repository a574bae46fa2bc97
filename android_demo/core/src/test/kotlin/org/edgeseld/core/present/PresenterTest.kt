package org.edgeseld.core.present

import org.edgeseld.core.fallback.LabelWindow
import org.edgeseld.core.fallback.WindowAnswer
import org.edgeseld.core.hearing.Passes
import org.edgeseld.core.hearing.Prediction
import org.edgeseld.core.tracking.Detection
import org.edgeseld.core.tracking.EventList
import org.edgeseld.core.tracking.SeldEvent
import org.edgeseld.core.tracking.TrajectoryPoint
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test

class PresenterTest {
    private val idle = DemoState(models = listOf("a.seld", "b.seld"), scenes = listOf("s.wav"))
    private val live = idle.copy(sound = Sound.Microphone, timeShifts = 5)
    private val frames = Prediction(2, 1, listOf("bell"), floatArrayOf(0.2f, 0.9f), FloatArray(6))
    private val heard = DemoEvent.FramesHeard(frames, listOf(Detection(0.1, "bell", 0, 0.9, 30.0, 0.0)), Readout("x", 5.0, 0.2), 0.1f)

    private fun after(state: DemoState, vararg events: DemoEvent, mayRecord: Boolean = true): Step =
        events.fold(Step(state)) { step, event -> advance(step.state, event, mayRecord) }

    private fun event(azimuthDeg: Double, onsetS: Double = 0.0) =
        SeldEvent("bell", 0, onsetS, onsetS + 1.0, 0.9, listOf(TrajectoryPoint(onsetS, 0.9, azimuthDeg, 0.0)))

    @Test
    fun `a scene is prepared, heard, played to its end`() {
        val started = after(idle, DemoEvent.StartPressed)
        assertEquals(Phase.PREPARING, started.state.phase)
        assertEquals(listOf(DemoEffect.Listen("a.seld", Sound.Scene("s.wav"), Passes(10, 1))), started.effects)
        val played = after(started.state, DemoEvent.ModelReady(listOf("bell")), heard, DemoEvent.SceneHeard()).state
        assertEquals(Phase.PLAYING, played.phase)
        assertEquals(0, played.marks.size)
        val second = after(played, DemoEvent.FramePlayed).state
        assertEquals("bell", second.marks.single().className)
        assertEquals(Phase.IDLE, after(second, DemoEvent.FramePlayed).state.phase)
    }

    @Test
    fun `the microphone needs a permission, and has no time shifts`() {
        val asked = after(live, DemoEvent.StartPressed, mayRecord = false)
        assertEquals(listOf(DemoEffect.AskPermission), asked.effects)
        val granted = after(asked.state, DemoEvent.PermissionAnswered(true))
        assertEquals(listOf(DemoEffect.Listen("a.seld", Sound.Microphone, Passes(10, 1))), granted.effects)
        val refused = after(asked.state, DemoEvent.PermissionAnswered(false)).state
        assertEquals(Phase.IDLE to Problem.Kind.NO_PERMISSION, refused.phase to refused.problem?.kind)
    }

    @Test
    fun `live frames move the radar on`() {
        val state = after(live, DemoEvent.StartPressed, DemoEvent.ModelReady(listOf("bell")), heard).state
        assertEquals(1, state.playedFrame)
        assertEquals(30.0, state.marks.single().azimuthDeg)
        assertEquals(0.025, state.readout!!.realTimeFactor, 1e-12)
    }

    @Test
    fun `hiding the screen gives the microphone back, and what comes late is dropped`() {
        val listening = after(live, DemoEvent.StartPressed, DemoEvent.ModelReady(listOf("bell"))).state
        val hidden = after(listening, DemoEvent.Hidden)
        assertEquals(listOf(DemoEffect.StopListening), hidden.effects)
        assertSame(hidden.state, after(hidden.state, heard).state)
        assertNull(after(hidden.state, DemoEvent.Failed(Problem(Problem.Kind.AUDIO))).state.problem)
    }

    @Test
    fun `other passes start anew at once, the same ones do not`() {
        val listening = after(live, DemoEvent.StartPressed, DemoEvent.ModelReady(listOf("bell"))).state
        assertEquals(emptyList<DemoEffect>(), after(listening, DemoEvent.SamplesChosen(10)).effects)
        val effects = after(listening, DemoEvent.SamplesChosen(3)).effects
        assertEquals(listOf(DemoEffect.StopListening, DemoEffect.Listen("a.seld", Sound.Microphone, Passes(3, 1))), effects)
    }

    @Test
    fun `a failure stops and is shown until the next start`() {
        val failed = after(idle, DemoEvent.StartPressed, DemoEvent.Failed(Problem(Problem.Kind.MODEL, "broken")))
        assertEquals("broken" to Phase.IDLE, failed.state.problem?.detail to failed.state.phase)
        assertNull(after(failed.state, DemoEvent.StartPressed).state.problem)
    }

    @Test
    fun `no model, no hearing`() {
        val step = after(idle.copy(models = emptyList(), model = null), DemoEvent.StartPressed)
        assertEquals(Problem.Kind.NO_MODEL, step.state.problem?.kind)
        assertEquals(emptyList<DemoEffect>(), step.effects)
    }

    @Test
    fun `the cloud hears the same scene, and is compared`() {
        val asked = after(
            idle, DemoEvent.CloudChosen("http://here"), DemoEvent.StartPressed, DemoEvent.ModelReady(listOf("bell")), heard,
            DemoEvent.EventsClosed(listOf(event(30.0), event(0.0, onsetS = 5.0))), DemoEvent.SceneHeard(),
        )
        assertEquals(listOf(DemoEffect.AskCloud("http://here", "s.wav", Passes(10, 1))), asked.effects)
        val agreement = after(asked.state, DemoEvent.CloudAnswered(listOf(event(40.0)))).state.agreement!!
        assertEquals(listOf(2, 1, 1), listOf(agreement.ours, agreement.theirs, agreement.shared))
        assertEquals(10.0, agreement.angleDeg!!, 1e-9)
        assertEquals(Problem.Kind.NETWORK, after(asked.state, DemoEvent.CloudFailed("none")).state.problem?.kind)
    }

    @Test
    fun `the cloud is asked about doubtful windows, and the device's answer stands where none comes`() {
        val doubtful = Doubtful(listOf(LabelWindow(0, 1), LabelWindow(1, 2)), contextFrames = 10)
        val asked = after(
            idle, DemoEvent.CloudChosen("http://here"), DemoEvent.StartPressed, DemoEvent.ModelReady(listOf("bell")), heard, DemoEvent.SceneHeard(doubtful),
        )
        assertEquals(listOf(DemoEffect.AskWindows("http://here", "s.wav", Passes(10, 1), doubtful)), asked.effects)
        val other = Detection(0.0, "bell", 3, 0.8, -90.0, 0.0)
        val answers = listOf(WindowAnswer(LabelWindow(0, 1), listOf(other)), WindowAnswer(LabelWindow(1, 2), null, "too late"))
        val state = after(asked.state, DemoEvent.WindowsAnswered(answers)).state
        assertEquals(listOf(other), state.timeline.detections[0])
        assertEquals(30.0, state.timeline.detections.getValue(1).single().azimuthDeg)
        assertEquals(Fallback(doubtful = 2, answered = 1) to "too late", state.fallback to state.problem?.detail)
        val silent = after(asked.state, DemoEvent.WindowsAnswered(listOf(WindowAnswer(LabelWindow(1, 2), emptyList())))).state
        assertNull(silent.timeline.detections[1])
    }

    @Test
    fun `the cloud teacher hears a scene in place of the device`() {
        val asked = after(idle, DemoEvent.CloudChosen("http://here"), DemoEvent.ModelChosen(CLOUD_TEACHER), DemoEvent.StartPressed)
        assertEquals(listOf(DemoEffect.HearInCloud("http://here", "s.wav", Passes(10, 1))), asked.effects)
        val answer = EventList("teacher-m", 0.3, listOf(event(30.0, onsetS = 0.1)))
        val playing = after(asked.state, DemoEvent.CloudHeard(answer, 60.0)).state
        assertEquals(Phase.PLAYING to answer.events, playing.phase to playing.events)
        assertEquals(listOf(0f, 0.9f, 0f), playing.timeline.activity.map { it.single() })
        assertEquals(30.0, after(playing, DemoEvent.FramePlayed).state.marks.single().azimuthDeg)
        assertEquals("teacher-m" to 0.2, playing.readout!!.runtime to playing.readout.realTimeFactor)
        val stopped = after(asked.state, DemoEvent.StopPressed).state
        assertSame(stopped, after(stopped, DemoEvent.CloudHeard(answer, 60.0)).state)
    }

    @Test
    fun `the cloud teacher needs an address, and hears no live sound`() {
        val nowhere = after(idle, DemoEvent.ModelChosen(CLOUD_TEACHER), DemoEvent.StartPressed)
        assertEquals(Problem.Kind.NO_CLOUD to emptyList<DemoEffect>(), nowhere.state.problem?.kind to nowhere.effects)
        val live = after(live.copy(cloud = "http://here"), DemoEvent.ModelChosen(CLOUD_TEACHER), DemoEvent.StartPressed, mayRecord = false)
        assertEquals(Problem.Kind.LIVE_CLOUD to emptyList<DemoEffect>(), live.state.problem?.kind to live.effects)
        assertEquals(Phase.IDLE, live.state.phase)
    }

    @Test
    fun `a server that is not there is an error in one line`() {
        val error = assertThrows(CloudException::class.java) { askCloud("http://127.0.0.1:9", ByteArray(4), Passes(), 1_000) }
        assertEquals(true, error.message!!.contains("cannot be reached"))
        assertThrows(CloudException::class.java) { askCloud("not an address", ByteArray(4), Passes(), 1_000) }
    }
}
