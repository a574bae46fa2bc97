package org.edgeseld.core.uncertainty

private const val LOW_WORD = 0xFFFFFFFFL
private const val FIRST_MULTIPLIER = 0xD2511F53L
private const val SECOND_MULTIPLIER = 0xCD9E8D57L
private const val FIRST_KEY_STEP = 0x9E3779B9L
private const val SECOND_KEY_STEP = 0xBB67AE85L
private const val ROUNDS = 10

/** Philox 4x32-10 (Salmon et al. 2011), the same words as edgeseld/runtime/philox.py. */
object Philox {
    /** Four random words, each 0 .. 2^32 - 1, of the counter (c0, c1, c2, c3) under a 64-bit seed, written to `words`. */
    fun draw(c0: Long, c1: Long, c2: Long, c3: Long, seed: Long, words: LongArray) {
        var w0 = c0
        var w1 = c1
        var w2 = c2
        var w3 = c3
        var k0 = seed and LOW_WORD
        var k1 = seed ushr 32
        repeat(ROUNDS) {
            val first = w0 * FIRST_MULTIPLIER
            val second = w2 * SECOND_MULTIPLIER
            w0 = (second ushr 32) xor w1 xor k0
            w1 = second and LOW_WORD
            w2 = (first ushr 32) xor w3 xor k1
            w3 = first and LOW_WORD
            k0 = (k0 + FIRST_KEY_STEP) and LOW_WORD
            k1 = (k1 + SECOND_KEY_STEP) and LOW_WORD
        }
        words[0] = w0
        words[1] = w1
        words[2] = w2
        words[3] = w3
    }
}
