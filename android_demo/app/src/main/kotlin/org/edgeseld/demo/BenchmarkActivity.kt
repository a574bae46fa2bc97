package org.edgeseld.demo

import android.app.Activity
import android.os.Build
import android.os.Bundle
import android.util.Log
import android.widget.TextView
import java.io.File
import org.edgeseld.core.EdgeseldException
import org.edgeseld.core.hearing.Passes
import org.edgeseld.core.present.BenchmarkPlan
import org.edgeseld.core.present.failure
import org.edgeseld.core.present.measure
import org.edgeseld.core.signal.Audio

private const val TAG = "EDGESELD_BENCHMARK"

/**
 * Measures a bundle: am start -n org.edgeseld.demo/.BenchmarkActivity, with the extras bundle (name), mc_samples, time_shifts,
 * runs and threads. The result is shown, logged as EDGESELD_BENCHMARK, and written to benchmark.json in the app's folder.
 */
class BenchmarkActivity : Activity() {
    override fun onCreate(saved: Bundle?) {
        super.onCreate(saved)
        setContentView(R.layout.benchmark)
        val store = ModelStore(applicationContext)
        val name = intent.getStringExtra("bundle") ?: store.models().firstOrNull()
        val view = findViewById<TextView>(R.id.result)
        if (name == null) {
            view.setText(R.string.problem_no_model)
            return
        }
        view.text = getString(R.string.benchmark_running, name)
        Thread({ finishWith(result(store, name)) }, "benchmark").start()
    }

    private fun result(store: ModelStore, name: String): String = try {
        val plan = BenchmarkPlan(
            passes = Passes(intent.getIntExtra("mc_samples", 0), intent.getIntExtra("time_shifts", 1)),
            runs = intent.getIntExtra("runs", BenchmarkPlan().runs),
            threads = intent.getIntExtra("threads", 1),
        )
        store.open(name, plan.threads).use { model ->
            val signal = model.manifest.signal
            val window = Audio(signal.channels, signal.windowPcmSamples, FloatArray(signal.channels * signal.windowPcmSamples))
            measure(model, window, plan, device = "${Build.MANUFACTURER} ${Build.MODEL}, Android ${Build.VERSION.RELEASE}")
        }
    } catch (error: EdgeseldException) {
        failure(name, error)
    }

    private fun finishWith(json: String) {
        Log.i(TAG, json)
        File(getExternalFilesDir(null), "benchmark.json").writeText(json)
        runOnUiThread { findViewById<TextView>(R.id.result).text = json }
    }
}
