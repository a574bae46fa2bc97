package org.edgeseld.executorch

import java.io.File
import org.edgeseld.core.Tensor
import org.pytorch.executorch.EValue
import org.pytorch.executorch.ExecutorchRuntimeException
import org.pytorch.executorch.Module
import org.pytorch.executorch.Tensor as NativeTensor

/** A program on libexecutorch.so, which the class Module loads; the only code here that needs a device. */
class NativeProgram(file: File, threads: Int) : Program {
    private val module = Module.load(file.path, Module.LOAD_MODE_MMAP, threads)

    override fun execute(method: String, inputs: List<Tensor>): List<Tensor> = try {
        module.execute(method, *inputs.map(::feed).toTypedArray()).map(::read)
    } catch (error: ExecutorchRuntimeException) {
        throw IllegalStateException("ExecuTorch could not run $method: ${error.detailedError}", error)
    }

    override fun close() = module.destroy()

    private fun feed(tensor: Tensor): EValue =
        EValue.from(NativeTensor.fromBlob(tensor.data, LongArray(tensor.shape.size) { tensor.shape[it].toLong() }))

    private fun read(value: EValue): Tensor = value.toTensor().let { Tensor(it.shape().map(Long::toInt), it.dataAsFloatArray) }
}
