package org.edgeseld.core.bundle

import java.io.File
import java.nio.file.Files
import java.nio.file.LinkOption
import java.security.MessageDigest
import kotlinx.serialization.Serializable
import kotlinx.serialization.SerialName
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import org.edgeseld.core.BundleException

private val SUM_LINE = Regex("([0-9a-f]{64})  (\\S.*)")
private val STRICT = Json
private val TOLERANT = Json { ignoreUnknownKeys = true }

/** A bundle whose every file has been checked against SHA256SUMS. */
class Bundle(val folder: File, val manifest: Manifest) {
    /** The graph of a role; BundleException where the bundle has none. */
    fun graph(role: Role): GraphSpec = manifest.graph(role) ?: throw BundleException(
        "${manifest.name} has no graph '${role.label}', only ${manifest.graphs.keys.joinToString { it.label }}: export it again",
    )

    fun file(role: Role): File = File(folder, graph(role).file)
}

/**
 * Opens a bundle's folder, or its zip, which is unpacked into `scratch`.
 *
 * BundleException for a missing, unlisted or changed file, an unsafe path, a newer schema, an unknown key, or a bundle that
 * was written although it failed its verification (unless `allowDrift`).
 */
fun openBundle(path: File, scratch: File? = null, allowDrift: Boolean = false): Bundle {
    if (!path.exists()) throw BundleException("no bundle at $path: check the path, or export one with `edgeseld export`")
    val folder = if (path.isFile) unpackBundle(path, scratch ?: Files.createTempDirectory("edgeseld-").toFile()) else path
    checkSums(folder)
    val manifest = readManifest(folder)
    if (!manifest.verified && !allowDrift) {
        throw BundleException("$path was written although it failed its verification (--allow-drift); export it again, or ask for it")
    }
    return Bundle(folder, manifest)
}

/** Every file is listed, every listed file is there and has its hash. */
private fun checkSums(folder: File) {
    val listed = readSums(folder)
    for (name in (filesOf(folder) - SUMS_FILE - listed.keys).sorted()) {
        throw BundleException("every file of a bundle is listed in $SUMS_FILE; ${File(folder, name)} is not: remove it")
    }
    for ((name, expected) in listed) {
        val file = File(folder, name)
        if (!Files.isRegularFile(file.toPath(), LinkOption.NOFOLLOW_LINKS)) {
            throw BundleException("$SUMS_FILE lists $name, and $folder does not hold it: copy the bundle again")
        }
        if (sha256(file) != expected) {
            throw BundleException("$file was changed after the bundle was written: copy or export the bundle again")
        }
    }
}

/** Names of all files and links below the folder; links are not followed. */
private fun filesOf(folder: File): Set<String> = Files.walk(folder.toPath()).use { paths ->
    val names = mutableSetOf<String>()
    paths.forEach { if (!Files.isDirectory(it, LinkOption.NOFOLLOW_LINKS)) names += folder.toPath().relativize(it).joinToString("/") }
    names
}

private fun readSums(folder: File): Map<String, String> {
    val file = File(folder, SUMS_FILE)
    val lines = try {
        Files.readAllLines(file.toPath())
    } catch (error: java.io.IOException) {
        throw BundleException("$folder is no bundle: it has no $SUMS_FILE; name a folder or zip that export wrote", error)
    }
    val listed = linkedMapOf<String, String>()
    lines.forEachIndexed { index, line ->
        val match = SUM_LINE.matchEntire(line)
            ?: throw BundleException("$file, line ${index + 1}: expected a hash and a name; export the bundle again")
        listed[safeName(match.groupValues[2])] = match.groupValues[1]
    }
    if (MANIFEST_FILE !in listed) throw BundleException("$file does not list $MANIFEST_FILE: export the bundle again")
    return listed
}

/** A relative path that stays inside the folder. */
internal fun safeName(name: String): String {
    val parts = name.split('/').filter { it.isNotEmpty() && it != "." }
    if (name.startsWith('/') || ".." in parts || '\\' in name || ':' in name || parts.isEmpty()) {
        throw BundleException("paths in a bundle stay inside it, got '$name': do not use this bundle")
    }
    return name
}

private fun sha256(file: File): String {
    val digest = MessageDigest.getInstance("SHA-256")
    file.inputStream().use { stream ->
        val block = ByteArray(1 shl 16)
        while (true) {
            val count = stream.read(block)
            if (count < 0) break
            digest.update(block, 0, count)
        }
    }
    return digest.digest().joinToString("") { "%02x".format(it) }
}

@Serializable
private class SchemaVersion(@SerialName("schema_version") val schemaVersion: Int)

private fun readManifest(folder: File): Manifest {
    val file = File(folder, MANIFEST_FILE)
    val text = file.readText()
    val manifest = try {
        val version = TOLERANT.decodeFromString<SchemaVersion>(text).schemaVersion
        if (version > SCHEMA_VERSION) {
            throw BundleException("$file has schema $version, this app reads up to $SCHEMA_VERSION: update the app")
        }
        STRICT.decodeFromString<Manifest>(text)
    } catch (error: SerializationException) {
        throw BundleException("$file: ${error.message?.lineSequence()?.first()}; export the bundle again", error)
    } catch (error: IllegalArgumentException) {
        throw BundleException("$file: ${error.message}; export the bundle again", error)
    }
    for (graph in manifest.graphs.values) {
        if (!File(folder, safeName(graph.file)).exists()) {
            throw BundleException("$file names ${graph.file}, which $folder does not hold: export the bundle again")
        }
    }
    return manifest
}
