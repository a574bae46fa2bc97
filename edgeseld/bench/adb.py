"""Talking to a phone through the real `adb`: finding it, running commands, copying files, reading its state."""

import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeseld.bench.report import BenchError
from edgeseld.core.structs import Frozen

# Warmer phones slow down; good practice is to begin below this.
COOL_C = 37.0
COOLING_PATIENCE_S = 600.0
LOOK_EVERY_S = 5.0
# Old devices do not pass on exit codes, so every command prints its own.
EXIT_LINE = re.compile(r"edgeseld-exit:(\d+)\s*$")
ADVICE = {
    "unauthorized": "unlock it and allow USB debugging for this computer",
    "offline": "plug it in again, or run `adb reconnect`",
    "no permissions": "install the udev rules for Android, or run `adb kill-server` and start it as root",
}


class DeviceState(Frozen, frozen=True, kw_only=True):
    """Battery in degrees and percent, thermal status (0 none to 6 shutdown); None where the device does not say."""

    battery_c: float | None
    battery_percent: int | None
    thermal_status: int | None


@dataclass(frozen=True, slots=True)
class Device:
    """A phone by its serial."""

    adb: str
    serial: str

    def shell(self, command: str, timeout_s: float = 120.0) -> str:
        """Output of a command with plain line ends; BenchError where it fails, hangs, or the device goes away."""
        output = self._adb(["shell", f"({command}); echo edgeseld-exit:$?"], timeout_s).replace("\r\n", "\n")
        ended = EXIT_LINE.search(output)
        if ended is None:
            raise BenchError(f"{self.serial} went away in mid command: plug it in again and repeat the benchmark")
        if ended.group(1) != "0":
            last = output[: ended.start()].strip().rpartition("\n")[2]
            raise BenchError(f"{command.split()[0]} failed on {self.serial} with code {ended.group(1)}: {last}")
        return output[: ended.start()]

    def push(self, source: Path, target: str) -> None:
        """Copy a file to the device."""
        self._adb(["push", str(source), target], 600.0)

    def pull(self, source: str, target: Path) -> None:
        """Copy a file from the device."""
        self._adb(["pull", source, str(target)], 600.0)

    def state(self) -> DeviceState:
        """How warm and full it is."""
        battery = self.shell("dumpsys battery")
        temperature, level = _number(r"temperature: (\d+)", battery), _number(r"level: (\d+)", battery)
        return DeviceState(
            battery_c=None if temperature is None else temperature / 10.0,
            battery_percent=level,
            thermal_status=_number(r"Thermal Status: (\d+)", self.shell("dumpsys thermalservice")),
        )

    def wait_until_cool(self, patience_s: float = COOLING_PATIENCE_S) -> DeviceState:
        """The state once it is below 37 degrees and not throttled; BenchError if that takes too long."""
        end = time.monotonic() + patience_s
        while True:
            state = self.state()
            hot = state.battery_c is not None and state.battery_c >= COOL_C
            if not hot and not state.thermal_status:
                return state
            if time.monotonic() >= end:
                raise BenchError(
                    f"{self.serial} must be below {COOL_C:g} degrees and not throttled, got {state.battery_c} degrees, "
                    f"thermal status {state.thermal_status}: let it cool down, off the charger"
                )
            time.sleep(LOOK_EVERY_S)

    def _adb(self, arguments: Sequence[str], timeout_s: float) -> str:
        try:
            done = subprocess.run(
                [self.adb, "-s", self.serial, *arguments], capture_output=True, text=True, timeout=timeout_s
            )
        except subprocess.TimeoutExpired:
            raise BenchError(f"{self.serial} did not answer within {timeout_s:g} s: wake it, or restart it") from None
        if done.returncode:
            said = (done.stderr or done.stdout).strip().rpartition("\n")[2]
            raise BenchError(f"adb {arguments[0]} failed on {self.serial} ({said}): check the cable and `adb devices`")
        return done.stdout


def find_device(serial: str | None = None) -> Device:
    """The only device, or the one named; BenchError says what to do where there is none, several, or one locked."""
    adb = shutil.which("adb")
    if adb is None:
        raise BenchError("--device adb needs adb: apt-get install adb, or Android's SDK platform tools on PATH")
    listed = subprocess.run([adb, "devices"], capture_output=True, text=True, check=True).stdout
    return Device(adb, choose(parse_devices(listed), serial))


def parse_devices(listed: str) -> dict[str, str]:
    """Serials and their states from `adb devices`."""
    rows = [line.split("\t", 1) for line in listed.replace("\r", "").splitlines() if "\t" in line]
    return {serial: state.split(";")[0].strip() for serial, state in rows}


def choose(devices: dict[str, str], serial: str | None) -> str:
    """The serial to use."""
    if not devices:
        raise BenchError("no device is there: plug one in with USB debugging on, or `adb connect HOST:PORT`")
    if serial is None:
        if len(devices) > 1:
            raise BenchError(f"several devices are there: name one, --device adb:{' or adb:'.join(devices)}")
        serial = next(iter(devices))
    if serial not in devices:
        raise BenchError(f"no device {serial!r} is there, only {', '.join(devices)}: name one of them")
    state = devices[serial]
    if state != "device":
        advice = next((text for word, text in ADVICE.items() if state.startswith(word)), "see `adb devices`")
        raise BenchError(f"{serial} is {state}: {advice}")
    return serial


def _number(pattern: str, text: str) -> int | None:
    found = re.search(pattern, text)
    return None if found is None else int(found.group(1))
