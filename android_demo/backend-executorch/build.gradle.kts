plugins { id("com.android.library"); kotlin("android") }

android {
    namespace = "org.edgeseld.executorch"
    compileSdk = 35
    defaultConfig { minSdk = 26; ndk { abiFilters += listOf("arm64-v8a", "x86_64") } }
    sourceSets["main"].kotlin.srcDir("src/main/kotlin")
    // tools/executorch.sh puts libexecutorch.so here.
    sourceSets["main"].jniLibs.srcDir("target/jniLibs")
}

kotlin { jvmToolchain(17) }

dependencies {
    api(project(":core"))
    api(files("target/npm/package/android/libs/classes.jar"))
    implementation("com.facebook.fbjni:fbjni:0.7.0")
    implementation("com.facebook.soloader:nativeloader:0.10.5")
}
