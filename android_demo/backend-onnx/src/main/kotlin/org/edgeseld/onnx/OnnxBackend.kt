package org.edgeseld.onnx

import ai.onnxruntime.OnnxTensor
import ai.onnxruntime.OrtEnvironment
import ai.onnxruntime.OrtLoggingLevel
import ai.onnxruntime.OrtSession
import java.nio.FloatBuffer
import org.edgeseld.core.Tensor
import org.edgeseld.core.bundle.Bundle
import org.edgeseld.core.bundle.Role
import org.edgeseld.core.hearing.Backend

/** ONNX Runtime: one session per graph, opened from its file when it is first run, beside which the weights lie. */
class OnnxBackend(private val bundle: Bundle, private val threads: Int = 1) : Backend {
    private val environment = OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR)
    private val sessions = mutableMapOf<Role, OrtSession>()
    override val name = "ONNX Runtime ${environment.version}"

    override fun run(role: Role, inputs: List<Tensor>): List<Tensor> {
        val graph = bundle.graph(role)
        val session = sessions.getOrPut(role) { open(role) }
        val feeds = graph.inputs.zip(inputs).associate { (spec, tensor) -> spec.name to feed(tensor) }
        try {
            return session.run(feeds).use { results -> graph.outputs.map { read(results.get(it.name).get() as OnnxTensor) } }
        } finally {
            feeds.values.forEach(OnnxTensor::close)
        }
    }

    override fun close() = sessions.values.forEach(OrtSession::close)

    private fun open(role: Role): OrtSession = OrtSession.SessionOptions().use { options ->
        options.setIntraOpNumThreads(threads)
        options.setInterOpNumThreads(1)
        // Threads that go on spinning take the cores from those of the next graph's session, and the battery's charge.
        options.addConfigEntry("session.force_spinning_stop", "1")
        environment.createSession(bundle.file(role).path, options)
    }

    private fun feed(tensor: Tensor): OnnxTensor =
        OnnxTensor.createTensor(environment, FloatBuffer.wrap(tensor.data), tensor.shape.map(Int::toLong).toLongArray())

    private fun read(tensor: OnnxTensor): Tensor {
        val buffer = tensor.floatBuffer
        return Tensor(tensor.info.shape.map(Long::toInt), FloatArray(buffer.remaining()).also { buffer.get(it) })
    }
}
