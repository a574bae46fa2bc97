package org.edgeseld.tflite

import org.edgeseld.core.ParityCases
import org.junit.jupiter.api.TestFactory

class TfliteParityTest {
    private val cases = ParityCases("tflite") { TfliteBackend(it) }

    @TestFactory
    fun `golden vectors of every bundle`() = cases.goldenTests()

    @TestFactory
    fun `events are Python's`() = cases.referenceTests()
}
