"""Streams: the same whatever the blocks, the same as the file, and defined where sound or callers misbehave."""

import threading
import tracemalloc
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeseld.core.errors import AudioFormatError, BundleError, ConfigError, StreamError
from edgeseld.core.events import SeldEvent
from edgeseld.core.manifest import MaskSiteSpec
from edgeseld.core.prediction import Float32, Prediction, join_predictions
from edgeseld.core.spec import TrackingSpec
from edgeseld.runtime.streaming.stream import Stream, Update
from tests.runtime.parts import WIDTH, MadeUpBackend, causal_model, made_up_model, noise

FRAME = 2400
LOUD = TrackingSpec(threshold=0.2)
AUDIO = noise(23 * FRAME + 700)
STREAMS: dict[str, Callable[[], Stream]] = {
    "frames": lambda: causal_model(tracking=LOUD).stream(),
    "windows": lambda: made_up_model(tracking=LOUD).stream(hop_frames=2, lookahead_frames=1),
    "samples": lambda: causal_model(tracking=LOUD).stream(mc_samples=5, seed=3),
}


def blocks(audio: Float32, lengths: Iterable[int]) -> list[Float32]:
    """Audio in blocks of these lengths, the rest as the last one."""
    return np.split(audio, np.cumsum(list(lengths)), axis=1)


def run(stream: Stream, parts: Iterable[Float32]) -> tuple[Prediction, list[SeldEvent], list[Update]]:
    updates = [*(stream.feed(part) for part in parts), stream.finish()]
    heard = [update.prediction for update in updates if update.prediction is not None]
    return join_predictions(heard), [event for update in updates for event in update.closed], updates


