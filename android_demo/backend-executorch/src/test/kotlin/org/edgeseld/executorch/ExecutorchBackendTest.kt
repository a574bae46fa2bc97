package org.edgeseld.executorch

import java.io.File
import org.edgeseld.core.BundleException
import org.edgeseld.core.Tensor
import org.edgeseld.core.bundle.Bundle
import org.edgeseld.core.bundle.GraphSpec
import org.edgeseld.core.bundle.Manifest
import org.edgeseld.core.bundle.OutputFormat
import org.edgeseld.core.bundle.Precision
import org.edgeseld.core.bundle.ProvenanceSpec
import org.edgeseld.core.bundle.Role
import org.edgeseld.core.bundle.SignalSpec
import org.edgeseld.core.bundle.Target
import org.edgeseld.core.bundle.TensorSpec
import org.edgeseld.core.bundle.ToleranceSpec
import org.edgeseld.core.bundle.TrackingSpec
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class ExecutorchBackendTest {
    private val calls = mutableListOf<Pair<String, List<Float>>>()
    private val opened = mutableListOf<File>()
    private var closed = 0

    /** Gives (1, 2) whatever it is asked. */
    private inner class FakeProgram : Program {
        override fun execute(method: String, inputs: List<Tensor>): List<Tensor> {
            calls += method to inputs.flatMap { it.data.toList() }
            return listOf(Tensor(listOf(1, 2), floatArrayOf(3f, 4f)))
        }

        override fun close() {
            closed++
        }
    }

    private fun graph(file: String, entry: String?, vararg shape: Int) = GraphSpec(
        file = file, entry = entry,
        inputs = listOf(TensorSpec("x", listOf(1), "made up"), TensorSpec("mask_0", listOf(2), "made up")),
        outputs = listOf(TensorSpec("accdoa", shape.toList(), "made up")),
    )

    private fun manifest(graphs: Map<Role, GraphSpec>) = Manifest(
        id = "made-up", signal = SignalSpec(), contextSamples = 544, outputFormat = OutputFormat.MULTI_ACCDOA, classes = listOf("bell"),
        tracking = TrackingSpec(), graphs = graphs, version = "0.0.1", description = "made up", licence = "MIT", target = Target.EXECUTORCH,
        precision = Precision.FP32, verified = true, tolerance = ToleranceSpec(1.0, 1.0, 1.0, 1.0),
        provenance = ProvenanceSpec("0".repeat(64), "0".repeat(64), emptyMap()),
    )

    private fun backend(graphs: Map<Role, GraphSpec>): ExecutorchBackend {
        return ExecutorchBackend(Bundle(File("bundle"), manifest(graphs))) { file ->
            opened += file
            FakeProgram()
        }
    }

    private val inputs = listOf(Tensor(listOf(1), floatArrayOf(7f)), Tensor(listOf(2), floatArrayOf(8f, 9f)))

    @Test
    fun `a role runs the method of its graph with the inputs in order, and graphs of one file share a program`() {
        val backend = backend(
            mapOf(Role.FULL to graph("a.pte", "full", 1, 2), Role.HEAD to graph("a.pte", "head", 1, 2), Role.STREAM to graph("b.pte", "stream", 1, 2)),
        )
        val outputs = listOf(Role.FULL, Role.HEAD, Role.STREAM).map { backend.run(it, inputs).single().data.toList() }
        assertEquals(List(3) { listOf(3f, 4f) }, outputs)
        assertEquals(listOf("full", "head", "stream").map { it to listOf(7f, 8f, 9f) }, calls)
        assertEquals(listOf("a.pte", "b.pte").map { File("bundle", it) }, opened)
        backend.close()
        assertEquals(2, closed)
    }

    @Test
    fun `outputs of other shapes than the manifest's are refused`() {
        val error = assertThrows(IllegalStateException::class.java) { backend(mapOf(Role.FULL to graph("a.pte", "full", 2, 1))).run(Role.FULL, inputs) }
        assertTrue(error.message!!.contains("[2, 1]") && error.message!!.contains("[1, 2]"), error.message)
    }

    @Test
    fun `a graph without a method is refused before a file is opened`() {
        assertThrows(BundleException::class.java) { backend(mapOf(Role.FULL to graph("a.pte", null, 1, 2))).run(Role.FULL, inputs) }
        assertEquals(emptyList<File>(), opened)
    }
}
