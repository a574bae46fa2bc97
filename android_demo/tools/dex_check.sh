#!/usr/bin/env bash
# Runs the tests of `core` on its own dex: D8 -> classes.dex -> enjarify -> JUnit on the JVM, with full verification.
# For Android 5, where interfaces hold no code: enjarify's class files know none. The libraries are lowered alike, not
# dexed: what enjarify gives back of kotlinx.serialization cannot parse an int.
set -euo pipefail
cd "$(dirname "$0")/.."
# Debian's enjarify runs on the system's Python.
export PATH=/usr/bin:$PATH
out=$PWD/app/target/dexcheck packing=$PWD/app/target/packing
jdk=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")
libraries=("$packing"/{kotlin-stdlib,kotlinx-serialization-json-jvm,kotlinx-serialization-core-jvm}.jar)
classpath=()
for library in "${libraries[@]}"; do classpath+=(--classpath "$library"); done
rm -rf "$out" && mkdir -p "$out/dex"
(cd core/target/classes && zip -qr "$out/core.jar" . -i '*.class')
d8() { java -Xmx1g -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$packing/r8.jar" com.android.tools.r8.D8 --release --min-api 21 --lib app/target/sdk/android.jar --lib "$jdk" "$@"; }
d8 --classfile --output "$out/libraries.jar" "${libraries[@]}"
d8 "${classpath[@]}" --output "$out/dex" "$out/core.jar"
enjarify "$out/dex/classes.dex" -o "$out/back.jar"
java -Drepository.root="$PWD/.." -Dparity.folder="$PWD/target/parity" -jar "$packing/junit-platform-console-standalone.jar" execute \
  --class-path "core/target/test-classes:$out/back.jar:$out/libraries.jar" --scan-class-path core/target/test-classes --fail-if-no-tests --disable-banner --details=summary
