package org.edgeseld.core

import java.io.File
import org.edgeseld.core.bundle.Bundle
import org.edgeseld.core.bundle.Precision
import org.edgeseld.core.hearing.Backend
import org.edgeseld.core.hearing.Golden
import org.edgeseld.core.hearing.Prediction
import org.edgeseld.core.hearing.SeldModel
import org.edgeseld.core.hearing.decode
import org.edgeseld.core.signal.Audio
import org.edgeseld.core.signal.readWav
import org.edgeseld.core.tracking.SeldEvent
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.DynamicTest

private const val BLOCK_SAMPLES = 1_111
private const val RUNTIME_TOLERANCE = 2e-4
private const val CLOSE = 1e-6f
private const val CLOSE_DIRECTION = 1e-5f
private const val RUNTIME_TOLERANCE_DEG = 0.1

/**
 * Tests that hold Kotlin to Python, for every bundle of a target: everything but the runtime by rote, then the whole chain on
 * the real runtime. References.report holds the differences, a line per choice of passes.
 */
class ParityCases(private val target: String, private val open: (Bundle) -> Backend) {
    /** References of the target, or one test that is skipped where Python has not written any. */
    fun referenceTests(): List<DynamicTest> {
        References.report(target).delete()
        return References.names(target).map { name -> DynamicTest.dynamicTest(name) { compareWithPython(name) } }.ifEmpty {
            listOf(DynamicTest.dynamicTest("references") {
                assertTrue(!References.required, "no references: python -m tests.parity.references writes them")
                assumeTrue(false, "no references: python -m tests.parity.references writes them")
            })
        }
    }

    /** Every golden vector of every released bundle, and of the bundles that have references. */
    fun goldenTests(): List<DynamicTest> = (Repository.releasedBundles + References.madeBundles)
        .filter { "-$target-" in it.name }
        .map { bundle -> DynamicTest.dynamicTest(bundle.name) { compareWithGolden(References.open(bundle)) } }

    private fun compareWithPython(name: String) {
        val reference = References.read(name)
        val bundle = References.open(File(reference.bundle))
        val audio = readWav(File(reference.audio).readBytes())
        open(bundle).use { backend ->
            reference.choices.forEachIndexed { index, choice ->
                if (choice.refused == null) {
                    val tensors = References.tensors(name, index)
                    ChoiceCase(bundle, backend, audio, choice, tensors).compare(References.report(target))
                } else {
                    assertRefused { SeldModel(bundle.manifest, backend).predict(audio, choice.passes) }
                }
            }
            val streamed = streamed(SeldModel(bundle.manifest, backend), audio)
            if (bundle.manifest.precision == Precision.FP32) assertSameEvents(reference.stream, streamed, RUNTIME_TOLERANCE, RUNTIME_TOLERANCE_DEG)
        }
    }

    private fun assertRefused(predict: () -> Unit) {
        val error = runCatching(predict).exceptionOrNull()
        assertTrue(error is BundleException, "expected a refusal, got $error")
    }

    /** Blocks of an odd length, as a microphone gives them. */
    private fun streamed(model: SeldModel, audio: Audio): List<SeldEvent> {
        val stream = model.stream()
        val events = (0 until audio.samples step BLOCK_SAMPLES).flatMap { start ->
            val stop = minOf(start + BLOCK_SAMPLES, audio.samples)
            stream.feed(Audio(audio.channels, stop - start, audio.cut(start, stop).data)).closed
        }
        return events + stream.finish().closed
    }

    /** Raw outputs within the manifest's tolerance; from the stored ones, activity within 1e-6 and direction within 1e-5. */
    private fun compareWithGolden(bundle: Bundle) {
        val golden = Golden(bundle)
        open(bundle).use { backend ->
            for (case in golden.replay(backend)) {
                println("golden ${bundle.manifest.name} ${case.case}: raw ${case.largestDifference}")
                assertTrue(case.largestDifference <= bundle.manifest.tolerance.rawMax, "${case.case}: ${case.largestDifference}")
            }
        }
        compareDecoding(bundle, golden)
    }

