#!/usr/bin/env bash
# resources.sh TARGET SRC_MAIN REPOSITORY: assets, resources and manifest to TARGET/resources.apk, R.java and Robolectric's settings.
set -euo pipefail
target=$1 source=$2 repository=$3
aapt2=$target/tools/prebuilt/linux/aapt2 sdk=$target/sdk/android.jar assets=$target/assets
chmod +x "$aapt2"
rm -rf "$assets" "$target/r"
mkdir -p "$assets/scenes" "$assets/bundles" "$target/r" "$target/test-classes/com/android/tools"
cp "$repository/examples/sample_scene.wav" "$assets/scenes/"
# Every released TFLite bundle of the students goes into the APK as it is shipped.
cp "$repository"/models/student-*/bundles/*-tflite-*.seld.zip "$assets/bundles/"
"$aapt2" compile --dir "$source/res" -o "$target/res.zip"
"$aapt2" link -I "$sdk" --manifest "$source/AndroidManifest.xml" --min-sdk-version 26 --target-sdk-version 35 \
  --java "$target/r" --proguard "$target/aapt.pro" --auto-add-overlay -A "$assets" -o "$target/resources.apk" "$target/res.zip"
cat > "$target/test-classes/com/android/tools/test_config.properties" <<P
android_merged_manifest=$source/AndroidManifest.xml
android_merged_assets=$assets
android_resource_apk=$target/resources.apk
android_custom_package=org.edgeseld.demo
P
