"""Score a bundle on own scenes, then calibrate it on them: `python examples/calibrate.py BUNDLE DATA OUTPUT.seld`."""

import sys
from pathlib import Path

import edgeseld
from edgeseld.bench.accuracy import evaluate
from edgeseld.bench.calibrating import calibrate_bundle
from edgeseld.cli.terminal import progress
from edgeseld.metrics.rules import RULES

bundle, data, output = map(Path, sys.argv[1:4])
model = edgeseld.load(bundle)

score = evaluate(model, data, RULES["dcase2023"], progress).score
print(", ".join(f"{name} {value:.3f}" for name, value in score.values.items()))

report = calibrate_bundle(model, bundle, data, output, progress, mc_samples=10)
if report.test is not None:
    print(f"calibration error on other groups: {report.test.error_before:.4f} -> {report.test.error_after:.4f}")
print(f"{report.bundle}: direction spreads times {report.spread_factor:g}")
