"""A made-up phone behind the adb daemon."""

from collections.abc import Callable

from edgeseld.bench.adb import Device
from tests.bench.adb_daemon import AdbDaemon

WORDS = """STARTING!
count=3 first=49060 curr=33978 min=32641 max=49060 avg=34825.1 std=450
count=50 first=32891 curr=33978 min=32641 max=34005 avg=33209.4 std=450
Inference timings in us: Init: 855, First inference: 49060, Warmup (avg): 34825.1, Inference (avg): 33209.4
Memory footprint delta from the start of the tool (MB): init=8.97656 overall=18.7227
Peak memory footprint (MB): init=0 overall=12.8672
"""
# As android_demo's BenchmarkActivity writes it.
APP_RESULT = """{
    "bundle": "small-tflite-fp32", "runtime": "TFLite 2.20.0", "device": "made up, Android 15", "threads": 2,
    "mc_samples": 0, "time_shifts": 1, "audio_s": 1.0, "warm_ups": 3, "runs_ms": [4.0, 6.0, 5.0],
    "median_ms": 5.0, "real_time_factor": 0.005
}"""


class Phone:
    """What the made-up phone says; temperatures come one after the other, the last one stays."""

    def __init__(self, *temperatures: int, words: str = WORDS) -> None:
        self.temperatures, self.words, self.ends = list(temperatures) or [326], words, "\n"
        self.dies_at: str | None = None
        self.app, self.started, self.result = True, False, APP_RESULT

    def __call__(self, command: str, files: dict[str, bytes]) -> bytes | None:
        if self.dies_at is not None and self.dies_at in command:
            return None
        output = ""
        if "dumpsys battery" in command:
            output = f"  level: 80\n  temperature: {self.temperatures[0]}\n"
            self.temperatures = self.temperatures[1:] or self.temperatures
        elif "dumpsys thermalservice" in command:
            output = "Thermal Status: 0\n"
        elif "--graph" in command:
            output = self.words
        elif "pm list" in command:
            output = "package:android\n" + ("package:org.edgeseld.demo\n" if self.app else "")
        elif "am start" in command:
            self.started = True
        elif "benchmark.json" in command and "cat" in command:
            output = self.result if self.started else ""
        elif "fail" in command:
            return b"sh: fail: not found\nedgeseld-exit:127\n"
        return (output + "edgeseld-exit:0\n").replace("\n", self.ends).encode()


Connect = Callable[[Phone], tuple[Device, AdbDaemon]]
