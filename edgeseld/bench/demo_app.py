"""The demo app's own benchmark on a phone: a bundle is pushed, the app proves it, times it, and leaves its result."""

import time
from typing import Any

import msgspec
import numpy as np

from edgeseld.bench.adb import Device, DeviceState
from edgeseld.bench.report import BenchError
from edgeseld.bench.rounds import Stage, stage
from edgeseld.core.structs import Frozen
from edgeseld.runtime.bundle import Bundle

APP = "org.edgeseld.demo"
FILES = f"/sdcard/Android/data/{APP}/files"
RESULT = f"{FILES}/benchmark.json"
RUNS = 20
PATIENCE_S = 300.0
LOOK_EVERY_S = 1.0


class AppTiming(Frozen, frozen=True, kw_only=True):
    """PCM of one window to events in the app, by its own clock; the phone's state on either side.

    The app repeats the bundle's golden scene before it measures: a device that computes something else has no timing.
    """

    name: str
    device: str
    runtime: str
    threads: int
    total: Stage
    runs: int
    real_time_factor: float
    before: DeviceState
    after: DeviceState


def benchmark_in_app(device: Device, bundle: Bundle, threads: int) -> AppTiming:
    """Run the app's BenchmarkActivity once the phone is cool.

    BenchError where the app is missing, refuses the bundle or does not finish, or the phone is hot or goes away.
    """
    if APP not in device.shell("pm list packages"):
        raise BenchError(
            f"{device.serial} does not have the demo app {APP}: build android_demo and `adb install` its APK, or give "
            "--benchmark-model"
        )
    folder = f"{FILES}/bundles/{bundle.manifest.name}.seld"
    device.shell(f"rm -rf {folder} {RESULT}; mkdir -p {folder}")
    for file in sorted(bundle.folder.iterdir()):
        device.push(file, f"{folder}/{file.name}")
    before = device.wait_until_cool()
    device.shell(
        f"am start -W -S -n {APP}/.BenchmarkActivity --es bundle {bundle.manifest.name}.seld --ei threads {threads} "
        f"--ei runs {RUNS}"
    )
    found = _wait(device, bundle.manifest.name)
    after = device.state()
    device.shell(f"rm -rf {folder} {RESULT}")
    return AppTiming(
        name=bundle.manifest.name,
        device=found["device"],
        runtime=found["runtime"],
        threads=found["threads"],
        total=stage(np.array(found["runs_ms"]) / 1e3),
        runs=len(found["runs_ms"]),
        real_time_factor=found["real_time_factor"],
        before=before,
        after=after,
    )


def _wait(device: Device, name: str) -> dict[str, Any]:
    """The app's result, once it is whole."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            found: dict[str, Any] = msgspec.json.decode(device.shell(f"cat {RESULT} 2>/dev/null || true"))
        except msgspec.DecodeError:
            # Not there yet, or half written.
            time.sleep(LOOK_EVERY_S)
            continue
        if "error" in found:
            raise BenchError(f"the app on {device.serial} did not measure {name}: {found['error']}")
        return found
    raise BenchError(
        f"the app on {device.serial} did not finish {name} within {PATIENCE_S:g} s: unlock it, keep its screen on"
    )