    private fun compareDecoding(bundle: Bundle, golden: Golden) {
        val outputs = golden.tensors.filterKeys { it.startsWith("scene/full/") }
            .map { (name, tensor) -> name.removePrefix("scene/full/") to Tensor(tensor.shape.drop(1), tensor.data) }.toMap()
        val prediction = decode(outputs, bundle.manifest.outputFormat, bundle.manifest.classes)
        val expected = listOf("activity", "direction").associateWith { golden.tensors.getValue("scene/$it") }
        val apart = differences(prediction.copy(distanceM = null), expected)
        assertTrue(apart.activity <= CLOSE && apart.direction <= CLOSE_DIRECTION, "$apart")
    }
}

/** One bundle, one recording, one choice of passes. */
private class ChoiceCase(
    private val bundle: Bundle,
    private val backend: Backend,
    private val audio: Audio,
    private val choice: Choice,
    private val expected: Map<String, Tensor>,
) {
    private val manifest = bundle.manifest

    fun compare(report: File) {
        val byRote = byRote()
        val measured = Measured(manifest, backend, expected)
        val model = SeldModel(manifest, measured)
        val prediction = model.predict(audio, choice.passes)
        val whole = differences(prediction, expected)
        val apart = eventsApart(prediction, model.events(prediction), whole)
        assertTrue(measured.apart.values.max() <= manifest.tolerance.rawMax, "${measured.apart}")
        report.appendText(line(byRote, measured, whole, apart))
    }

    /** Events of the real runtime: all Python's, but for those that int8 decides apart within rounding. */
    private fun eventsApart(prediction: Prediction, events: List<SeldEvent>, whole: Differences): Apart {
        val rounding = choice.rounding
        if (rounding == null) {
            assertTrue(whole.activity <= RUNTIME_TOLERANCE, "$whole")
            assertSameEvents(choice.events, events, RUNTIME_TOLERANCE, RUNTIME_TOLERANCE_DEG)
            return Apart(0, emptyList())
        }
        val python = prediction.copy(activity = expected.getValue("activity").data, direction = expected.getValue("direction").data)
        return RoundedApart(manifest.tracking, rounding, Hearing(python, choice.events), Hearing(prediction, events)).check()
    }

    /** With the answers of Python's runtime: the same questions to the bit, masks among them, and the same events. */
    private fun byRote(): Differences {
        val rote = Rote(manifest, choice.calls, expected)
        val model = SeldModel(manifest, rote)
        val prediction: Prediction = model.predict(audio, choice.passes)
        assertEquals(choice.calls.size, rote.asked)
        val apart = differences(prediction, expected)
        assertTrue(apart.activity <= CLOSE && apart.direction <= CLOSE_DIRECTION, "$apart")
        assertSameEvents(choice.events, model.events(prediction))
        return apart
    }

    private fun line(byRote: Differences, measured: Measured, whole: Differences, apart: Apart): String {
        val graphs = measured.apart.entries.joinToString(", ") { (role, apart) -> "${role.label} ${short(apart)}" }
        val all = choice.events.size
        val places = apart.places.joinToString("") { ": $it" }
        val events = choice.rounding?.let { "${all - apart.events} of $all events, ${apart.events} within rounding of ${short(it.activity.toFloat())}$places" }
            ?: "all $all events"
        return "${manifest.name} on ${backend.name}, N = ${choice.mcSamples}, K = ${choice.timeShifts}\n" +
            "  ${choice.calls.size} questions bit-equal; after them activity ${short(byRote.activity)}, direction ${short(byRote.direction)}, " +
            "uncertainty ${short(byRote.uncertainty)}, all $all events\n" +
            "  runtime: $graphs; with it activity ${short(whole.activity)}, direction ${short(whole.direction)}, " +
            "uncertainty ${short(whole.uncertainty)}, $events\n"
    }

    private fun short(value: Float): String = "%.1e".format(value)
}
