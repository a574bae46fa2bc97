#!/usr/bin/env bash
# Fetches ExecuTorch's Android library out of an npm package, as Maven's registry has none, and puts its classes into the
# local Maven repository: then `mvn -Pexecutorch -pl backend-executorch -am verify`. Needs npm.
set -euo pipefail
cd "$(dirname "$0")/../backend-executorch"
package=react-native-executorch version=0.8.4
command -v npm >/dev/null || { echo "npm fetches the library: apt-get install npm" >&2; exit 1; }
mkdir -p target/npm target/jniLibs
npm pack --silent --pack-destination target/npm "$package@$version" >/dev/null
tar -xzf "target/npm/$package-$version.tgz" -C target/npm package/android/libs/classes.jar package/third-party/android/libs/executorch
mvn --batch-mode -q --no-transfer-progress install:install-file -Dfile=target/npm/package/android/libs/classes.jar \
    -DgroupId=org.pytorch -DartifactId=executorch-android -Dversion="$version-npm" -Dpackaging=jar
cp -r target/npm/package/third-party/android/libs/executorch/. target/jniLibs
find target/jniLibs -name '*.so'
