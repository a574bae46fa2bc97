package org.edgeseld.demo

import android.Manifest
import android.app.Activity
import android.app.AlertDialog
import android.content.pm.PackageManager
import android.os.Bundle
import android.text.InputType
import android.view.View
import android.widget.AdapterView
import android.widget.ArrayAdapter
import android.widget.Button
import android.widget.EditText
import android.widget.SeekBar
import android.widget.Spinner
import android.widget.TextView
import org.edgeseld.core.present.CLOUD_TEACHER
import org.edgeseld.core.present.DemoEvent
import org.edgeseld.core.present.DemoState
import org.edgeseld.core.present.Sound

private const val RECORD = 1
private const val HEADLINE_SP = 24f

/** A problem takes sentences. */
private const val PROBLEM_SP = 17f

/** The one screen: it shows a state and reports what the user does; everything else is in the session and the presenter. */
class MainActivity : Activity(), Screen {
    lateinit var session: DemoSession
        private set
    private val words by lazy { Wording(resources) }
    private val sounds: List<Sound> get() = session.state.scenes.map { Sound.Scene(it) } + Sound.Microphone

    override fun onCreate(saved: Bundle?) {
        super.onCreate(saved)
        setContentView(R.layout.main)
        session = lastNonConfigurationInstance as? DemoSession ?: DemoSession(applicationContext)
        fillChoosers()
        connect()
        session.attach(this)
    }

    override fun onRetainNonConfigurationInstance(): Any = session

    override fun onStop() {
        super.onStop()
        if (!isChangingConfigurations) session.dispatch(DemoEvent.Hidden)
    }

    override fun onDestroy() {
        session.attach(null)
        super.onDestroy()
    }

    override fun askPermission() = requestPermissions(arrayOf(Manifest.permission.RECORD_AUDIO), RECORD)

    override fun onRequestPermissionsResult(code: Int, permissions: Array<String>, results: IntArray) {
        session.dispatch(DemoEvent.PermissionAnswered(results.firstOrNull() == PackageManager.PERMISSION_GRANTED))
    }

    override fun show(state: DemoState) {
        val status = text(R.id.status, words.status(state))
        status.setTextColor(getColor(if (state.problem == null) R.color.ink else R.color.alarm))
        status.textSize = if (state.problem == null) HEADLINE_SP else PROBLEM_SP
        findViewById<RadarView>(R.id.radar).marks = state.marks
        findViewById<TimelineView>(R.id.timeline).run {
            show(state.timeline, state.playedFrame)
            visibility = if (state.timeline.frames == 0) View.GONE else View.VISIBLE
        }
        text(R.id.events, eventRows(this, words, state.events, state.timeline.classes))
        text(R.id.readout, words.readout(state))
        text(R.id.agreement, words.agreement(state))
        text(R.id.samples_label, words.samples(state.mcSamples))
        text(R.id.shifts_label, words.shifts(state))
        findViewById<SeekBar>(R.id.samples).progress = state.mcSamples
        findViewById<SeekBar>(R.id.shifts).run {
            progress = (state.timeShifts - 1) / 2
            isEnabled = state.sound != Sound.Microphone
        }
        findViewById<Button>(R.id.start).setText(if (state.busy) R.string.stop else R.string.start)
    }

    /** Sets a text where it changed, so that screen readers are not interrupted; empty ones take no room. */
    private fun text(id: Int, value: CharSequence): TextView = findViewById<TextView>(id).apply {
        if (text.toString() != value.toString()) text = value
        visibility = if (value.isEmpty()) View.GONE else View.VISIBLE
    }

    private fun fillChoosers() {
        val models = words.models(session.state.models)
        val chosen = if (session.state.model == CLOUD_TEACHER) models.lastIndex else session.state.models.indexOf(session.state.model)
        chooser(R.id.model, models, chosen) { index ->
            choose(if (index == models.lastIndex) CLOUD_TEACHER else session.state.models.getOrNull(index) ?: return@chooser)
        }
        val names = session.state.scenes.map(words::scene) + getString(R.string.microphone)
        chooser(R.id.sound, names, sounds.indexOf(session.state.sound)) { index ->
            if (sounds[index] != session.state.sound) session.dispatch(DemoEvent.SoundChosen(sounds[index]))
        }
    }

    private fun choose(model: String) {
        if (model == session.state.model) return
        session.dispatch(DemoEvent.ModelChosen(model))
        if (model == CLOUD_TEACHER && session.state.cloud == null) askAddress()
    }

    private fun chooser(id: Int, names: List<String>, chosen: Int, choose: (Int) -> Unit) = findViewById<Spinner>(id).run {
        adapter = ArrayAdapter(context, android.R.layout.simple_spinner_item, names).apply {
            setDropDownViewResource(android.R.layout.simple_spinner_dropdown_item)
        }
        setSelection(maxOf(chosen, 0))
        onItemSelectedListener = object : AdapterView.OnItemSelectedListener {
            override fun onItemSelected(parent: AdapterView<*>?, view: View?, index: Int, row: Long) = choose(index)

            override fun onNothingSelected(parent: AdapterView<*>?) = Unit
        }
    }

    private fun connect() {
        findViewById<Button>(R.id.start).setOnClickListener {
            session.dispatch(if (session.state.busy) DemoEvent.StopPressed else DemoEvent.StartPressed)
        }
        findViewById<Button>(R.id.cloud).setOnClickListener { askAddress() }
        onSlide(R.id.samples) { DemoEvent.SamplesChosen(it) }
        onSlide(R.id.shifts) { DemoEvent.ShiftsChosen(2 * it + 1) }
    }

    /** Reports where a slider is let go; passes that change while it slides would start anew each time. */
    private fun onSlide(id: Int, event: (Int) -> DemoEvent) {
        findViewById<SeekBar>(id).setOnSeekBarChangeListener(object : SeekBar.OnSeekBarChangeListener {
            private var sliding = false

            override fun onProgressChanged(bar: SeekBar, progress: Int, byUser: Boolean) {
                if (byUser && !sliding) session.dispatch(event(progress))
            }

            override fun onStartTrackingTouch(bar: SeekBar) {
                sliding = true
            }

            override fun onStopTrackingTouch(bar: SeekBar) {
                sliding = false
                session.dispatch(event(bar.progress))
            }
        })
    }

    private fun askAddress() {
        val address = EditText(this).apply {
            setText(session.state.cloud)
            hint = getString(R.string.cloud_address)
            inputType = InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_VARIATION_URI
        }
        AlertDialog.Builder(this).setTitle(R.string.cloud).setView(address)
            .setPositiveButton(R.string.cloud_use) { _, _ -> session.dispatch(DemoEvent.CloudChosen(address.text.toString())) }
            .setNegativeButton(R.string.cloud_off) { _, _ -> session.dispatch(DemoEvent.CloudChosen(null)) }
            .show()
    }
}
