package org.edgeseld.tflite

import java.io.File
import org.bytedeco.javacpp.FloatPointer
import org.bytedeco.tensorflowlite.TfLiteInterpreter
import org.bytedeco.tensorflowlite.TfLiteModel
import org.bytedeco.tensorflowlite.TfLiteSignatureRunner
import org.bytedeco.tensorflowlite.TfLiteTensor
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterCreate
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterDelete
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterGetSignatureRunner
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterOptionsCreate
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterOptionsDelete
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterOptionsSetNumThreads
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteModelCreateFromFile
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteModelDelete
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteSignatureRunnerAllocateTensors
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteSignatureRunnerDelete
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteSignatureRunnerGetInputTensor
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteSignatureRunnerGetOutputTensor
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteSignatureRunnerInvoke
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteTensorByteSize
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteTensorCopyFromBuffer
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteTensorCopyToBuffer
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteVersion
import org.bytedeco.tensorflowlite.global.tensorflowlite.kTfLiteOk
import org.edgeseld.core.BundleException
import org.edgeseld.core.Tensor
import org.edgeseld.core.bundle.Bundle
import org.edgeseld.core.bundle.GraphSpec
import org.edgeseld.core.bundle.Role
import org.edgeseld.core.bundle.TensorSpec
import org.edgeseld.core.hearing.Backend

private const val FLOAT_BYTES = 4L

/** TensorFlow Lite's C API, the same source on the JVM and on Android: one signature per graph, opened when it is first run. */
class TfliteBackend(private val bundle: Bundle, private val threads: Int = 1) : Backend {
    private val signatures = mutableMapOf<Role, Signature>()
    override val name = "TensorFlow Lite ${TfLiteVersion().string}"

    override fun run(role: Role, inputs: List<Tensor>): List<Tensor> =
        signatures.getOrPut(role) { Signature(bundle.file(role), bundle.graph(role), threads) }.run(inputs)

    override fun close() {
        signatures.values.forEach(Signature::close)
        signatures.clear()
    }
}

/** One graph, ready to run; its buffers outside the Java heap are made once. */
private class Signature(file: File, private val graph: GraphSpec, threads: Int) {
    private val model: TfLiteModel = TfLiteModelCreateFromFile(file.path) ?: throw broken(file, "is no TFLite model")
    private val interpreter: TfLiteInterpreter = interpreter(file, threads)
    private val runner: TfLiteSignatureRunner =
        TfLiteInterpreterGetSignatureRunner(interpreter, graph.entry) ?: throw broken(file, "has no signature '${graph.entry}'")
    private val buffers: Map<String, FloatPointer>

    init {
        if (TfLiteSignatureRunnerAllocateTensors(runner) != kTfLiteOk) throw broken(file, "finds no memory for its tensors")
        for (spec in graph.inputs) checkSize(file, spec, TfLiteSignatureRunnerGetInputTensor(runner, spec.name))
        for (spec in graph.outputs) checkSize(file, spec, TfLiteSignatureRunnerGetOutputTensor(runner, spec.name))
        buffers = (graph.inputs + graph.outputs).associate { it.name to FloatPointer(it.size) }
    }

    fun run(inputs: List<Tensor>): List<Tensor> {
        for ((spec, tensor) in graph.inputs.zip(inputs)) {
            val buffer = buffers.getValue(spec.name)
            buffer.put(tensor.data, 0, tensor.data.size)
            check(TfLiteTensorCopyFromBuffer(TfLiteSignatureRunnerGetInputTensor(runner, spec.name), buffer, spec.size * FLOAT_BYTES) == kTfLiteOk)
        }
        check(TfLiteSignatureRunnerInvoke(runner) == kTfLiteOk) { "${graph.file} could not be run" }
        return graph.outputs.map { spec ->
            val buffer = buffers.getValue(spec.name)
            check(TfLiteTensorCopyToBuffer(TfLiteSignatureRunnerGetOutputTensor(runner, spec.name), buffer, spec.size * FLOAT_BYTES) == kTfLiteOk)
            Tensor(spec.shape, FloatArray(spec.size.toInt()).also { buffer.get(it) })
        }
    }

    fun close() {
        TfLiteSignatureRunnerDelete(runner)
        TfLiteInterpreterDelete(interpreter)
        TfLiteModelDelete(model)
        buffers.values.forEach(FloatPointer::close)
    }

    private fun interpreter(file: File, threads: Int): TfLiteInterpreter {
        val options = TfLiteInterpreterOptionsCreate()
        TfLiteInterpreterOptionsSetNumThreads(options, threads)
        return TfLiteInterpreterCreate(model, options).also { TfLiteInterpreterOptionsDelete(options) }
            ?: throw broken(file, "cannot be interpreted")
    }

    private fun checkSize(file: File, spec: TensorSpec, tensor: TfLiteTensor?) {
        val bytes = tensor?.let { TfLiteTensorByteSize(it) }
        if (bytes != spec.size * FLOAT_BYTES) throw broken(file, "has $bytes bytes for ${spec.name}, the manifest says ${spec.size * FLOAT_BYTES}")
    }
}

private val TensorSpec.size: Long get() = shape.fold(1L) { product, length -> product * length }

private fun broken(file: File, what: String) = BundleException("$file $what: export the bundle again")
