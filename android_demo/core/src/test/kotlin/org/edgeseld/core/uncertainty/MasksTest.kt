package org.edgeseld.core.uncertainty

import org.edgeseld.core.bundle.MaskSiteSpec
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

class MasksTest {
    private fun words(c0: Long, c1: Long, c2: Long, c3: Long, seed: Long) = LongArray(4).also { Philox.draw(c0, c1, c2, c3, seed, it) }

    @Test
    fun `known answers of the generator`() {
        assertArrayEquals(longArrayOf(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8), words(0, 0, 0, 0, 0))
        val ones = 0xffffffffL
        assertArrayEquals(longArrayOf(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd), words(ones, ones, ones, ones, -1))
        assertArrayEquals(
            longArrayOf(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1),
            words(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0x299f31d0_a4093822),
        )
    }

    @Test
    fun `a channel is dropped or scaled, and no rate drops none`() {
        val (dropped, kept) = drawMasks(listOf(MaskSiteSpec("a", 64, 0.25), MaskSiteSpec("b", 3, 0.0)), samples = 50, seed = 7)
        assertEquals(setOf(0f, (1.0 / 0.75).toFloat()), dropped.data.toSet())
        assertEquals(0.25, dropped.data.count { it == 0f } / 3_200.0, 0.03)
        assertEquals(setOf(1f), kept.data.toSet())
        assertEquals(listOf(50, 1, 3), kept.shape)
    }
}
