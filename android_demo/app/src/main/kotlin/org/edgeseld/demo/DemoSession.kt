package org.edgeseld.demo

import android.Manifest
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.content.pm.PackageManager
import android.os.BatteryManager
import android.os.Handler
import android.os.Looper
import java.util.concurrent.Executors
import org.edgeseld.core.fallback.CircuitBreaker
import org.edgeseld.core.fallback.WindowAsker
import org.edgeseld.core.present.Battery
import org.edgeseld.core.present.CloudException
import org.edgeseld.core.present.DemoEffect
import org.edgeseld.core.present.DemoEvent
import org.edgeseld.core.present.DemoState
import org.edgeseld.core.present.Phase
import org.edgeseld.core.present.Problem
import org.edgeseld.core.present.SCENE_TIMEOUT_MS
import org.edgeseld.core.present.WINDOW_TIMEOUT_MS
import org.edgeseld.core.present.advance
import org.edgeseld.core.present.askCloud
import org.edgeseld.core.signal.writeWav

private const val FRAME_MS = 100L
private const val BATTERY_MS = 10_000L

/** What an activity must do for the session. */
interface Screen {
    fun show(state: DemoState)

    fun askPermission()
}

/** The demo apart from its screen: it outlives rotations. All calls come from the main thread. */
class DemoSession(private val context: Context) {
    private val handler = Handler(Looper.getMainLooper())
    private val play = Runnable(::playFrame)
    private val battery = Runnable(::readBattery)
    private val store = ModelStore(context)
    private val breaker = CircuitBreaker()
    private val cloud = Executors.newSingleThreadExecutor { Thread(it, "cloud").apply { isDaemon = true } }
    private var listener: Listener? = null
    private var screen: Screen? = null

    /** Counts starts and stops, so that an answer is known to belong to the present one. */
    private var turn = 0
    var state = DemoState(models = store.models(), scenes = store.scenes())
        private set

    /** The screen that shows the state from now on; null while there is none. */
    fun attach(shown: Screen?) {
        screen = shown
        handler.removeCallbacks(play)
        handler.removeCallbacks(battery)
        if (shown == null) return
        shown.show(state)
        readBattery()
        if (state.phase == Phase.PLAYING) handler.postDelayed(play, FRAME_MS)
    }

    fun dispatch(event: DemoEvent) {
        val step = advance(state, event, mayRecord())
        val begins = step.state.phase == Phase.PLAYING && state.phase != Phase.PLAYING
        state = step.state
        step.effects.forEach(::perform)
        screen?.show(state)
        if (begins) handler.postDelayed(play, FRAME_MS)
    }

    private fun perform(effect: DemoEffect) {
        when (effect) {
            DemoEffect.AskPermission -> screen?.askPermission()
            DemoEffect.StopListening -> stop()
            is DemoEffect.Listen -> listen(effect)
            is DemoEffect.HearInCloud -> hear(effect)
            is DemoEffect.AskCloud -> ask(effect)
            is DemoEffect.AskWindows -> ask(effect)
        }
    }

    private fun listen(task: DemoEffect.Listen) {
        stop()
        lateinit var started: Listener
        // What a listener reports after it was replaced is dropped.
        started = Listener(context, task) { event -> handler.post { if (listener === started) dispatch(event) } }
        listener = started
        started.start()
    }

    private fun stop() {
        listener?.stop()
        listener = null
        turn++
    }

    private fun hear(question: DemoEffect.HearInCloud) {
        stop()
        inBackground {
            try {
                val start = System.nanoTime()
                val answer = askCloud(question.address, store.sceneBytes(question.scene), question.passes, SCENE_TIMEOUT_MS)
                DemoEvent.CloudHeard(answer, (System.nanoTime() - start) / 1e6)
            } catch (error: CloudException) {
                DemoEvent.Failed(Problem(Problem.Kind.NETWORK, error.message ?: ""))
            }
        }
    }

    private fun ask(question: DemoEffect.AskCloud) = inBackground {
        try {
            DemoEvent.CloudAnswered(askCloud(question.address, store.sceneBytes(question.scene), question.passes, SCENE_TIMEOUT_MS).events)
        } catch (error: CloudException) {
            DemoEvent.CloudFailed(error.message ?: "")
        }
    }

    private fun ask(question: DemoEffect.AskWindows) = inBackground {
        val asker = WindowAsker(breaker, { System.nanoTime() / 1e9 }) { audio ->
            askCloud(question.address, writeWav(audio), question.passes, WINDOW_TIMEOUT_MS).events
        }
        val audio = store.scene(question.scene)
        DemoEvent.WindowsAnswered(question.doubtful.windows.map { asker.answer(audio, it, question.doubtful.contextFrames) })
    }

    /** One question after the other. What was asked about another scene or an earlier start comes too late. */
    private fun inBackground(work: () -> DemoEvent) {
        val asked = turn
        cloud.execute {
            val answer = work()
            handler.post { if (turn == asked) dispatch(answer) }
        }
    }

    private fun playFrame() {
        if (state.phase != Phase.PLAYING) return
        dispatch(DemoEvent.FramePlayed)
        handler.postDelayed(play, FRAME_MS)
    }

    private fun readBattery() {
        val status = context.registerReceiver(null, IntentFilter(Intent.ACTION_BATTERY_CHANGED))
        val percent = context.getSystemService(BatteryManager::class.java).getIntProperty(BatteryManager.BATTERY_PROPERTY_CAPACITY)
        if (status != null) dispatch(DemoEvent.BatteryRead(Battery(percent, status.getIntExtra(BatteryManager.EXTRA_TEMPERATURE, 0) / 10.0)))
        handler.postDelayed(battery, BATTERY_MS)
    }

    private fun mayRecord(): Boolean = context.checkSelfPermission(Manifest.permission.RECORD_AUDIO) == PackageManager.PERMISSION_GRANTED
}
