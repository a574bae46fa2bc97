#!/usr/bin/env bash
# Checks app/target/apk/edgeseld-demo.apk: what it says of itself, its size, its alignment, and that a second build gives the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
target=app/target apk=app/target/apk/edgeseld-demo.apk largest_bytes=12000000
badging=$("$target/tools/prebuilt/linux/aapt2" dump badging $apk)
for expected in "package: name='org.edgeseld.demo'" "minSdkVersion:'26'" "targetSdkVersion:'35'" "native-code: 'arm64-v8a'" \
  "uses-permission: name='android.permission.RECORD_AUDIO'" "launchable-activity: name='org.edgeseld.demo.MainActivity'"; do
  grep -qF "$expected" <<<"$badging" || { echo "badging lacks $expected" >&2; exit 1; }
done
size=$(stat -c %s $apk)
[ "$size" -le $largest_bytes ] || { echo "$apk has $size bytes, more than $largest_bytes" >&2; exit 1; }
java tools/Alignment.java $apk
tools/apk.sh $target/apk-again
cmp $apk $target/apk-again/edgeseld-demo.apk
cp $apk $target/
echo "$target/edgeseld-demo.apk: $size bytes, $(unzip -l $apk 'assets/bundles/*' | grep -c .seld.zip) models inside, twice the same bytes"