def assert_equal(ours: Prediction, theirs: Prediction) -> None:
    np.testing.assert_array_equal(ours.activity, theirs.activity)
    np.testing.assert_array_equal(ours.direction, theirs.direction)
    assert (ours.uncertainty is None) == (theirs.uncertainty is None)
    if ours.uncertainty is not None and theirs.uncertainty is not None:
        for one, other in zip(ours.uncertainty.arrays(), theirs.uncertainty.arrays(), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", STREAMS)
@settings(max_examples=12)
@given(lengths=st.lists(st.integers(0, 9000), max_size=30))
def test_block_sizes_change_nothing(kind: str, lengths: list[int]) -> None:
    whole, events, _ = run(STREAMS[kind](), [AUDIO])
    parts, same_events, _ = run(STREAMS[kind](), blocks(AUDIO, lengths))
    assert_equal(parts, whole)
    assert sorted(events, key=str) == sorted(same_events, key=str)
    assert events


@pytest.mark.parametrize("mc_samples", [0, 6])
@pytest.mark.parametrize("head", ["multi-accdoa", "accdoa", "sed-doa", "sed"])
def test_a_causal_stream_hears_what_the_file_holds(head: str, mc_samples: int) -> None:
    model = causal_model(head, tracking=LOUD)  # type: ignore[arg-type]
    streamed, events, _ = run(model.stream(mc_samples=mc_samples, seed=2), blocks(AUDIO, [777] * 70))
    offline = model.predict(AUDIO, mc_samples=mc_samples, seed=2)
    np.testing.assert_allclose(streamed.activity, offline.activity, atol=1e-5)
    np.testing.assert_allclose(streamed.direction, offline.direction, atol=1e-5)
    assert streamed.activity.shape == offline.activity.shape
    by_onset = sorted(events, key=lambda event: (event.onset_s, event.class_name == "knock", event.track))
    for ours, theirs in zip(by_onset, offline.events(), strict=True):
        assert (ours.class_name, ours.track, ours.onset_s, ours.offset_s) == (
            theirs.class_name,
            theirs.track,
            theirs.onset_s,
            theirs.offset_s,
        )
        assert ours.score == pytest.approx(theirs.score, abs=1e-5)


def test_windows_side_by_side_are_the_offline_pass() -> None:
    model = made_up_model()
    streamed, _, _ = run(model.stream(hop_frames=6), blocks(AUDIO, [5000] * 9))
    offline = model.predict(AUDIO)
    np.testing.assert_array_equal(streamed.activity, offline.activity)
    np.testing.assert_array_equal(streamed.direction, offline.direction)


@pytest.mark.parametrize(("hop", "lookahead"), [(1, 0), (2, 1), (3, 3), (4, 0), (1, 5)])
def test_a_sliding_window_gives_the_frames_before_its_look_ahead(hop: int, lookahead: int) -> None:
    model = made_up_model(tracking=TrackingSpec(unify_deg=0.0))
    streamed, _, _ = run(model.stream(hop_frames=hop, lookahead_frames=lookahead), [AUDIO])
    assert streamed.frames == 24
    context, window = model.interface.signal.context_samples, 6 * FRAME
    padded = np.pad(AUDIO, ((0, 0), (context + window, 2 * window)))
    for frame in range(24):
        # Steps end at multiples of the hop; the first one that leaves the look-ahead behind the frame gives it out.
        end = -(-(frame + 1 + lookahead) // hop) * hop
        start = end * FRAME
        pcm = padded[np.newaxis, :, start : start + context + window]
        accdoa = model.backend.run("full", [np.ascontiguousarray(pcm)])[0][0]
        expected = np.minimum(np.linalg.norm(accdoa[6 - (end - frame)], axis=1), 1.0)
        np.testing.assert_allclose(streamed.activity[frame], expected, atol=1e-5)


def test_nothing_is_heard_before_a_step_is_full_and_finish_hears_the_rest() -> None:
    stream = STREAMS["windows"]()
    assert stream.latency_frames == 3
    assert stream.feed(AUDIO[:, : 2 * FRAME - 1]).prediction is None
    # The first step completes frame 0; frame 1 waits for what follows it.
    update = stream.feed(AUDIO[:, 2 * FRAME - 1 : 2 * FRAME])
    assert update.prediction is not None
    assert (update.first_frame, update.prediction.frames) == (0, 1)
    update = stream.feed(AUDIO[:, 2 * FRAME : 4 * FRAME])
    assert update.prediction is not None
    assert (update.first_frame, update.prediction.frames) == (1, 2)
    last = stream.finish()
    assert last.prediction is not None
    assert (last.first_frame, last.prediction.frames) == (3, 1)


def test_a_stream_that_heard_nothing_ends_with_nothing() -> None:
    for make in STREAMS.values():
        assert make().finish() == Update(0)
    stream = STREAMS["frames"]()
    assert stream.feed(AUDIO[:, :0]).prediction is None
    assert stream.finish().prediction is None


def test_events_open_once_and_close_once_and_frames_follow_each_other() -> None:
    _, _, updates = run(STREAMS["frames"](), blocks(AUDIO, [FRAME] * 23))
    opened = [(e.class_name, e.track, e.onset_s) for update in updates for e in update.opened]
    closed = [(e.class_name, e.track, e.onset_s) for update in updates for e in update.closed]
    assert opened
    assert sorted(opened) == sorted(closed)
    assert len(set(opened)) == len(opened)
    assert [update.first_frame for update in updates] == [*range(24), 23]
    assert any(update.detections for update in updates)


@pytest.mark.parametrize("kind", STREAMS)
def test_restart_forgets_everything(kind: str) -> None:
    stream = STREAMS[kind]()
    first, events, _ = run(stream, [AUDIO])
    stream.restart()
    stream.feed(np.full((4, 3333), np.nan, np.float32))
    stream.restart()
    assert (stream.samples, stream.invalid_samples) == (0, 0)
    again, same, _ = run(stream, [AUDIO])
    assert_equal(again, first)
    assert same == events


def test_a_finished_stream_takes_no_more() -> None:
    stream = STREAMS["frames"]()
    stream.finish()
    with pytest.raises(StreamError, match=r"finished: call restart"):
        stream.feed(AUDIO)
    with pytest.raises(StreamError, match=r"finished: call restart"):
        stream.finish()


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (np.zeros((2, 100), np.float32), r"the shape \(4, samples\), got \(2, 100\)"),
        (np.zeros((100, 4), np.float32), r"got \(100, 4\): transpose"),
        (np.zeros(100, np.float32), r"got \(100,\)"),
        (np.zeros((4, 100), np.int16), "float32 with full scale 1, got int16: divide integers"),
        (np.zeros((4, 100), np.float64), "got float64"),
        ([[0.0], [0.0], [0.0], [0.0]], "got list"),
    ],
)
def test_blocks_of_another_shape_or_type_change_nothing(block: Float32, reason: str) -> None:
    stream, untouched = STREAMS["frames"](), STREAMS["frames"]()
    stream.feed(AUDIO[:, :5000])
    untouched.feed(AUDIO[:, :5000])
    with pytest.raises(AudioFormatError, match=reason):
        stream.feed(block)
    ours, theirs = stream.feed(AUDIO[:, 5000:]).prediction, untouched.feed(AUDIO[:, 5000:]).prediction
    assert ours is not None
    assert theirs is not None
    assert_equal(ours, theirs)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 20_000.0, -17.0])
