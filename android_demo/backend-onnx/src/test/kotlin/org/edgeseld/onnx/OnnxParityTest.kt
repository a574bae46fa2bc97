package org.edgeseld.onnx

import org.edgeseld.core.ParityCases
import org.junit.jupiter.api.TestFactory

class OnnxParityTest {
    private val cases = ParityCases("onnx") { OnnxBackend(it) }

    @TestFactory
    fun `golden vectors of every bundle`() = cases.goldenTests()

    @TestFactory
    fun `events are Python's`() = cases.referenceTests()
}
