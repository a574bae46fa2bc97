#!/usr/bin/env bash
# The whole road in a few minutes: scenes -> train -> export -> verify -> run. `make demo` calls it after installing.
set -euo pipefail
cd "$(dirname "$0")/.."
out=build/demo
real=../shared/real_foa/starss23_clip_foa.flac
rm -rf "$out" && mkdir -p "$out"

step() {
    printf '\n\033[1m$ %s\033[0m\n' "$*"
    "$@"
}

echo "== 1. Scenes from built-in sounds in simulated rooms"
step edgeseld synth "$out/scenes" --hours 0.3 --seed 1 --workers 2
step edgeseld synth "$out/validation" --hours 0.05 --seed 2 --workers 2

echo "== 2. A short training of student-xs: a demonstration of the road, not a useful model"
step edgeseld train examples/demo.toml --data "$out/scenes" --validation "$out/validation" --output "$out/run"

echo "== 3. The released students as verified bundles"
for model in student-s student-xs; do
    for target in onnx tflite; do
        step edgeseld export "$model" --target "$target" --precision fp32 --output "$out/bundles"
    done
done
step edgeseld export student-xs --target tflite --precision int8-dynamic --output "$out/bundles"
step edgeseld bench "$out"/bundles/*.seld --threads 1,2

echo "== 4. What they hear"
step edgeseld infer "$out/bundles/student-s-onnx-fp32.seld" examples/sample_scene.wav --plot "$out/sample_scene.png"
if [ -f "$real" ]; then
    step edgeseld infer "$out/bundles/student-s-tflite-fp32.seld" "$real" --plot "$out/starss23_clip.png"
fi
echo "pictures and bundles are in $out"
