package org.edgeseld.core.fallback

/**
 * Closed: ask. Open after `failuresToOpen` failures in a row: do not, for `openS` seconds. Then one attempt decides
 * (cloud/patience.py). One thread asks at a time.
 */
class CircuitBreaker(private val failuresToOpen: Int = 3, private val openS: Double = 30.0) {
    private var failures = 0
    private var openedAtS: Double? = null

    /** Whether a request may go out. */
    fun allows(nowS: Double): Boolean = openedAtS.let { it == null || nowS - it >= openS }

    /** An answer came. */
    fun succeeded() {
        failures = 0
        openedAtS = null
    }

    /** None came; one failure is enough to open anew. */
    fun failed(nowS: Double) {
        failures++
        if (failures >= failuresToOpen) openedAtS = nowS
    }
}
