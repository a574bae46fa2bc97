package org.edgeseld.executorch

import java.io.File
import org.edgeseld.core.BundleException
import org.edgeseld.core.Tensor
import org.edgeseld.core.bundle.Bundle
import org.edgeseld.core.bundle.Role
import org.edgeseld.core.hearing.Backend

/** A .pte file with one method per graph. */
interface Program : AutoCloseable {
    /** Outputs of a method; IllegalStateException where the runtime fails. */
    fun execute(method: String, inputs: List<Tensor>): List<Tensor>
}

/** ExecuTorch: graphs that share a file share its program, which is opened when the first of them is run. */
class ExecutorchBackend(private val bundle: Bundle, private val open: (File) -> Program) : Backend {
    constructor(bundle: Bundle, threads: Int = 1) : this(bundle, { file -> NativeProgram(file, threads) })

    private val programs = mutableMapOf<File, Program>()
    override val name = "ExecuTorch"

    override fun run(role: Role, inputs: List<Tensor>): List<Tensor> {
        val graph = bundle.graph(role)
        val method = graph.entry ?: throw BundleException("${bundle.manifest.name} names no method for '${role.label}': export it again")
        val file = bundle.file(role)
        val outputs = programs.getOrPut(file) { open(file) }.execute(method, inputs)
        check(outputs.map { it.shape } == graph.outputs.map { it.shape }) {
            "method $method gives ${graph.outputs.map { it.shape }}, got ${outputs.map { it.shape }}"
        }
        return outputs
    }

    override fun close() = programs.values.forEach(Program::close)
}
