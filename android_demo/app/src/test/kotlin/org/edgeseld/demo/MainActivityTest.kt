package org.edgeseld.demo

import android.Manifest
import android.view.View
import android.widget.Button
import android.widget.SeekBar
import android.widget.Spinner
import android.widget.TextView
import org.edgeseld.core.present.CLOUD_TEACHER
import org.edgeseld.core.present.DemoEvent
import org.edgeseld.core.present.Phase
import org.edgeseld.core.present.Problem
import org.edgeseld.core.present.Sound
import org.junit.Assert.assertEquals
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowDialog

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "w360dp-h740dp-xhdpi")
class MainActivityTest {
    private val controller = Robolectric.buildActivity(MainActivity::class.java).setup()
    private val activity get() = controller.get()

    private fun status() = activity.findViewById<TextView>(R.id.status).text.toString()

    private fun press(id: Int) = activity.findViewById<Button>(id).performClick()

    @Test
    fun `the microphone is used only after a permission, and a refusal is explained`() {
        activity.session.dispatch(DemoEvent.SoundChosen(Sound.Microphone))
        press(R.id.start)
        assertEquals(Manifest.permission.RECORD_AUDIO, shadowOf(activity).lastRequestedPermission.requestedPermissions.single())
        activity.onRequestPermissionsResult(1, arrayOf(Manifest.permission.RECORD_AUDIO), intArrayOf(-1))
        assertEquals(Problem.Kind.NO_PERMISSION, activity.session.state.problem?.kind)
        assertTrue(status().contains("permission"))
    }

    @Test
    fun `a rotation keeps the session and what was heard`() {
        val session = activity.session
        activity.show(MadeUpState.listening())
        controller.recreate()
        assertSame(session, activity.session)
    }

    @Test
    fun `what is drawn is also said`() {
        activity.show(MadeUpState.listening())
        val radar = activity.findViewById<View>(R.id.radar).contentDescription.toString()
        assertTrue(radar, radar.contains("bell, 45° right, 35° up, ± 5°"))
        val timeline = activity.findViewById<View>(R.id.timeline).contentDescription.toString()
        assertTrue(timeline, timeline.contains("Loudest"))
    }

    @Test
    fun `sliders choose passes`() {
        activity.findViewById<SeekBar>(R.id.samples).run { progress = 0 }
        activity.session.dispatch(DemoEvent.SamplesChosen(0))
        activity.session.dispatch(DemoEvent.ShiftsChosen(3))
        assertEquals("No Monte Carlo samples", activity.findViewById<TextView>(R.id.samples_label).text.toString())
        assertEquals("3 time shifts", activity.findViewById<TextView>(R.id.shifts_label).text.toString())
    }

    @Test
    fun `the cloud teacher stands below the models, and wants an address`() {
        val chooser = activity.findViewById<Spinner>(R.id.model)
        assertEquals("Cloud teacher", chooser.adapter.getItem(chooser.count - 1))
        chooser.setSelection(chooser.count - 1)
        shadowOf(activity.mainLooper).idle()
        assertEquals(CLOUD_TEACHER, activity.session.state.model)
        assertTrue(ShadowDialog.getLatestDialog().isShowing)
        press(R.id.start)
        assertTrue(status(), status().contains("no address"))
    }

    @Test
    fun `a scene that no server hears is a problem of the network`() {
        activity.session.dispatch(DemoEvent.CloudChosen("http://127.0.0.1:9"))
        activity.session.dispatch(DemoEvent.ModelChosen(CLOUD_TEACHER))
        press(R.id.start)
        val deadline = System.nanoTime() + 60_000_000_000L
        while (activity.session.state.phase == Phase.PREPARING && System.nanoTime() < deadline) {
            Thread.sleep(20)
            shadowOf(activity.mainLooper).idle()
        }
        assertEquals(Problem.Kind.NETWORK, activity.session.state.problem?.kind)
    }

    @Test
    fun `a released bundle hears the bundled scene`() {
        activity.session.dispatch(DemoEvent.SamplesChosen(0))
        press(R.id.start)
        val deadline = System.nanoTime() + 300_000_000_000L
        while (activity.session.state.phase == Phase.PREPARING || activity.session.state.phase == Phase.LISTENING) {
            check(System.nanoTime() < deadline) { "the scene was not heard in five minutes" }
            Thread.sleep(20)
            shadowOf(activity.mainLooper).idle()
        }
        assertEquals(null, activity.session.state.problem)
        assertTrue(activity.session.state.timeline.frames > 0)
    }

    @Test
    fun `leaving the screen stops everything`() {
        controller.pause().stop()
        assertEquals(Phase.IDLE, activity.session.state.phase)
    }
}
