"""Phones: messages by hand, and the real `adb` client against a small daemon."""

import re
import shutil
from pathlib import Path

import msgspec
import pytest

from edgeseld.bench.adb import choose, find_device, parse_devices
from edgeseld.bench.benchmark_model import FOLDER, benchmark_on_phone, parse
from edgeseld.bench.demo_app import FILES, benchmark_in_app
from edgeseld.bench.report import BenchError
from edgeseld.runtime.bundle import Bundle, open_bundle
from tests.bench.phone import WORDS, Connect, Phone

OLDER = """count=50 first=32891 curr=33978 min=32641 max=34005 avg=6.67676e+04 std=450
Average inference timings in us: Warmup: 76605.9, Init: 9933, no stats: 66767.6
"""


def test_figures_of_the_counted_runs() -> None:
    figures = parse(WORDS, "m")
    assert figures.runs == 50
    found = (figures.mean_ms, figures.min_ms, figures.max_ms, figures.std_ms, figures.init_ms, figures.first_ms)
    assert found == pytest.approx((33.2094, 32.641, 34.005, 0.45, 0.855, 49.06))
    assert figures.memory_mb == pytest.approx(12.8672)


def test_the_older_form_and_missing_lines() -> None:
    figures = parse(OLDER, "m")
    assert figures.mean_ms == pytest.approx(66.7676)
    assert figures.init_ms == pytest.approx(9.933)
    assert figures.first_ms is None
    assert figures.memory_mb is None
    with pytest.raises(BenchError, match="gave no timing of m"):
        parse("ERROR: failed to load", "m")


def test_devices_are_read_with_any_line_ends() -> None:
    assert parse_devices("List of devices attached\n\n") == {}
    listed = "* daemon started successfully\nList of devices attached\r\nabc\tdevice\r\nxyz\tunauthorized\r\n\r\n"
    assert parse_devices(listed) == {"abc": "device", "xyz": "unauthorized"}
    assert parse_devices("q\tno permissions; see [http://developer]\n") == {"q": "no permissions"}


@pytest.mark.parametrize(
    ("devices", "serial", "message"),
    [
        ({}, None, "plug one in with USB debugging on"),
        ({"a": "device", "b": "device"}, None, "--device adb:a or adb:b"),
        ({"a": "device"}, "c", "no device 'c' is there, only a"),
        ({"a": "unauthorized"}, None, "allow USB debugging"),
        ({"a": "offline"}, "a", "plug it in again"),
        ({"a": "no permissions"}, None, "udev rules"),
        ({"a": "sideload"}, None, "see `adb devices`"),
    ],
)
def test_what_to_do_without_a_device(devices: dict[str, str], serial: str | None, message: str) -> None:
    with pytest.raises(BenchError, match=re.escape(message)):
        choose(devices, serial)


def test_without_adb_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(BenchError, match="apt-get install adb"):
        find_device()


def _tflite(bundle: Path) -> Bundle:
    """The hand-written bundle under the name of another target; the made-up phone does not look inside."""
    opened = open_bundle(bundle)
    return Bundle(opened.folder, msgspec.structs.replace(opened.manifest, target="tflite"))


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_benchmark_on_a_phone(connect: Connect, small_bundle: Path, tmp_path: Path, ends: str) -> None:
    (tmp_path / "benchmark_model").write_bytes(b"\x7fELF" + bytes(10_000))
    phone = Phone(326, 341)
    phone.ends = ends
    device, daemon = connect(phone)
    timing = benchmark_on_phone(device, tmp_path / "benchmark_model", _tflite(small_bundle), 2, "f0")
    assert timing.figures == parse(WORDS, "m")
    assert (timing.before.battery_c, timing.after.battery_c) == (32.6, 34.1)
    assert (timing.before.battery_percent, timing.before.thermal_status) == (80, 0)
    assert daemon.files[f"{FOLDER}/model.tflite"] == (small_bundle / "full.onnx").read_bytes()
    assert daemon.files[f"{FOLDER}/benchmark_model"] == b"\x7fELF" + bytes(10_000)
    (run,) = [command for command in daemon.commands if "--graph" in command]
    assert f"taskset f0 {FOLDER}/benchmark_model" in run
    assert "--num_threads=2" in run


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_the_apps_own_benchmark(connect: Connect, small_bundle: Path, ends: str) -> None:
    phone = Phone(326, 341)
    phone.ends = ends
    device, daemon = connect(phone)
    bundle = open_bundle(small_bundle)
    timing = benchmark_in_app(device, bundle, 2)
    assert (timing.total.min_ms, timing.total.median_ms, timing.total.max_ms) == pytest.approx((4.0, 5.0, 6.0))
    assert (timing.runtime, timing.device, timing.runs) == ("TFLite 2.20.0", "made up, Android 15", 3)
    assert (timing.before.battery_c, timing.after.battery_c) == (32.6, 34.1)
    folder = f"{FILES}/bundles/{bundle.manifest.name}.seld"
    assert {path for path in daemon.files if path.startswith(folder)} == {
        f"{folder}/{file.name}" for file in small_bundle.iterdir()
    }
    (start,) = [command for command in daemon.commands if "am start" in command]
    assert f"--es bundle {bundle.manifest.name}.seld --ei threads 2" in start


def test_what_the_app_says_reaches_the_user(
    connect: Connect, small_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = Phone()
    device, _ = connect(phone)
    phone.result = '{"bundle": "x", "error": "the bundle was changed"}'
    with pytest.raises(BenchError, match=r"did not measure .*: the bundle was changed"):
        benchmark_in_app(device, open_bundle(small_bundle), 1)
    phone.result = '{"bundle": "half'
    monkeypatch.setattr("edgeseld.bench.demo_app.PATIENCE_S", 0.2)
    monkeypatch.setattr("edgeseld.bench.demo_app.LOOK_EVERY_S", 0.05)
    with pytest.raises(BenchError, match="unlock it"):
        benchmark_in_app(device, open_bundle(small_bundle), 1)
    phone.app = False
    with pytest.raises(BenchError, match="`adb install` its APK"):
        benchmark_in_app(device, open_bundle(small_bundle), 1)


def test_files_come_back(connect: Connect, tmp_path: Path) -> None:
    device, daemon = connect(Phone())
    daemon.files["/sdcard/result.json"] = bytes(range(256)) * 50
    device.pull("/sdcard/result.json", tmp_path / "result.json")
    assert (tmp_path / "result.json").read_bytes() == bytes(range(256)) * 50


def test_it_waits_while_the_phone_is_hot(connect: Connect) -> None:
    device, daemon = connect(Phone(401, 385, 369))
    assert device.wait_until_cool().battery_c == 36.9
    assert sum("dumpsys battery" in command for command in daemon.commands) == 3
    hot, _ = connect(Phone(450))
    with pytest.raises(BenchError, match="let it cool down"):
        hot.wait_until_cool(patience_s=0.0)


def test_failing_commands_and_phones_that_go_away(connect: Connect) -> None:
    phone = Phone()
    device, _ = connect(phone)
    with pytest.raises(BenchError, match=r"fail failed on .* with code 127: sh: fail: not found"):
        device.shell("fail")
    phone.dies_at = "dumpsys"
    with pytest.raises(BenchError, match=r"went away|adb shell failed"):
        device.state()
