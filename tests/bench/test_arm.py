"""Emulated ARM: what is compared and counted, and a whole run where qemu and mmdebstrap are there."""

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edgeseld.bench import arm_root
from edgeseld.bench.arm import bench_arm, difference, instructions_of
from edgeseld.bench.arm_processor import processor_files
from edgeseld.bench.arm_worker import Heard
from edgeseld.bench.report import BenchError
from edgeseld.core.manifest import MANIFEST_FILE, SUMS_FILE
from tests.bench.conftest import quiet
from tests.small_bundle import write_small_bundle


def test_a_difference_by_hand() -> None:
    here = {"a": np.array([3.0, 4.0], np.float32), "b": np.zeros((1, 2), np.float32)}
    there = {"b": np.zeros((1, 2), np.float32), "a": np.array([3.0, 4.5], np.float32)}
    # 25 over 0.25 is 20 dB.
    assert difference(here, there) == (0.5, pytest.approx(20.0))
    assert difference(here, here) == (0.0, None)


def test_the_emulated_processor_has_one_core_and_caches_of_its_own() -> None:
    files = processor_files()
    assert files["sys/devices/system/cpu/possible"] == "0\n"
    assert files["sys/devices/system/cpu/cpu0/cache/index2/size"] == "512K\n"
    assert "0xd0b" in files["proc/cpuinfo"]
    assert not any("cpu1" in path for path in files)


@pytest.mark.parametrize(
    ("tool", "package"), [("qemu-aarch64", "qemu-user"), ("mmdebstrap", "mmdebstrap"), ("cc", "gcc")]
)
def test_a_missing_tool_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch, tool: str, package: str) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name == tool else name)
    with pytest.raises(BenchError, match=f"needs {tool}: apt-get install {package}"):
        arm_root.open_arm_root()


def test_other_runtimes_than_those_with_wheels_are_refused(tmp_path: Path) -> None:
    bundle = write_small_bundle(tmp_path)
    retarget(bundle, "coreml")
    with pytest.raises(BenchError, match=r"runs onnx, tflite, executorch bundles, .* is for coreml: leave it out"):
        bench_arm([bundle], quiet)


def retarget(bundle: Path, target: str) -> None:
    """Rewrite the manifest and its hash."""
    import hashlib

    manifest = msgspec.json.decode((bundle / MANIFEST_FILE).read_bytes())
    (bundle / MANIFEST_FILE).write_bytes(msgspec.json.encode(manifest | {"target": target}))
    digest = hashlib.sha256((bundle / MANIFEST_FILE).read_bytes()).hexdigest()
    lines = (bundle / SUMS_FILE).read_text().splitlines()
    kept = [f"{digest}  {MANIFEST_FILE}" if line.endswith(f"  {MANIFEST_FILE}") else line for line in lines]
    (bundle / SUMS_FILE).write_text("\n".join(kept) + "\n")


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("qemu-aarch64") is None or shutil.which("mmdebstrap") is None,
    reason="needs emulation: apt-get install qemu-user mmdebstrap",
)
def test_the_emulated_processor_hears_the_same(small_bundle: Path) -> None:
    (row,) = bench_arm([small_bundle], quiet).rows
    assert row.verified
    assert row.changed_frames == 0.0
    assert row.snr_db is None or row.snr_db > 100.0


def test_a_process_costs_what_it_takes_without_waiting() -> None:
    class Waiting:
        """Counts of three processes, two of which waited."""

        def __init__(self) -> None:
            self.counts = iter((1_700, 1_000, 1_300))

        def hear(self) -> Heard:
            raise AssertionError("nothing is to be heard")

        def count(self, windows: int, counted: Path) -> None:
            counted.write_text(str(next(self.counts) + windows))

    assert instructions_of(Waiting(), 5) == 1_005
