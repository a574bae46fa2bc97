package org.edgeseld.core.signal

import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.edgeseld.core.AudioFormatException
import org.edgeseld.core.Repository
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test

class WavTest {
    private fun wav(rateHz: Int, code: Int, bits: Int, channels: Int, data: ByteArray): ByteArray {
        val bytes = ByteBuffer.allocate(44 + data.size).order(ByteOrder.LITTLE_ENDIAN)
        bytes.put("RIFF".toByteArray()).putInt(36 + data.size).put("WAVEfmt ".toByteArray()).putInt(16)
        bytes.putShort(code.toShort()).putShort(channels.toShort()).putInt(rateHz).putInt(0).putShort(0).putShort(bits.toShort())
        bytes.put("data".toByteArray()).putInt(data.size).put(data)
        return bytes.array()
    }

    @Test
    fun `channels lie one after the other`() {
        val data = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putShort(16_384).putShort(-32_768).putShort(0).putShort(8_192)
        val audio = readWav(wav(24_000, 1, 16, 2, data.array()))
        assertEquals(2, audio.samples)
        assertArrayEquals(floatArrayOf(0.5f, 0f, -1f, 0.25f), audio.data)
    }

    @Test
    fun `what is written is read again, the loudest samples clipped`() {
        val audio = Audio(2, 3, floatArrayOf(0.5f, -1f, 0.25f, 1.5f, -2f, 0f))
        val again = readWav(writeWav(audio))
        assertEquals(listOf(2, 3), listOf(again.channels, again.samples))
        assertArrayEquals(floatArrayOf(0.5f, -1f, 0.25f, 32_767f / 32_768f, -1f, 0f), again.data)
    }

    @Test
    fun `the sample scene has four channels of eight seconds`() {
        val audio = readWav(Repository.sampleScene.readBytes())
        assertEquals(listOf(4, 192_000), listOf(audio.channels, audio.samples))
    }

    @Test
    fun `48 kHz comes out at 24 kHz`() = assertEquals(50, readWav(wav(48_000, 1, 16, 1, ByteArray(200))).samples)

    @Test
    fun `what cannot be heard is refused`() {
        val nan = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(Float.NaN).array()
        for (bytes in listOf(ByteArray(100), wav(44_100, 1, 16, 1, ByteArray(8)), wav(24_000, 1, 24, 1, ByteArray(6)), wav(24_000, 3, 32, 1, nan))) {
            assertThrows(AudioFormatException::class.java) { readWav(bytes) }
        }
    }
}
