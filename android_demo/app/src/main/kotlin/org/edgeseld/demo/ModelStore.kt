package org.edgeseld.demo

import android.content.Context
import java.io.File
import org.edgeseld.core.BundleException
import org.edgeseld.core.bundle.Bundle
import org.edgeseld.core.bundle.openBundle
import org.edgeseld.core.fallback.FallbackPolicy
import org.edgeseld.core.fallback.readPolicy
import org.edgeseld.core.hearing.SeldModel
import org.edgeseld.core.hearing.selfTest
import org.edgeseld.core.signal.Audio
import org.edgeseld.core.signal.readWav
import org.edgeseld.tflite.TfliteBackend

private const val SUFFIX = ".seld"

/** Bundles and scenes inside the APK, and those that the user copied to the folders "bundles" and "scenes" of the app. */
class ModelStore(private val context: Context) {
    private val added: File? = context.getExternalFilesDir(null)

    /** Names of bundles. */
    fun models(): List<String> = (assets("bundles") + files("bundles").map { it.name })
        .filter { it.endsWith(SUFFIX) || it.endsWith("$SUFFIX.zip") }.distinct().sorted()

    /** File names of scenes. */
    fun scenes(): List<String> = (assets("scenes") + files("scenes").map { it.name }).filter { it.endsWith(".wav") }.distinct().sorted()

    /** The WAV file of a scene. */
    fun sceneBytes(name: String): ByteArray =
        files("scenes").find { it.name == name }?.readBytes() ?: context.assets.open("scenes/$name").use { it.readBytes() }

    fun scene(name: String): Audio = readWav(sceneBytes(name))

    /** The policy.json of the app's folder, null where the user copied none there. */
    fun policy(): FallbackPolicy? = added?.let { File(it, "policy.json") }?.takeIf { it.exists() }?.let { readPolicy(it.readText()) }

    /** A checked bundle on its runtime, after the golden self-test. */
    fun open(name: String, threads: Int = 1): SeldModel {
        val bundle = bundle(name)
        val backend = TfliteBackend(bundle, threads)
        try {
            selfTest(bundle, backend)
        } catch (error: Exception) {
            backend.close()
            throw error
        }
        return SeldModel(bundle.manifest, backend)
    }

    private fun bundle(name: String): Bundle =
        openBundle(files("bundles").find { it.name == name } ?: copied(name), emptied(File(context.cacheDir, "unpacked/$name")))

    /** A bundle of the assets as a file. */
    private fun copied(name: String): File {
        if (name !in assets("bundles")) throw BundleException("no bundle $name is installed: copy it to the folder \"bundles\" of this app")
        val file = File(context.cacheDir, name)
        context.assets.open("bundles/$name").use { input -> file.outputStream().use { input.copyTo(it) } }
        return file
    }

    private fun emptied(folder: File): File = folder.apply {
        deleteRecursively()
        mkdirs()
    }

    private fun assets(folder: String): List<String> = context.assets.list(folder)?.toList() ?: emptyList()

    private fun files(folder: String): List<File> = added?.let { File(it, folder).listFiles()?.toList() } ?: emptyList()
}
