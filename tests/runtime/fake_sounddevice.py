"""A sounddevice without a sound card: tests call the callback themselves."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from edgeseld.core.prediction import Float32


class PortAudioError(Exception):
    """What sounddevice raises."""


class FakeInputStream:
    """Keeps what it was opened with; `give` is the driver's thread."""

    def __init__(self, callback: Callable[..., None], finished_callback: Callable[[], None], **options: Any) -> None:
        self.callback, self.finished_callback, self.options = callback, finished_callback, options
        self.started = self.closed = False
        self.adc_s = 100.0

    def start(self) -> None:
        self.started = True

    def close(self) -> None:
        self.closed = True
        self.finished_callback()

    def give(self, block: Float32, lost_samples: int = 0) -> None:
        """A block (channels, samples), after the driver lost some."""
        self.adc_s += lost_samples / self.options["samplerate"]
        times, status = SimpleNamespace(inputBufferAdcTime=self.adc_s), SimpleNamespace(input_overflow=lost_samples > 0)
        count = block.shape[1]
        self.callback(np.ascontiguousarray(block.T), count, times, status)
        self.adc_s += count / self.options["samplerate"]


class FakeSoundDevice:
    """The module: one device with so many channels at these rates."""

    PortAudioError = PortAudioError

    def __init__(self, channels: int = 4, rates_hz: tuple[int, ...] = (48_000, 24_000)) -> None:
        self.channels, self.rates_hz = channels, rates_hz
        self.streams: list[FakeInputStream] = []

    def query_devices(self, device: Any, kind: str) -> dict[str, float]:
        if device not in (None, 3, "Zylia"):
            raise ValueError(f"No input device matching {device!r}")
        return {"default_samplerate": float(self.rates_hz[0])}

    def check_input_settings(self, device: Any, channels: int, dtype: str, samplerate: int) -> None:
        if samplerate not in self.rates_hz:
            raise PortAudioError("Invalid sample rate")

    def InputStream(self, **options: Any) -> FakeInputStream:
        if options["channels"] > self.channels:
            raise PortAudioError("Invalid number of channels")
        self.streams.append(FakeInputStream(**options))
        return self.streams[-1]
