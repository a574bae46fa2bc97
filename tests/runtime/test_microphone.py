"""A microphone that comes, loses sound, drifts and goes: the driver is a fake, everything behind it is real."""

import sys
from collections.abc import Callable
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest

from edgeseld.core.errors import BackendMissingError, StreamError
from edgeseld.runtime.streaming import microphone as module
from edgeseld.runtime.streaming.microphone import BUFFER_S, Microphone
from edgeseld.signal.resampling import to_sample_rate
from tests.runtime.fake_sounddevice import FakeInputStream, FakeSoundDevice
from tests.runtime.parts import causal_model, noise

Plug = Callable[..., FakeSoundDevice]


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Plug:
    """Put a device into the machine."""

    def put(*arguments: object) -> FakeSoundDevice:
        fake = FakeSoundDevice(*arguments)  # type: ignore[arg-type]
        monkeypatch.setitem(sys.modules, "sounddevice", fake)  # type: ignore[arg-type]
        return fake

    return put


def give(stream: FakeInputStream, audio: np.ndarray, size: int = 600) -> None:
    for start in range(0, audio.shape[1], size):
        stream.give(audio[:, start : start + size])


@pytest.mark.parametrize(
    ("rates_hz", "chosen"), [((48_000, 24_000), 48_000), ((44_100, 24_000), 24_000), ((44_100,), 44_100)]
)
def test_what_comes_in_comes_out_at_24_khz(plug: Plug, rates_hz: tuple[int, ...], chosen: int) -> None:
    fake, audio = plug(4, rates_hz), noise(30_000)
    with Microphone(4, "Zylia", timeout_s=0.01) as device:
        assert device.rate_hz == chosen
        assert fake.streams[0].options["dtype"] == "float32"
        give(fake.streams[0], audio)
        blocks = device.blocks()
        received = [next(blocks)]
        device.__exit__()
        received += blocks
    heard = np.concatenate(received, axis=1)
    expected = to_sample_rate(audio, chosen)
    assert abs(heard.shape[1] - expected.shape[1]) <= 1
    samples = min(heard.shape[1], expected.shape[1])
    np.testing.assert_allclose(heard[:, :samples], expected[:, :samples], atol=1e-5)


def test_a_stream_from_a_microphone_is_that_of_the_file(plug: Plug) -> None:
    fake, audio, model = plug(4, (24_000,)), noise(13 * 2400), causal_model()
    stream = model.stream()
    with Microphone(4, timeout_s=0.01) as device:
        give(fake.streams[0], audio)
        updates = [stream.feed(block) for block in islice(device.blocks(), 2)]
    frames = [update.prediction for update in updates if update.prediction is not None]
    np.testing.assert_array_equal(
        np.concatenate([part.activity for part in frames]), model.predict(audio).activity[:13]
    )
    assert (device.dropped_blocks, device.lost_s) == (0, 0.0)


def test_a_model_that_is_late_loses_whole_blocks_which_are_counted_and_silent(plug: Plug) -> None:
    fake = plug(4, (24_000,))
    with Microphone(4, timeout_s=0.01) as device:
        stream = fake.streams[0]
        give(stream, np.ones((4, BUFFER_S * 24_000), np.float32))
        assert device.waiting_s == BUFFER_S
        give(stream, np.ones((4, 1_800), np.float32))
        assert device.dropped_blocks == 3
        assert device.lost_s == 0.075
        heard = np.concatenate(list(islice(device.blocks(), BUFFER_S + 1)), axis=1)
        give(stream, np.full((4, 600), 0.5, np.float32))
        after = next(device.blocks())
    assert heard.shape[1] == BUFFER_S * 24_000 + 1_800
    assert (heard[0, : BUFFER_S * 24_000] == 1.0).all()
    assert not heard[:, BUFFER_S * 24_000 :].any()
    assert (after == 0.5).all()


def test_what_the_driver_lost_keeps_its_time(plug: Plug) -> None:
    fake = plug(4, (24_000,))
    with Microphone(4, timeout_s=0.01) as device:
        fake.streams[0].give(np.ones((4, 600), np.float32))
        fake.streams[0].give(np.ones((4, 600), np.float32), lost_samples=1000)
        heard = np.concatenate(list(islice(device.blocks(), 3)), axis=1)
    assert heard[0].tolist() == [1.0] * 600 + [0.0] * 1000 + [1.0] * 600
    assert device.lost_s == pytest.approx(1000 / 24_000)
    assert device.dropped_blocks == 0


def test_drift_is_measured_over_ten_seconds_and_changes_nothing(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that gives 24 001 samples in a second of the computer's clock runs 42 ppm too fast."""
    fake, now_s = plug(4, (24_000,)), 50.0
    # The module's own clock alone: a server that sleeps in a thread by the computer's would sleep for hours.
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now_s))
    with Microphone(4, timeout_s=0.01) as device:
        blocks = device.blocks()
        for second in range(25):
            fake.streams[0].give(np.full((4, 24_001), second, np.float32))
            received = sum(next(blocks).shape[1] for _ in range(2))
            assert received == 24_001
            assert (device.drift_ppm is None) == (second < 10)
            now_s += 1.0
        assert device.drift_ppm == pytest.approx(1e6 / 24_000, rel=1e-6)


def test_an_unplugged_device_ends_the_stream_with_its_events(plug: Plug) -> None:
    fake = plug(4, (24_000,))
    stream = causal_model().stream()
    with Microphone(4, "Zylia", timeout_s=0.01) as device:
        give(fake.streams[0], noise(10_000))
        blocks = device.blocks()
        stream.feed(next(blocks))
        with pytest.raises(
            StreamError, match="the input device 'Zylia' stopped giving sound: check that it is plugged"
        ):
            next(blocks)
    assert stream.finish().prediction is not None


def test_a_driver_that_ends_says_so_at_once(plug: Plug) -> None:
    fake = plug(4, (24_000,))
    with Microphone(4, timeout_s=60.0) as device:
        fake.streams[0].finished_callback()
        with pytest.raises(StreamError, match=r"\(default\) stopped giving sound"):
            next(device.blocks())


def test_stop_and_restart(plug: Plug) -> None:
    fake, device = plug(4, (24_000,)), Microphone(4, timeout_s=0.01)
    for level in (1.0, 2.0):
        with device:
            give(fake.streams[-1], np.full((4, 300), level, np.float32))
            assert (next(device.blocks()) == level).all()
        assert fake.streams[-1].closed
        assert device.dropped_blocks == 0
    assert len(fake.streams) == 2


@pytest.mark.parametrize(("name", "channels"), [("Zylia", 5), ("nowhere", 4)])
def test_a_device_that_is_not_there_or_too_small(plug: Plug, name: str, channels: int) -> None:
    plug()
    with pytest.raises(StreamError, match=rf"device '{name}' must give {channels} channels, got: .*sounddevice. lists"):
        Microphone(channels, name).__enter__()


def test_a_machine_without_the_library_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(BackendMissingError, match=r"pip install 'edgeseld\[stream\]'"):
        Microphone(4)
