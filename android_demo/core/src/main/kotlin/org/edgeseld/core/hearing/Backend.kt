package org.edgeseld.core.hearing

import org.edgeseld.core.Tensor
import org.edgeseld.core.bundle.Role

/** Runs the graphs of one bundle. */
interface Backend : AutoCloseable {
    /** Runtime and version, for the read-out. */
    val name: String

    /** Outputs of a graph in the manifest's order; inputs in the manifest's order. */
    fun run(role: Role, inputs: List<Tensor>): List<Tensor>

    override fun close() = Unit
}
