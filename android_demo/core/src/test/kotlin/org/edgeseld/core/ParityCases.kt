package org.edgeseld.core

import java.io.File
import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import org.edgeseld.core.bundle.Bundle
import org.edgeseld.core.bundle.openBundle
import org.edgeseld.core.bundle.readSafetensors
import org.edgeseld.core.hearing.Backend
import org.edgeseld.core.hearing.Golden
import org.edgeseld.core.hearing.Passes
import org.edgeseld.core.hearing.SeldModel
import org.edgeseld.core.hearing.decode
import org.edgeseld.core.signal.Audio
import org.edgeseld.core.signal.readWav
import org.edgeseld.core.tracking.SeldEvent
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.DynamicTest

@Serializable
class Choice(
    @SerialName("mc_samples") val mcSamples: Int,
    @SerialName("time_shifts") val timeShifts: Int,
    val events: List<SeldEvent>,
    val refused: String? = null,
)

/** What Python heard with a bundle; tests/parity/references.py wrote it. */
@Serializable
class Reference(val bundle: String, val audio: String, val sources: String, val choices: List<Choice>, val stream: List<SeldEvent>)

/**
 * Tests that hold Kotlin on a real runtime to Python, for every bundle of a target; `strays` says why a bundle is known not to
 * run as it should, null for the others.
 */
class ParityCases(
    private val target: String,
    private val strays: (Bundle) -> String? = { null },
    private val open: (Bundle) -> Backend,
) {
    private val folder = File(System.getProperty("parity.folder"))

    /** References of the target, or one test that is skipped where Python has not written any. */
    fun referenceTests(): List<DynamicTest> {
        val files = folder.listFiles { file -> file.extension == "json" && "-$target-" in file.name }?.sorted() ?: emptyList()
        if (files.isEmpty()) {
            val required = System.getProperty("parity.required").toBoolean()
            return listOf(DynamicTest.dynamicTest("references") {
                assertTrue(!required, "no references in $folder")
                assumeTrue(false, "no references in $folder: python -m tests.parity.references writes them")
            })
        }
        return files.map { file -> DynamicTest.dynamicTest(file.nameWithoutExtension) { compareWithPython(file) } }
    }

    /** Every golden vector of every released bundle, and of the bundles that have references. */
    fun goldenTests(): List<DynamicTest> {
        val made = File(folder, "bundles").listFiles { file -> file.name.endsWith(".seld") }?.toList() ?: emptyList()
        return (Repository.releasedBundles + made).filter { "-$target-" in it.name }.map { bundle ->
            DynamicTest.dynamicTest(bundle.name) { compareWithGolden(openBundle(bundle)) }
        }
    }

    private fun compareWithPython(file: File) {
        val reference = Json.decodeFromString<Reference>(file.readText())
        val bundle = openBundle(File(reference.bundle))
        skipStrays(bundle)
        val audio = readWav(File(reference.audio).readBytes())
        SeldModel(bundle.manifest, open(bundle)).use { model ->
            reference.choices.forEachIndexed { index, choice ->
                val passes = Passes(choice.mcSamples, choice.timeShifts)
                if (choice.refused != null) {
                    assertRefused { model.predict(audio, passes) }
                } else {
                    val expected = readSafetensors(File(folder, "${file.nameWithoutExtension}-$index.safetensors"))
                    compareFrames(file.nameWithoutExtension, model, audio, passes, expected, choice.events)
                }
            }
            assertSameEvents(reference.stream, streamed(model, audio), RUNTIME_TOLERANCE)
        }
    }

    private fun assertRefused(predict: () -> Unit) {
        val error = runCatching(predict).exceptionOrNull()
        assertTrue(error is BundleException, "expected a refusal, got $error")
    }

    private fun compareFrames(
        name: String, model: SeldModel, audio: Audio, passes: Passes, expected: Map<String, Tensor>, events: List<SeldEvent>,
    ) {
        val prediction = model.predict(audio, passes)
        val apart = differences(prediction, expected)
        println("parity $name N=${passes.mcSamples} K=${passes.timeShifts}: ${events.size} events, $apart")
        assertTrue(apart.activity <= RUNTIME_TOLERANCE, "$apart")
        assertSameEvents(events, model.events(prediction), RUNTIME_TOLERANCE, angleDeg = 0.1)
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
        skipStrays(bundle)
        val golden = Golden(bundle)
        open(bundle).use { backend ->
            for (case in golden.replay(backend)) {
                println("golden ${bundle.manifest.name} ${case.case}: raw ${case.largestDifference}")
                assertTrue(case.largestDifference <= bundle.manifest.tolerance.rawMax, "${case.case}: ${case.largestDifference}")
            }
        }
        compareDecoding(bundle, golden)
    }

    private fun skipStrays(bundle: Bundle) {
        val reason = strays(bundle)
        assumeTrue(reason == null, reason ?: "")
    }

    private fun compareDecoding(bundle: Bundle, golden: Golden) {
        val outputs = golden.tensors.filterKeys { it.startsWith("scene/full/") }
            .map { (name, tensor) -> name.removePrefix("scene/full/") to Tensor(tensor.shape.drop(1), tensor.data) }.toMap()
        val prediction = decode(outputs, bundle.manifest.outputFormat, bundle.manifest.classes)
        val expected = listOf("activity", "direction").associateWith { golden.tensors.getValue("scene/$it") }
        val apart = differences(prediction.copy(distanceM = null), expected)
        println("golden ${bundle.manifest.name} decoding: $apart")
        assertTrue(apart.activity <= 1e-6f && apart.direction <= 1e-5f, "$apart")
    }

    private companion object {
        const val BLOCK_SAMPLES = 1_111
        const val RUNTIME_TOLERANCE = 2e-4
    }
}