@pytest.mark.parametrize("kind", STREAMS)
def test_samples_that_cannot_be_are_heard_as_silence(kind: str, value: float) -> None:
    broken, silent = AUDIO.copy(), AUDIO.copy()
    broken[2, 7000:7100] = value
    broken[1, 7050:7060] = value
    silent[2, 7000:7100] = 0.0
    silent[1, 7050:7060] = 0.0
    stream = STREAMS[kind]()
    ours, _, _ = run(stream, blocks(broken, [1000] * 50))
    theirs, _, _ = run(STREAMS[kind](), [silent])
    assert stream.invalid_samples == 100
    assert_equal(ours, theirs)
    assert np.isfinite(ours.activity).all()
    assert np.isnan(broken[2, 7000]) == np.isnan(value)


def test_two_streams_in_two_threads_do_not_meet() -> None:
    model = causal_model(tracking=LOUD)
    audio = [noise(40 * FRAME, seed) for seed in (1, 2)]
    alone = [run(model.stream(), [one])[0] for one in audio]
    heard: dict[int, Prediction] = {}

    def listen(index: int) -> None:
        heard[index] = run(model.stream(), blocks(audio[index], [1234] * 70))[0]

    threads = [threading.Thread(target=listen, args=[index]) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index in (0, 1):
        assert_equal(heard[index], alone[index])


def test_memory_does_not_grow() -> None:
    """Sources that never end keep the last minute of their way."""
    model = causal_model(tracking=TrackingSpec(threshold=0.05, gate_deg=180.0))
    stream, block = model.stream(), AUDIO[:, : 20 * FRAME]

    def bytes_after(blocks: int) -> int:
        for _ in range(blocks):
            stream.feed(block)
        assert isinstance(model.backend, MadeUpBackend)
        model.backend.runs.clear()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    full = bytes_after(45)
    assert abs(bytes_after(20) - full) < 10_000
    tracemalloc.stop()


def test_what_fits_no_window_is_refused() -> None:
    model = made_up_model()
    for options in ({"hop_frames": 0}, {"lookahead_frames": -1}, {"hop_frames": 4, "lookahead_frames": 3}):
        with pytest.raises(ConfigError, match=r"must fit into the window of 6 frames"):
            model.stream(**options)
    with pytest.raises(ConfigError, match="goes frame by frame"):
        causal_model().stream(hop_frames=2)
    with pytest.raises(ConfigError, match="mc_samples must be 0"):
        causal_model().stream(mc_samples=-1)


def test_samples_in_a_stream_need_dropout_in_the_head() -> None:
    sites = (MaskSiteSpec(name="context.2.feed_forward", channels=WIDTH, rate=0.1),)
    with pytest.raises(BundleError, match=r"dropout in the head alone, made-up has it in context\.2"):
        causal_model(sites=sites).stream(mc_samples=4)
    assert made_up_model(sites=sites).stream(mc_samples=4).latency_frames == 5
