package org.edgeseld.core

import java.io.File

/** Files of the repository that Python and Kotlin share. */
object Repository {
    private val root = File(checkNotNull(System.getProperty("repository.root")) { "surefire names the root of the repository" })

    val trackingCases = File(root, "tests/golden/tracking.json")
    val fallbackCases = File(root, "tests/golden/fallback.json")
    val halvingCase = File(root, "tests/golden/features/halving.json")
    val manifestSchema = File(root, "docs/manifest.schema.json")
    val recordings: List<File> = File(root, "tests/golden/hearing").listFiles { file -> file.extension == "json" }!!.sorted()
    val sampleScene = File(root, "examples/sample_scene.wav")

    /** Released bundles of all models, compressed. */
    val releasedBundles: List<File> = File(root, "models").listFiles()!!.sorted()
        .flatMap { model -> File(model, "bundles").listFiles()?.toList() ?: emptyList() }
        .filter { it.name.endsWith(".seld.zip") }.sorted()
}
