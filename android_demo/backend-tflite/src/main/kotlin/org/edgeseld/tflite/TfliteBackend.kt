package org.edgeseld.tflite

import java.io.File
import org.bytedeco.javacpp.FloatPointer
import org.bytedeco.javacpp.Pointer
import org.bytedeco.tensorflowlite.BuiltinOpResolver
import org.bytedeco.tensorflowlite.FlatBufferModel
import org.bytedeco.tensorflowlite.Interpreter
import org.bytedeco.tensorflowlite.InterpreterBuilder
import org.bytedeco.tensorflowlite.SignatureRunner
import org.bytedeco.tensorflowlite.TfLiteTensor
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

/**
 * TensorFlow Lite, the same source on the JVM and on Android: one signature per graph, opened when it is first run.
 *
 * By its C++ interface, whose resolver brings XNNPACK along; the C interface of this build leaves it out (README.md).
 */
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

/** One graph, ready to run; nothing is allocated outside the Java heap after the start. */
private class Signature(file: File, private val graph: GraphSpec, threads: Int) {
    private val model: FlatBufferModel = FlatBufferModel.BuildFromFile(file.path)?.takeUnless { it.isNull } ?: throw broken(file, "is no TFLite model")
    private val resolver = BuiltinOpResolver()
    private val interpreter = interpreter(file, threads)
    private val runner: SignatureRunner =
        interpreter.GetSignatureRunner(graph.entry)?.takeUnless { it.isNull } ?: throw broken(file, "has no signature '${graph.entry}'")

    init {
        if (runner.AllocateTensors() != kTfLiteOk) throw broken(file, "finds no memory for its tensors")
        for (spec in graph.inputs) checkSize(file, spec, runner.input_tensor(spec.name))
        for (spec in graph.outputs) checkSize(file, spec, runner.output_tensor(spec.name))
    }

    fun run(inputs: List<Tensor>): List<Tensor> {
        for ((spec, tensor) in graph.inputs.zip(inputs)) floats(runner.input_tensor(spec.name)).put(tensor.data, 0, tensor.data.size)
        check(runner.Invoke() == kTfLiteOk) { "${graph.file} could not be run" }
        return graph.outputs.map { spec ->
            Tensor(spec.shape, FloatArray(spec.size).also { floats(runner.output_tensor(spec.name)).get(it) })
        }
    }

    fun close() {
        interpreter.close()
        resolver.close()
        model.close()
    }

    private fun floats(tensor: TfLiteTensor): FloatPointer = tensor.data().f()

    private fun interpreter(file: File, threads: Int): Interpreter {
        val made = Interpreter(null as Pointer?)
        InterpreterBuilder(model, resolver).use { builder ->
            builder.SetNumThreads(threads)
            if (builder.apply(made) != kTfLiteOk) throw broken(file, "cannot be interpreted")
        }
        return made
    }

    private fun checkSize(file: File, spec: TensorSpec, tensor: TfLiteTensor?) {
        val bytes = tensor?.takeUnless { it.isNull }?.bytes()
        if (bytes != spec.size * FLOAT_BYTES) throw broken(file, "has $bytes bytes for ${spec.name}, the manifest says ${spec.size * FLOAT_BYTES}")
    }
}

private val TensorSpec.size: Int get() = shape.fold(1, Int::times)

private fun broken(file: File, what: String) = BundleException("$file $what: export the bundle again")
