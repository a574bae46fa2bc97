package org.edgeseld.core.hearing

import org.edgeseld.core.BundleException
import org.edgeseld.core.Tensor
import org.edgeseld.core.bundle.Manifest
import org.edgeseld.core.bundle.Role
import org.edgeseld.core.uncertainty.Calibration
import org.edgeseld.core.uncertainty.Samples
import org.edgeseld.core.uncertainty.decodeSamples

typealias Outputs = Map<String, Tensor>

/** What a model is, the backend that runs it, and its calibration if it has one. */
class Graphs(val manifest: Manifest, private val backend: Backend) {
    val calibration: Calibration? = Calibration.of(manifest)

    /** Outputs by name. */
    fun run(role: Role, inputs: List<Tensor>): Outputs =
        require(role, "this").outputs.map { it.name }.zip(backend.run(role, inputs)).toMap()

    /** The graph of a role; BundleException where the model has none. */
    fun require(role: Role, purpose: String) = manifest.graph(role) ?: throw BundleException(
        "$purpose needs the graph '${role.label}', ${manifest.id} has only ${manifest.graphs.keys.joinToString { it.label }}: " +
            "export it with that graph, or choose another model",
    )

    /** Outputs with a leading axis of samples, activities as the network gives them: tracks are aligned on these. */
    fun decode(outputs: Outputs): Samples = decodeSamples(outputs, manifest.outputFormat)

    /** Samples with calibrated activities. */
    fun calibrate(samples: Samples): Samples = calibration?.samples(samples) ?: samples

    /** Outputs of one pass, without a batch dimension, with calibrated activities; tracks as the network gives them. */
    fun interpret(outputs: Outputs): Prediction {
        val prediction = decode(outputs, manifest.outputFormat, manifest.classes)
        return calibration?.let { prediction.copy(activity = it.activities(prediction.activity)) } ?: prediction
    }

    /** Scaled spreads, and near tracks unified. */
    fun finish(prediction: Prediction): Prediction {
        val rules = manifest.tracking
        return unify(calibration?.spread(prediction) ?: prediction, rules.thresholds(manifest.classes), rules.unifyDeg)
    }
}
