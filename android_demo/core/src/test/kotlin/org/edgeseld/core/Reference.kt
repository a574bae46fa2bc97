package org.edgeseld.core

import java.io.File
import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import org.edgeseld.core.bundle.Bundle
import org.edgeseld.core.bundle.openBundle
import org.edgeseld.core.bundle.readSafetensors
import org.edgeseld.core.hearing.Passes
import org.edgeseld.core.tracking.SeldEvent

/** What Python asked and heard with one choice of passes, how far int8 rounds apart, or the graph for want of which it refused. */
@Serializable
class Choice(
    @SerialName("mc_samples") val mcSamples: Int,
    @SerialName("time_shifts") val timeShifts: Int,
    val calls: List<Call>,
    val events: List<SeldEvent>,
    val rounding: Rounding? = null,
    val refused: String? = null,
) {
    val passes get() = Passes(mcSamples, timeShifts)
}

/** What Python heard with a bundle; tests/parity/references.py wrote it. */
@Serializable
class Reference(val bundle: String, val audio: String, val sources: String, val choices: List<Choice>, val stream: List<SeldEvent>)

/** The folder of references that surefire names. */
object References {
    private val folder = File(System.getProperty("parity.folder"))
    val required = System.getProperty("parity.required").toBoolean()

    /** Bundles of the tiny network. */
    val madeBundles: List<File> get() = File(folder, "bundles").listFiles { file -> file.name.endsWith(".seld") }?.sorted() ?: emptyList()

    /** A bundle, unpacked beside the references where it is a zip. */
    fun open(bundle: File): Bundle = openBundle(
        bundle,
        File(folder, "unpacked/${bundle.name}").apply {
            deleteRecursively()
            mkdirs()
        },
    )

    fun names(target: String): List<String> =
        folder.listFiles { file -> file.extension == "json" && "-$target-" in file.name }?.map { it.nameWithoutExtension }?.sorted() ?: emptyList()

    fun read(name: String): Reference = Json.decodeFromString(File(folder, "$name.json").readText())

    /** Answers and frames of one choice. */
    fun tensors(name: String, choice: Int): Map<String, Tensor> = readSafetensors(File(folder, "$name-$choice.safetensors"))

    /** Where the lines of a target's report go. */
    fun report(target: String): File = File(folder, "report-$target.txt")
}
