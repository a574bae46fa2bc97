package org.edgeseld.core.bundle

import java.io.File
import java.nio.file.Files
import java.nio.file.Path
import java.security.MessageDigest
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream
import org.edgeseld.core.BundleException
import org.edgeseld.core.Repository
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.io.TempDir

private const val GRAPH = "not a graph, but the reader does not look inside"
private val ZEROS = "0".repeat(64)
private val MANIFEST = """
    {"schema_version": 1, "id": "made-up", "signal": {}, "context_samples": 544, "output_format": "accdoa", "classes": ["bell", "knock"], "tracking": {},
    "graphs": {"full": {"file": "full.onnx", "inputs": [{"name": "pcm", "shape": [1, 4, 120544], "meaning": "audio"}],
    "outputs": [{"name": "accdoa", "shape": [1, 50, 1, 3, 2], "meaning": "vectors"}]}},
    "version": "1.0.0", "description": "made up", "licence": "MIT", "target": "onnx", "precision": "int8-dynamic", "verified": true,
    "tolerance": {"raw_max": 1.0, "raw_mean": 1.0, "changed_frames": 1.0, "direction_deg": 1.0},
    "provenance": {"sources_sha256": "$ZEROS", "weights_sha256": "$ZEROS", "tools": {}}}
""".trimIndent()

class BundleReaderTest {
    @TempDir
    lateinit var temporary: Path

    private fun write(manifest: String = MANIFEST): File {
        val folder = Files.createTempDirectory(temporary, "b").resolve("made-up.seld").toFile().apply { mkdirs() }
        File(folder, "manifest.json").writeText(manifest)
        File(folder, "full.onnx").writeText(GRAPH)
        File(folder, "SHA256SUMS").writeText(listOf("full.onnx", "manifest.json").joinToString("") { "${hash(File(folder, it))}  $it\n" })
        return folder
    }

    private fun hash(file: File) = MessageDigest.getInstance("SHA-256").digest(file.readBytes()).joinToString("") { "%02x".format(it) }

    private fun refused(path: File, message: String) {
        val error = assertThrows(BundleException::class.java) { openBundle(path, Files.createTempDirectory(temporary, "u").toFile()) }
        assertTrue(Regex(message).containsMatchIn(error.message!!), error.message)
    }

    private fun zip(folder: File, prefix: String, vararg more: String): File {
        val file = File(folder.parentFile, "b.seld.zip")
        ZipOutputStream(file.outputStream()).use { archive ->
            for (one in folder.listFiles()!!) {
                archive.putNextEntry(ZipEntry(prefix + one.name))
                archive.write(one.readBytes())
            }
            for (name in more) archive.putNextEntry(ZipEntry(name))
        }
        return file
    }

    @Test
    fun `a bundle is read back, as a folder and as a zip`() {
        val folder = write()
        val read = openBundle(folder)
        assertEquals("made-up-onnx-int8-dynamic", read.manifest.name)
        assertEquals(SignalSpec(), read.manifest.signal)
        for (prefix in listOf("", "made-up.seld/")) {
            val unpacked = openBundle(zip(folder, prefix), Files.createTempDirectory(temporary, "z").toFile())
            assertEquals(read.manifest, unpacked.manifest)
            assertEquals(GRAPH, unpacked.file(Role.FULL).readText())
        }
        assertThrows(BundleException::class.java) { read.graph(Role.STREAM) }
    }

