package org.edgeseld.core.hearing

import java.io.File
import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import org.edgeseld.core.Call
import org.edgeseld.core.Repository
import org.edgeseld.core.Rote
import org.edgeseld.core.assertSameEvents
import org.edgeseld.core.bundle.Manifest
import org.edgeseld.core.bundle.readSafetensors
import org.edgeseld.core.differences
import org.edgeseld.core.signal.Audio
import org.edgeseld.core.tracking.SeldEvent
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory

@Serializable
private class Recording(
    val manifest: Manifest,
    @SerialName("audio_samples") val audioSamples: Int,
    @SerialName("mc_samples") val mcSamples: Int,
    @SerialName("time_shifts") val timeShifts: Int,
    val seed: Long,
    val calls: List<Call>,
    val events: List<SeldEvent>,
)

class RecordingTest {
    @TestFactory
    fun `asks what Python asked, to the bit, and hears what Python heard`() = Repository.recordings.map { file ->
        DynamicTest.dynamicTest(file.nameWithoutExtension) { replay(file) }
    }

    private fun replay(file: File) {
        val recording = Json.decodeFromString<Recording>(file.readText())
        val tensors = readSafetensors(File(file.parentFile, "${file.nameWithoutExtension}.safetensors"))
        val rote = Rote(recording.manifest, recording.calls, tensors)
        val noise = Golden.formulaCases(4, recording.audioSamples).getValue("noise")
        val model = SeldModel(recording.manifest, rote)
        val passes = Passes(recording.mcSamples, recording.timeShifts, recording.seed)
        val prediction = model.predict(Audio(4, recording.audioSamples, noise.data), passes)
        assertEquals(recording.calls.size, rote.asked)
        val apart = differences(prediction, tensors)
        println("${file.nameWithoutExtension}: $apart")
        assertTrue(apart.activity <= 1e-6f && apart.direction <= 1e-5f && apart.distanceM <= 1e-5f, "$apart")
        assertTrue(apart.uncertainty <= 1e-5f && apart.spreadDeg <= 0.05f, "$apart")
        assertSameEvents(recording.events, model.events(prediction))
    }
}
