package org.edgeseld.core

/** Errors a user can meet; every message states the rule, the value received and the next step. */
open class EdgeseldException(message: String, cause: Throwable? = null) : Exception(message, cause)

/** A bundle is incomplete, altered, unsafe or of a newer schema. */
class BundleException(message: String, cause: Throwable? = null) : EdgeseldException(message, cause)

/** An impossible number of passes or frames was asked for. */
class ConfigException(message: String) : EdgeseldException(message)

/** Audio has the wrong channels, rate, length or values. */
class AudioFormatException(message: String) : EdgeseldException(message)

/** A live stream cannot go on: it is over. */
class StreamException(message: String) : EdgeseldException(message)