    @TestFactory
    fun `what was tampered with is refused`() = mapOf<String, Pair<(File) -> Unit, String>>(
        "a changed byte of the graph" to ({ f: File -> File(f, "full.onnx").appendText("x") } to "full.onnx was changed after"),
        "a changed manifest" to ({ f: File -> File(f, "manifest.json").appendText(" ") } to "manifest.json was changed after"),
        "a missing file" to ({ f: File -> File(f, "full.onnx").delete(); Unit } to "lists full.onnx, and .* does not hold it"),
        "a file not listed" to ({ f: File -> File(f, "extra.bin").writeText("x") } to "extra.bin is not: remove it"),
        "a listed link" to ({ f: File -> link(f) } to "lists full.onnx, and .* does not hold it"),
        "no sums" to ({ f: File -> File(f, "SHA256SUMS").delete(); Unit } to "is no bundle: it has no SHA256SUMS"),
        "sums that are not text" to ({ f: File -> File(f, "SHA256SUMS").writeBytes(byteArrayOf(-1, -2)) } to "is no bundle"),
        "a broken line" to ({ f: File -> File(f, "SHA256SUMS").writeText("abc x\n") } to "line 1: expected a hash"),
        "empty sums" to ({ f: File -> File(f, "SHA256SUMS").writeText("") } to "does not list manifest.json"),
        "sums that leave the folder" to ({ f: File -> listed(f, "../outside") } to "stay inside it, got '../outside'"),
        "an absolute path" to ({ f: File -> listed(f, "/etc/hostname") } to "stay inside it"),
        "a drive" to ({ f: File -> listed(f, "C:evil") } to "stay inside it"),
    ).map { (name, case) ->
        DynamicTest.dynamicTest(name) {
            val folder = write()
            case.first(folder)
            refused(folder, case.second)
        }
    }

    private fun link(folder: File) {
        val file = File(folder, "full.onnx").toPath()
        val outside = folder.parentFile.toPath().resolve("outside")
        Files.move(file, outside)
        Files.createSymbolicLink(file, outside)
    }

    private fun listed(folder: File, name: String) = File(folder, "SHA256SUMS").appendText("$ZEROS  $name\n")

    @TestFactory
    fun `a manifest that breaks the schema is refused`() = mapOf(
        "an unknown key" to (MANIFEST.replace("\"licence\"", "\"licnce\": \"MIT\", \"licence\"") to "licnce"),
        "a missing key" to (MANIFEST.replace("\"licence\": \"MIT\",", "") to "licence"),
        "a newer schema" to (MANIFEST.replace("\"schema_version\": 1", "\"schema_version\": 2, \"new\": 1") to "has schema 2, this app reads up to 1: update"),
        "a path out of the folder" to (MANIFEST.replace("\"full.onnx\"", "\"../full.onnx\"") to "stay inside it, got '../full.onnx'"),
        "a file that is not there" to (MANIFEST.replace("\"full.onnx\"", "\"other.onnx\"") to "names other.onnx, which .* does not hold"),
        "an unknown target" to (MANIFEST.replace("\"onnx\"", "\"abacus\"") to "abacus"),
        "a signal that cannot be" to (MANIFEST.replace("\"signal\": {}", "\"signal\": {\"hop_samples\": 500}") to "hop_samples must divide 2400"),
        "no JSON" to ("{" to "export the bundle again"),
        "no object" to ("[]" to "export the bundle again"),
    ).map { (name, case) -> DynamicTest.dynamicTest(name) { refused(write(case.first), case.second) } }

    @Test
    fun `a bundle that failed its verification is used only when asked for`() {
        val folder = write(MANIFEST.replace("\"verified\": true", "\"verified\": false"))
        refused(folder, "failed its verification")
        assertEquals(false, openBundle(folder, allowDrift = true).manifest.verified)
    }

    @Test
    fun `a zip that leaves its folder, holds too much, or is none writes nothing`() {
        for (name in listOf("../evil", "/tmp/evil", "a/../../evil", "C:/evil", "a\\..\\evil")) {
            refused(zip(write(), "", name), "stay inside it|is no bundle zip")
        }
        refused(zip(write(), "", *Array(101) { "many-$it" }), "more than a bundle can hold")
        refused(temporary.resolve("text.zip").toFile().apply { writeText("no zip") }, "is no bundle zip")
        refused(temporary.resolve("nothing").toFile(), "no bundle at")
    }

    @TestFactory
    fun `every released bundle is read`() = Repository.releasedBundles.map { bundle ->
        DynamicTest.dynamicTest(bundle.name) {
            val unpacked = openBundle(bundle, Files.createTempDirectory(temporary, "r").toFile())
            assertEquals(bundle.name.removeSuffix(".seld.zip"), unpacked.manifest.name)
        }
    }
}
