package org.edgeseld.core.present

import java.io.IOException
import java.net.HttpURLConnection
import java.net.URL
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import org.edgeseld.core.EdgeseldException
import org.edgeseld.core.hearing.Passes
import org.edgeseld.core.tracking.EventList

/** The longest wait for a whole scene, and for a window. */
const val SCENE_TIMEOUT_MS = 20_000
const val WINDOW_TIMEOUT_MS = 10_000
private const val MOST_DETAIL = 300

/** No network, a refusal, or an answer that is none. */
class CloudException(message: String, cause: Throwable? = null) : EdgeseldException(message, cause)

/** Events of a WAV file from `edgeseld serve` at `address`, such as http://192.168.0.2:8000. CloudException where there are none. */
fun askCloud(address: String, wav: ByteArray, passes: Passes, timeoutMs: Int): EventList {
    val query = "mc_samples=${passes.mcSamples}&time_shifts=${passes.timeShifts}&seed=${passes.seed}"
    try {
        val connection = URL("${address.trimEnd('/')}/v1/events?$query").openConnection() as HttpURLConnection
        connection.requestMethod = "POST"
        connection.connectTimeout = timeoutMs
        connection.readTimeout = timeoutMs
        connection.doOutput = true
        connection.setRequestProperty("Content-Type", "audio/wav")
        connection.setFixedLengthStreamingMode(wav.size)
        connection.outputStream.use { it.write(wav) }
        if (connection.responseCode != HttpURLConnection.HTTP_OK) {
            val detail = connection.errorStream?.use { it.readBytes().decodeToString().take(MOST_DETAIL) } ?: ""
            throw CloudException("the server answered ${connection.responseCode}: $detail")
        }
        return Json.decodeFromString<EventList>(connection.inputStream.use { it.readBytes().decodeToString() })
    } catch (error: IOException) {
        throw CloudException("$address cannot be reached (${error.message}): check the network and the address", error)
    } catch (error: SerializationException) {
        throw CloudException("$address is no edgeseld server (${error.message?.take(MOST_DETAIL)}): check the address", error)
    } catch (error: ClassCastException) {
        throw CloudException("$address is no web address: begin with http:// or https://", error)
    }
}
