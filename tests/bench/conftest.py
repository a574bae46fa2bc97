"""Hand-written bundles and reports, and phones that the real `adb` can be connected to."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from edgeseld.bench import adb
from edgeseld.bench.adb import Device, find_device
from edgeseld.bench.machine import Machine
from edgeseld.bench.report import BenchReport, Timing
from edgeseld.bench.rounds import Stage
from edgeseld.core.interval import Interval
from tests.bench.adb_daemon import AdbDaemon
from tests.bench.phone import Connect, Phone
from tests.small_bundle import write_small_bundle


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ONNX, ten label frames to a window."""
    return write_small_bundle(tmp_path_factory.mktemp("bundles"))


@pytest.fixture(scope="session")
def server_port() -> Iterator[int]:
    """A port for an adb server of our own."""
    if shutil.which("adb") is None:
        pytest.skip("needs the adb client: apt-get install adb")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    yield port
    environment = {**os.environ, "ANDROID_ADB_SERVER_PORT": str(port)}
    subprocess.run(["adb", "kill-server"], env=environment, capture_output=True, timeout=60)


@pytest.fixture
def connect(server_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(server_port))
    monkeypatch.setattr(adb, "LOOK_EVERY_S", 0.01)
    daemons = []

    def connect_to(phone: Phone) -> tuple[Device, AdbDaemon]:
        daemon = AdbDaemon(phone)
        daemons.append(daemon)
        subprocess.run(["adb", "connect", daemon.serial], check=True, capture_output=True, timeout=60)
        return find_device(daemon.serial), daemon

    yield connect_to
    for daemon in daemons:
        subprocess.run(["adb", "disconnect", daemon.serial], capture_output=True, timeout=60)
        daemon.close()


def quiet(items: Iterable[int], total: int, description: str) -> Iterable[int]:
    """Progress that nobody sees."""
    return items


def made_report(*milliseconds: float, processor: str = "made up", scored: bool = True) -> BenchReport:
    """Bundles a, b, ... with one thread and these medians; least and most 10 % beside them."""
    timings = [_timing("abcdef"[i], value, value / milliseconds[0], scored) for i, value in enumerate(milliseconds)]
    machine = Machine(processor=processor, cores=2, system="Linux x86_64", python="3.11.0")
    return BenchReport(machine=machine, versions={"edgeseld": "0.1.0"}, timings=tuple(timings))


def _timing(name: str, median_ms: float, ratio: float, scored: bool) -> Timing:
    total = Stage(median_ms=median_ms, p90_ms=1.05 * median_ms, min_ms=0.9 * median_ms, max_ms=1.1 * median_ms)
    half = Stage(median_ms=median_ms / 2, p90_ms=median_ms, min_ms=median_ms / 4, max_ms=median_ms)
    return Timing(
        name=name,
        model=name,
        threads=1,
        rounds=30,
        window_s=5.0,
        load_ms=10.0,
        first_ms=20.0,
        total=total,
        graph=total,
        decoding=None,
        frontend=half,
        network=half,
        real_time_factor=median_ms / 5000,
        macs_per_s=1e9,
        memory_bytes=30_000_000,
        model_bytes=2_000_000,
        F20=0.5 if scored else None,
        ratio=Interval(value=ratio, low=ratio, high=ratio),
    )
