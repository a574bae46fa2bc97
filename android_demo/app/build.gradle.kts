plugins { id("com.android.application"); kotlin("android") }

android {
    namespace = "org.edgeseld.demo"
    compileSdk = 35
    defaultConfig { applicationId = "org.edgeseld.demo"; minSdk = 26; targetSdk = 35; ndk { abiFilters += "arm64-v8a" } }
    sourceSets["main"].kotlin.srcDir("src/main/kotlin")
    // Maven's build puts scenes and released bundles here: tools/resources.sh.
    sourceSets["main"].assets.srcDir("target/assets")
    packaging { jniLibs.useLegacyPackaging = true }
}

kotlin { jvmToolchain(17) }

dependencies {
    implementation(project(":backend-tflite"))
    runtimeOnly("org.bytedeco:tensorflow-lite:2.21.0-1.5.14:android-arm64")
    runtimeOnly("org.bytedeco:javacpp:1.5.14:android-arm64")
}
