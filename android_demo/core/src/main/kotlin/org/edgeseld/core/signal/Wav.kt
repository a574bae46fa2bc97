package org.edgeseld.core.signal

import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.edgeseld.core.AudioFormatException
import org.edgeseld.core.SAMPLE_RATE_HZ

private const val PCM = 1
private const val FLOAT = 3
private const val EXTENSIBLE = 0xFFFE
private const val HEADER_BYTES = 44
private const val FULL_SCALE = 32_768f

/** A RIFF WAVE file, 16-bit PCM or float32 at 24 or 48 kHz, as audio at 24 kHz; AudioFormatException for anything else. */
fun readWav(bytes: ByteArray): Audio {
    val chunks = chunks(bytes)
    val format = chunks["fmt "] ?: throw AudioFormatException("a WAV file has a chunk 'fmt ', this has ${chunks.keys}: choose another file")
    val data = chunks["data"] ?: throw AudioFormatException("a WAV file has a chunk 'data', this has ${chunks.keys}: choose another file")
    val channels = format.getShort(2).toInt()
    val rateHz = format.getInt(4)
    val bits = format.getShort(14).toInt()
    val code = (format.getShort(0).toInt() and 0xFFFF).let { if (it == EXTENSIBLE) format.getShort(24).toInt() else it }
    val interleaved = when {
        code == PCM && bits == 16 -> data.asShortBuffer().let { shorts -> FloatArray(shorts.remaining()) { shorts.get(it) / FULL_SCALE } }
        code == FLOAT && bits == 32 -> data.asFloatBuffer().let { floats -> FloatArray(floats.remaining()).also { floats.get(it) } }
        else -> throw AudioFormatException("a scene is 16-bit PCM or 32-bit float, got code $code with $bits bits: convert it")
    }
    val samples = interleaved.size / channels
    if (samples == 0 || interleaved.any { !it.isFinite() }) throw AudioFormatException("audio needs finite samples: repair the recording")
    return toModelRate(Audio(channels, samples, deinterleave(interleaved, channels, samples)), rateHz)
}

/** Audio at 24 kHz as a WAV file, 16-bit PCM. */
fun writeWav(audio: Audio): ByteArray {
    val dataBytes = 2 * audio.channels * audio.samples
    val bytes = ByteBuffer.allocate(HEADER_BYTES + dataBytes).order(ByteOrder.LITTLE_ENDIAN)
    bytes.put("RIFF".toByteArray()).putInt(HEADER_BYTES - 8 + dataBytes).put("WAVEfmt ".toByteArray()).putInt(16)
    bytes.putShort(PCM.toShort()).putShort(audio.channels.toShort()).putInt(SAMPLE_RATE_HZ).putInt(2 * audio.channels * SAMPLE_RATE_HZ)
    bytes.putShort((2 * audio.channels).toShort()).putShort(16).put("data".toByteArray()).putInt(dataBytes)
    for (sample in 0 until audio.samples) for (channel in 0 until audio.channels) {
        val value = Math.round(audio.data[channel * audio.samples + sample] * FULL_SCALE)
        bytes.putShort(value.coerceIn(Short.MIN_VALUE.toInt(), Short.MAX_VALUE.toInt()).toShort())
    }
    return bytes.array()
}

private fun toModelRate(audio: Audio, rateHz: Int): Audio = when (rateHz) {
    SAMPLE_RATE_HZ -> audio
    2 * SAMPLE_RATE_HZ -> halveRate(audio)
    else -> throw AudioFormatException("the demo reads 24 and 48 kHz, got $rateHz: resample first")
}

private fun deinterleave(interleaved: FloatArray, channels: Int, samples: Int): FloatArray =
    FloatArray(channels * samples) { interleaved[it % samples * channels + it / samples] }

/** Chunks by name; a chunk that goes beyond the file ends with it. */
private fun chunks(bytes: ByteArray): Map<String, ByteBuffer> {
    if (bytes.size < 12 || String(bytes, 0, 4, Charsets.US_ASCII) != "RIFF" || String(bytes, 8, 4, Charsets.US_ASCII) != "WAVE") {
        throw AudioFormatException("a scene is a RIFF WAVE file, got ${bytes.size} bytes of something else: choose another file")
    }
    val result = mutableMapOf<String, ByteBuffer>()
    var place = 12
    while (place + 8 <= bytes.size) {
        val size = ByteBuffer.wrap(bytes, place + 4, 4).order(ByteOrder.LITTLE_ENDIAN).getInt()
        val length = if (size < 0) bytes.size - place - 8 else minOf(size, bytes.size - place - 8)
        val name = String(bytes, place, 4, Charsets.US_ASCII)
        result[name] = ByteBuffer.wrap(bytes, place + 8, length).slice().order(ByteOrder.LITTLE_ENDIAN)
        place += 8 + length + length % 2
    }
    return result
}
