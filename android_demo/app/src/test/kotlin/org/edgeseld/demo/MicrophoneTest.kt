package org.edgeseld.demo

import android.app.Application
import android.media.AudioFormat
import android.media.AudioRecord
import org.junit.After
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowAudioRecord

private const val BLOCK_SAMPLES = 2_400

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35])
class MicrophoneTest {
    @Volatile
    private var opened: AudioRecord? = null

    /** A device whose channels hold 0.1, 0.2 and so on, for ever. */
    private class Steady(private val channels: Int) : ShadowAudioRecord.AudioRecordSource {
        override fun readInFloatArray(block: FloatArray, offset: Int, size: Int, blocking: Boolean): Int {
            for (index in 0 until size) block[offset + index] = (index % channels + 1) / 10f
            return size
        }
    }

    /** The last samples of each channel that a model with so many channels gets, once the filter has seen nothing else. */
    private fun heard(channels: Int): FloatArray {
        ShadowAudioRecord.setSourceProvider { record -> Steady(channels).also { opened = record } }
        val microphone = Microphone(RuntimeEnvironment.getApplication() as Application, channels)
        val block = FloatArray(channels * BLOCK_SAMPLES)
        val deadline = System.nanoTime() + 60_000_000_000L
        repeat(2) {
            while (!microphone.ring.read(block, BLOCK_SAMPLES)) {
                check(System.nanoTime() < deadline) { "nothing was heard in a minute" }
                Thread.sleep(1)
            }
        }
        microphone.close()
        return FloatArray(channels) { block[(it + 1) * BLOCK_SAMPLES - 1] }
    }

    @After
    fun forget() = ShadowAudioRecord.clearSource()

    @Test
    fun `an array of four channels is opened by channel index`() {
        assertArrayEquals(floatArrayOf(0.1f, 0.2f, 0.3f, 0.4f), heard(4), 1e-4f)
        assertEquals(0xF to 48_000, opened!!.format.channelIndexMask to opened!!.sampleRate)
    }

    @Test
    fun `stereo and mono models take the microphones of a phone`() {
        assertArrayEquals(floatArrayOf(0.1f, 0.2f), heard(2), 1e-4f)
        assertEquals(AudioFormat.CHANNEL_IN_STEREO, opened!!.channelConfiguration)
        assertArrayEquals(floatArrayOf(0.1f), heard(1), 1e-4f)
        assertEquals(AudioFormat.CHANNEL_IN_MONO, opened!!.channelConfiguration)
    }

    @Test
    fun `a closed microphone is given back`() {
        heard(1)
        assertEquals(AudioRecord.STATE_UNINITIALIZED, opened!!.state)
    }
}
