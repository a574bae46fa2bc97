"""A microphone through sounddevice: what it gives, what it loses, and what happens when it is gone."""

import time
from collections.abc import Iterator
from typing import Any, Self

from edgeseld.core.errors import BackendMissingError, StreamError
from edgeseld.core.frames import LABEL_FRAMES_PER_S, SAMPLE_RATE_HZ
from edgeseld.core.prediction import Float32
from edgeseld.runtime.streaming.resampling import BlockResampler
from edgeseld.runtime.streaming.ring_buffer import RingBuffer

# How late a model may be before blocks are dropped, and how long a device may be silent before it counts as gone.
BUFFER_S = 10
TIMEOUT_S = 2.0
# Clocks are compared over at least this long: callbacks come some milliseconds late.
DRIFT_AFTER_S = 10.0


class Microphone:
    """An input device as blocks at 24 kHz; a context manager that can be entered again after it was left.

    The device's clock is the clock of the stream: nothing is resampled to the computer's, how far they drift apart is
    measured. Samples that the driver or a late reader lost become silence of the same length, so events keep time.
    """

    def __init__(self, channels: int, device: int | str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        """`device` is a number or a part of its name, None the default; BackendMissingError without sounddevice."""
        self.channels, self.device, self.timeout_s = channels, device, timeout_s
        self._library = _sounddevice()
        self._stream: Any = None

    def __enter__(self) -> Self:
        """Open the device; StreamError where it cannot be opened with so many channels."""
        self.rate_hz = self._choose_rate()
        self._ring = RingBuffer(self.channels, BUFFER_S * self.rate_hz)
        self._started_s: float | None = None
        self._now_s = self._expected_adc_s = 0.0
        self._samples = 0
        try:
            self._stream = self._library.InputStream(
                device=self.device,
                channels=self.channels,
                samplerate=self.rate_hz,
                dtype="float32",
                blocksize=self.rate_hz // LABEL_FRAMES_PER_S // 4,
                callback=self._receive,
                finished_callback=self._ring.close,
            )
            self._stream.start()
        except self._library.PortAudioError as error:
            raise self._refused(error) from error
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening; what was received can still be asked about."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def blocks(self) -> Iterator[Float32]:
        """Blocks (channels, samples) at 24 kHz as they come, until the microphone is left.

        StreamError once the device gives nothing any more.
        """
        resampler = BlockResampler(self.channels, self.rate_hz)
        while True:
            block = self._ring.read(self.rate_hz, self.timeout_s)
            if block is None and self._stream is None:
                yield resampler.finish()
                return
            if block is None:
                raise StreamError(
                    f"the input device {self._name} stopped giving sound: check that it is plugged in, then start again"
                )
            yield resampler.push(block)

    @property
    def dropped_blocks(self) -> int:
        """Blocks that found the buffer full because the model was late."""
        return self._ring.dropped_blocks

    @property
    def lost_s(self) -> float:
        """Sound that was replaced by silence: dropped here, or lost in the driver."""
        return self._ring.lost_samples / self.rate_hz

    @property
    def waiting_s(self) -> float:
        """Sound that is there and not heard yet."""
        return self._ring.held_samples / self.rate_hz

    @property
    def drift_ppm(self) -> float | None:
        """How much faster the device's clock runs than the computer's, in millionths; None before 10 s."""
        if self._started_s is None or self._now_s - self._started_s < DRIFT_AFTER_S:
            return None
        return (self._samples / self.rate_hz / (self._now_s - self._started_s) - 1.0) * 1e6

    @property
    def _name(self) -> str:
        return "(default)" if self.device is None else repr(self.device)

    def _receive(self, samples: Float32, count: int, times: Any, status: Any) -> None:
        """Called by the driver's thread, which must never wait; samples (count, channels)."""
        self._now_s = time.monotonic()
        if status.input_overflow:
            missing = max(round((times.inputBufferAdcTime - self._expected_adc_s) * self.rate_hz), 0)
            self._ring.skip(missing)
            self._samples += missing
        self._expected_adc_s = times.inputBufferAdcTime + count / self.rate_hz
        self._ring.write(samples.T)
        if self._started_s is None:
            # What the first block holds was recorded before the clock was first read.
            self._started_s, self._samples = self._now_s, -count
        self._samples += count

    def _choose_rate(self) -> int:
        """48 kHz, whose filter is ours, before 24 kHz, whose filter is the driver's; else what the device prefers."""
        try:
            preferred = int(self._library.query_devices(self.device, "input")["default_samplerate"])
        except (self._library.PortAudioError, ValueError) as error:
            raise self._refused(error) from error
        for rate_hz in (2 * SAMPLE_RATE_HZ, SAMPLE_RATE_HZ):
            try:
                self._library.check_input_settings(self.device, self.channels, "float32", samplerate=rate_hz)
            except self._library.PortAudioError:
                continue
            return rate_hz
        return preferred

    def _refused(self, error: Exception) -> StreamError:
        return StreamError(
            f"the input device {self._name} must give {self.channels} channels, got: {error}; "
            "`python -m sounddevice` lists the devices"
        )


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ModuleNotFoundError as error:
        raise BackendMissingError("listening to a microphone", "stream") from error
    except OSError as error:
        raise StreamError(f"listening to a microphone needs PortAudio, got: {error}; install libportaudio2") from error
    return sounddevice
