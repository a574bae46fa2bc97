package org.edgeseld.demo

import android.annotation.SuppressLint
import android.content.Context
import android.media.AudioDeviceInfo
import android.media.AudioFormat
import android.media.AudioManager
import android.media.AudioRecord
import android.media.MediaRecorder
import android.os.Process
import org.edgeseld.core.AudioFormatException
import org.edgeseld.core.signal.Capture
import org.edgeseld.core.signal.RingBuffer

private const val RATE_HZ = 48_000
private const val BLOCK_FRAMES = 480
private const val RING_SAMPLES = 5 * 24_000

/** The microphone, or a USB array with as many channels as the model takes, read by a thread of its own into `ring`. */
class Microphone(context: Context, private val channels: Int) {
    val ring = RingBuffer(channels, RING_SAMPLES)
    private val capture = Capture(channels, RATE_HZ, ring)
    private val record = open(context)
    private val block = FloatArray(BLOCK_FRAMES * channels)

    @Volatile
    private var recording = true
    private val thread = Thread(::read, "capture").apply { start() }

    val level: Float get() = capture.level

    /** Gives the microphone back. */
    fun close() {
        recording = false
        thread.join()
        record.release()
    }

    private fun read() {
        Process.setThreadPriority(Process.THREAD_PRIORITY_URGENT_AUDIO)
        record.startRecording()
        while (recording) {
            val count = record.read(block, 0, block.size, AudioRecord.READ_BLOCKING)
            // The device is gone; what follows is silence, and the listener notices that nothing comes.
            if (count < 0) break
            capture.push(block, count / channels)
        }
        record.stop()
    }

    // The activity asks before it listens.
    @SuppressLint("MissingPermission")
    private fun open(context: Context): AudioRecord {
        val manager = context.getSystemService(AudioManager::class.java)
        val format = AudioFormat.Builder().setSampleRate(RATE_HZ).setEncoding(AudioFormat.ENCODING_PCM_FLOAT)
        when (channels) {
            1 -> format.setChannelMask(AudioFormat.CHANNEL_IN_MONO)
            2 -> format.setChannelMask(AudioFormat.CHANNEL_IN_STEREO)
            else -> format.setChannelIndexMask((1 shl channels) - 1)
        }
        val raw = manager.getProperty(AudioManager.PROPERTY_SUPPORT_AUDIO_SOURCE_UNPROCESSED) == "true"
        try {
            val built = AudioRecord.Builder().setAudioFormat(format.build())
                .setAudioSource(if (raw) MediaRecorder.AudioSource.UNPROCESSED else MediaRecorder.AudioSource.VOICE_RECOGNITION)
                .setBufferSizeInBytes(4 * 4 * BLOCK_FRAMES * channels * 4).build()
            array(manager)?.let(built::setPreferredDevice)
            return built
        } catch (error: UnsupportedOperationException) {
            throw noSuchMicrophone(error)
        } catch (error: IllegalArgumentException) {
            throw noSuchMicrophone(error)
        }
    }

    private fun noSuchMicrophone(error: Exception) =
        AudioFormatException("no microphone gives $channels channels (${error.message}): connect an array, or choose another model")

    /** A USB device with enough channels, if one is connected. */
    private fun array(manager: AudioManager): AudioDeviceInfo? = manager.getDevices(AudioManager.GET_DEVICES_INPUTS)
        .filter { it.type == AudioDeviceInfo.TYPE_USB_DEVICE || it.type == AudioDeviceInfo.TYPE_USB_HEADSET }
        .firstOrNull { device -> device.channelCounts.isEmpty() || device.channelCounts.any { it >= channels } }
}
