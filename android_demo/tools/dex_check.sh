#!/usr/bin/env bash
# Runs the tests of `core` on its own dex: D8 -> classes.dex -> enjarify -> JUnit on the JVM, with full verification.
set -euo pipefail
cd "$(dirname "$0")/.."
# Debian's enjarify runs on the system's Python.
export PATH=/usr/bin:$PATH
out=$PWD/app/target/dexcheck packing=$PWD/app/target/packing
jdk=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")
rm -rf "$out" && mkdir -p "$out/dex"
(cd core/target/classes && zip -qr "$out/core.jar" . -i '*.class')
java -Xmx1g -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$packing/r8.jar" com.android.tools.r8.D8 --release --min-api 26 --lib app/target/sdk/android.jar --lib "$jdk" --output "$out/dex" \
  "$out/core.jar" "$packing"/{kotlin-stdlib,kotlinx-serialization-json-jvm,kotlinx-serialization-core-jvm}.jar
enjarify "$out/dex/classes.dex" -o "$out/back.jar"
java -Drepository.root="$PWD/.." -Dparity.folder="$PWD/target/parity" -jar "$packing/junit-platform-console-standalone.jar" execute \
  --class-path "core/target/test-classes:$out/back.jar" --scan-class-path core/target/test-classes --fail-if-no-tests --disable-banner --details=summary
