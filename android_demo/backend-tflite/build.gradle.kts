plugins { kotlin("jvm") }

kotlin { jvmToolchain(17) }

dependencies {
    api(project(":core"))
    api("org.bytedeco:tensorflow-lite:2.21.0-1.5.14")
}
