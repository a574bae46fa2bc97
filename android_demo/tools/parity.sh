#!/usr/bin/env bash
# Prints, per bundle, backend and choice of passes, the largest difference between Python and Kotlin in every stage.
set -euo pipefail
cd "$(dirname "$0")/../.."
.venv/bin/python -m tests.parity.references android_demo/target/parity >/dev/null
mvn -q --batch-mode -f android_demo/pom.xml -pl backend-onnx,backend-tflite -am -Dparity.required=true -Dsurefire.failIfNoSpecifiedTests=false -Dtest='*ParityTest' test >/dev/null
cat android_demo/target/parity/report-*.txt
