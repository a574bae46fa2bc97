package org.edgeseld.core.bundle

import java.io.File
import java.nio.Buffer
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlinx.serialization.Serializable
import kotlinx.serialization.SerialName
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.decodeFromJsonElement
import kotlinx.serialization.json.jsonObject
import org.edgeseld.core.BundleException
import org.edgeseld.core.Tensor

@Serializable
private class Entry(val dtype: String, val shape: List<Int>, @SerialName("data_offsets") val offsets: List<Int>)

/** Tensors of a safetensors file by name; float32 and int16, both as floats. BundleException where it cannot be read. */
fun readSafetensors(file: File): Map<String, Tensor> = try {
    val bytes = ByteBuffer.wrap(file.readBytes()).order(ByteOrder.LITTLE_ENDIAN)
    val headerBytes = bytes.getLong(0)
    require(headerBytes in 2..(bytes.capacity() - 8)) { "the header has $headerBytes bytes" }
    val header = String(bytes.array(), 8, headerBytes.toInt(), Charsets.UTF_8)
    val entries: JsonObject = Json.parseToJsonElement(header).jsonObject
    entries.filterKeys { it != "__metadata__" }.mapValues { (_, value) ->
        readTensor(Json.decodeFromJsonElement<Entry>(value), bytes, 8 + headerBytes.toInt())
    }
} catch (error: java.io.IOException) {
    throw BundleException("$file cannot be read (${error.message}): export the bundle again", error)
} catch (error: RuntimeException) {
    throw BundleException("$file cannot be read (${error.message}): export the bundle again", error)
}

private fun readTensor(entry: Entry, bytes: ByteBuffer, start: Int): Tensor {
    val (first, last) = entry.offsets
    val view = bytes.duplicate()
    // As a Buffer: ByteBuffer's own limit and position came with Java 9, which Android 8 does not have.
    (view as Buffer).limit(start + last).position(start + first)
    val slice = view.slice().order(ByteOrder.LITTLE_ENDIAN)
    val data = when (entry.dtype) {
        "F32" -> slice.asFloatBuffer().let { floats -> FloatArray(floats.remaining()).also { floats.get(it) } }
        "I16" -> slice.asShortBuffer().let { shorts -> FloatArray(shorts.remaining()) { shorts.get(it).toFloat() } }
        else -> throw IllegalArgumentException("a tensor is F32 or I16, got ${entry.dtype}")
    }
    return Tensor(entry.shape, data)
}
