#!/usr/bin/env bash
# Checks app/target/edgeseld-demo.apk: what it says of itself, its size, its libraries aligned to 16 KiB.
set -euo pipefail
cd "$(dirname "$0")/../app/target"
apk=edgeseld-demo.apk largest_bytes=$((12 * 1024 * 1024))
badging=$(tools/prebuilt/linux/aapt2 dump badging $apk)
for expected in "package: name='org.edgeseld.demo'" "minSdkVersion:'26'" "targetSdkVersion:'35'" "native-code: 'arm64-v8a'" \
  "uses-permission: name='android.permission.RECORD_AUDIO'" "launchable-activity: name='org.edgeseld.demo.MainActivity'"; do
  grep -qF "$expected" <<<"$badging" || { echo "badging lacks $expected" >&2; exit 1; }
done
size=$(stat -c %s $apk)
[ "$size" -le $largest_bytes ] || { echo "$apk has $size bytes, more than $largest_bytes" >&2; exit 1; }
java ../../tools/Alignment.java apk/content/lib/arm64-v8a/*.so
echo "$apk: $size bytes, $(unzip -l $apk 'assets/bundles/*/manifest.json' 2>/dev/null | grep -c manifest.json || true) models inside"
