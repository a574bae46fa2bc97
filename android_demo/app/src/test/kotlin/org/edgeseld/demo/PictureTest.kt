package org.edgeseld.demo

import android.app.Activity
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Canvas
import android.view.View
import android.widget.ArrayAdapter
import android.widget.ScrollView
import android.widget.Spinner
import android.widget.TextView
import java.io.File
import kotlin.math.abs
import org.edgeseld.core.present.DemoState
import org.edgeseld.core.present.Problem
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

private const val SAME_LEVELS = 24
private const val MOST_CHANGED = 0.002

/** Every screen, drawn with Android's own graphics, against the pictures in src/test/pictures, which a person has looked at. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = "w360dp-h740dp-xhdpi")
class PictureTest {
    @Test
    fun portrait() = picture("portrait-light", MadeUpState.listening())

    @Test
    @Config(qualifiers = "+night")
    fun portraitNight() = picture("portrait-dark", MadeUpState.listening())

    @Test
    @Config(qualifiers = "w740dp-h360dp-land-xhdpi")
    fun landscape() = picture("landscape-light", MadeUpState.listening())

    @Test
    @Config(qualifiers = "w740dp-h360dp-land-night-xhdpi")
    fun landscapeNight() = picture("landscape-dark", MadeUpState.listening())

    @Test
    @Config(fontScale = 1.6f)
    fun largeFont() = picture("large-font", MadeUpState.listening())

    @Test
    fun controls() = picture("controls-light", MadeUpState.listening(), scrolled = true)

    @Test
    @Config(qualifiers = "+night")
    fun controlsNight() = picture("controls-dark", MadeUpState.listening(), scrolled = true)

    @Test
    @Config(qualifiers = "w740dp-h360dp-land-xhdpi")
    fun controlsLandscape() = picture("controls-landscape", MadeUpState.listening(), scrolled = true)

    @Test
    @Config(fontScale = 1.6f)
    fun controlsLargeFont() = picture("controls-large-font", MadeUpState.listening(), scrolled = true)

    @Test
    fun noModel() = picture(
        "no-model", DemoState(models = emptyList(), scenes = listOf("sample_scene.wav"), problem = Problem(Problem.Kind.NO_MODEL)),
    )

    @Test
    fun benchmark() = compareBenchmark("benchmark-light")

    @Test
    @Config(qualifiers = "+night")
    fun benchmarkNight() = compareBenchmark("benchmark-dark")

    @Test
    @Config(qualifiers = "w740dp-h360dp-land-xhdpi")
    fun benchmarkLandscape() = compareBenchmark("benchmark-landscape")

    @Test
    @Config(fontScale = 1.6f)
    fun benchmarkLargeFont() = compareBenchmark("benchmark-large-font")

    private fun compareBenchmark(name: String) {
        val activity = Robolectric.buildActivity(BenchmarkActivity::class.java, Intent().putExtra("bundle", "none.seld")).setup().get()
        activity.findViewById<TextView>(R.id.result).text = MadeUpState.BENCHMARK
        compare(name, activity)
    }

    private fun picture(name: String, state: DemoState, scrolled: Boolean = false) {
        val activity = Robolectric.buildActivity(MainActivity::class.java).setup().get()
        activity.show(state)
        val names = Wording(activity.resources).models(state.models)
        // The choosers show what is in the assets, which the pictures do not depend on.
        activity.findViewById<Spinner>(R.id.model).adapter = ArrayAdapter(activity, android.R.layout.simple_spinner_item, names)
        shadowOf(activity.mainLooper).idle()
        if (scrolled) (activity.findViewById<View>(R.id.timeline).parent.parent.parent as ScrollView).run { scrollTo(0, getChildAt(0).height) }
        compare(name, activity)
    }

    private fun compare(name: String, activity: Activity) {
        val view = activity.window.decorView
        view.measure(View.MeasureSpec.makeMeasureSpec(view.width, View.MeasureSpec.EXACTLY), View.MeasureSpec.makeMeasureSpec(view.height, View.MeasureSpec.EXACTLY))
        view.layout(0, 0, view.width, view.height)
        val drawn = Bitmap.createBitmap(view.width, view.height, Bitmap.Config.ARGB_8888)
        view.draw(Canvas(drawn))
        val file = File(System.getProperty("pictures.drawn"), "$name.png").apply { parentFile.mkdirs() }
        file.outputStream().use { drawn.compress(Bitmap.CompressFormat.PNG, 100, it) }
        val picture = File(System.getProperty("pictures.committed"), "$name.png")
        assertTrue("no picture $name is committed: look at $file and copy it", picture.exists())
        val bytes = picture.readBytes()
        val committed = BitmapFactory.decodeByteArray(bytes, 0, bytes.size)
        val changed = changedShare(drawn, committed)
        assertTrue("$name: $changed of the picture changed; look at $file, and copy it if it is right", changed <= MOST_CHANGED)
    }

    private fun changedShare(first: Bitmap, second: Bitmap): Double {
        if (first.width != second.width || first.height != second.height) return 1.0
        val (ours, theirs) = listOf(first, second).map { picture ->
            IntArray(picture.width * picture.height).also { picture.getPixels(it, 0, picture.width, 0, 0, picture.width, picture.height) }
        }
        return ours.indices.count { differs(ours[it], theirs[it]) }.toDouble() / ours.size
    }

    private fun differs(first: Int, second: Int): Boolean =
        first != second && listOf(0, 8, 16).any { abs((first shr it and 0xFF) - (second shr it and 0xFF)) > SAME_LEVELS }
}
