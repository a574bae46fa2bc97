// For Android Studio; the project's own build is Maven (README.md).
pluginManagement { repositories { google(); mavenCentral(); gradlePluginPortal() } }
dependencyResolutionManagement { repositories { google(); mavenCentral() } }
rootProject.name = "edgeseld-demo"
include(":core", ":backend-tflite", ":app")
// After tools/executorch.sh.
if (file("backend-executorch/target/npm").exists()) include(":backend-executorch")
