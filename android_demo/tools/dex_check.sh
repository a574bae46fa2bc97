#!/usr/bin/env bash
# Runs the tests of `core` on its own dex: D8 -> classes.dex -> enjarify -> JUnit on the JVM, with full verification.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=/usr/bin:$PATH # Debian's enjarify runs on the system's Python
out=$PWD/app/target/dexcheck packing=$PWD/app/target/packing
jdk=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")
rm -rf "$out" && mkdir -p "$out/dex" "$out/lib"
mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -Dartifact=org.junit.platform:junit-platform-console-standalone:6.1.3 \
  -DoutputDirectory="$out/lib" -Dmdep.stripVersion=true
(cd core/target/classes && zip -qr "$out/core.jar" . -i '*.class')
java -cp "$packing/r8.jar" com.android.tools.r8.D8 --release --min-api 26 --lib app/target/sdk/android.jar --lib "$jdk" --output "$out/dex" \
  "$out/core.jar" "$packing"/{kotlin-stdlib,kotlinx-serialization-json-jvm,kotlinx-serialization-core-jvm}.jar
enjarify "$out/dex/classes.dex" -o "$out/back.jar"
java -Drepository.root="$PWD/.." -Dparity.folder="$PWD/target/parity" -jar "$out/lib/junit-platform-console-standalone.jar" execute \
  --class-path "core/target/test-classes:$out/back.jar" --scan-class-path core/target/test-classes --fail-if-no-tests --disable-banner --details=summary
