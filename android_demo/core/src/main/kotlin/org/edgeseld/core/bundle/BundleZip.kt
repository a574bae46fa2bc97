package org.edgeseld.core.bundle

import java.io.File
import java.io.IOException
import java.io.InputStream
import java.util.zip.ZipFile
import org.edgeseld.core.BundleException

/** No model for a phone comes near this; a zip that unpacks to more is not one of ours. */
private const val LARGEST_BYTES = 1L shl 30
private const val LARGEST_FILE_COUNT = 100

/** Unpacks a zip after a look at its names and sizes; its files lie at the top or in one folder NAME.seld. */
internal fun unpackBundle(path: File, target: File): File {
    try {
        ZipFile(path).use { archive ->
            val entries = archive.entries().toList()
            if (entries.size > LARGEST_FILE_COUNT || entries.sumOf { it.size } > LARGEST_BYTES) throw tooLarge(path)
            entries.forEach { safeName(it.name) }
            var room = LARGEST_BYTES
            for (entry in entries.filterNot { it.isDirectory }) {
                val file = File(target, entry.name).apply { parentFile.mkdirs() }
                // A header may lie about the size, so that what comes out is counted too.
                room -= archive.getInputStream(entry).use { copy(it, file, room) } ?: throw tooLarge(path)
            }
        }
    } catch (error: IOException) {
        throw BundleException("$path is no bundle zip (${error.message}): copy or export it again", error)
    } catch (error: IllegalArgumentException) {
        throw BundleException("$path is no bundle zip (${error.message}): copy or export it again", error)
    }
    if (File(target, SUMS_FILE).exists()) return target
    return target.listFiles { file -> file.isDirectory }?.singleOrNull() ?: target
}

private fun tooLarge(path: File) = BundleException("$path unpacks to more than a bundle can hold: do not use it")

/** Bytes copied, null where they would exceed `room`. */
private fun copy(stream: InputStream, file: File, room: Long): Long? {
    val block = ByteArray(1 shl 16)
    var copied = 0L
    file.outputStream().use { output ->
        var count = stream.read(block)
        while (count >= 0) {
            copied += count
            if (copied > room) return null
            output.write(block, 0, count)
            count = stream.read(block)
        }
    }
    return copied
}
