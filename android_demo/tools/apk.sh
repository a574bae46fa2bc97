#!/usr/bin/env bash
# apk.sh FOLDER: assembles, aligns and signs FOLDER/edgeseld-demo.apk from what Maven left in the modules.
# EDGESELD_KEYSTORE and EDGESELD_KEYSTORE_PASSWORD name a PKCS12 store; without them a debug key is made once.
set -euo pipefail
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
app=$PWD/app/target packing=$PWD/app/target/packing
jdk=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")
rm -rf "${out:?}"/* && mkdir -p "$out/dex" "$out/content/lib/arm64-v8a"
for module in core backend-tflite app; do (cd "$module/target/classes" && find . -name '*.class' | LC_ALL=C sort | zip -qX "$out/$module.jar" -@); done
java -Xmx1g -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$packing/r8.jar" com.android.tools.r8.R8 --release --min-api 26 --lib "$app/sdk/android.jar" --lib "$jdk" \
  --pg-conf tools/keep.pro --pg-conf "$app/aapt.pro" --pg-map-output "$out/mapping.txt" --output "$out/dex" \
  "$out"/{core,backend-tflite,app}.jar "$packing"/{kotlin-stdlib,annotations,kotlinx-serialization-json-jvm,kotlinx-serialization-core-jvm,tensorflow-lite,javacpp}.jar
cp "$app/resources.apk" "$out/unsigned.apk"
# aapt2 stores sounds as they are; as assets they may be compressed.
unzip -qo "$out/unsigned.apk" 'assets/*' -d "$out/content" && zip -qd "$out/unsigned.apk" 'assets/*'
cp "$out/dex/classes.dex" "$out/content/"
# JavaCPP reads its properties at run time.
unzip -qo "$packing/javacpp.jar" org/bytedeco/javacpp/properties/android-arm64.properties -d "$out/content"
for jar in "$packing"/*-android-arm64.jar; do unzip -qoj "$jar" 'lib/arm64-v8a/*.so' -d "$out/content/lib/arm64-v8a"; done
export TZ=UTC
(cd "$out/content" && find . -exec touch -d 1980-01-01T00:00:00Z {} + && find . -type f | LC_ALL=C sort | zip -qX9 "$out/unsigned.apk" -@)
store=${EDGESELD_KEYSTORE:-$app/debug.p12} password=${EDGESELD_KEYSTORE_PASSWORD:-android}
[ -f "$store" ] || keytool -genkeypair -keystore "$store" -storetype PKCS12 -storepass "$password" -alias demo -keyalg RSA -keysize 2048 \
  -validity 10000 -dname CN=edgeseld-demo 2>/dev/null
java -cp "$packing/apksig.jar" tools/Sign.java "$out/unsigned.apk" "$out/edgeseld-demo.apk" "$store" "$password"
