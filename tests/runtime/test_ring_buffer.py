"""The ring between a sound card and a model: order, place, and what happens when it is full."""

import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgeseld.core.prediction import Float32
from edgeseld.runtime.streaming.ring_buffer import RingBuffer


def count_up(start: int, samples: int) -> Float32:
    """Two channels that tell where a sample stood: 1, 2, 3 ... and the same negative."""
    line = np.arange(start + 1, start + samples + 1, dtype=np.float32)
    return np.stack([line, -line])


@given(
    steps=st.lists(st.tuples(st.sampled_from(["write", "skip", "read"]), st.integers(0, 12)), min_size=1, max_size=60)
)
def test_samples_keep_order_and_place_and_losses_are_silence(steps: list[tuple[str, int]]) -> None:
    ring, place, expected, received = RingBuffer(2, 20), 0, [np.zeros((2, 0))], [np.zeros((2, 0))]
    dropped = lost = 0
    for action, samples in steps:
        if action == "read":
            block = ring.read(max(samples, 1), 0.0)
            received += [] if block is None else [block]
            continue
        block, place = count_up(place, samples), place + samples
        fits = ring.held_samples + samples <= 20
        if action == "write":
            ring.write(block)
            dropped += not fits
        else:
            ring.skip(samples)
        kept = action == "write" and fits
        lost += 0 if kept else samples
        expected.append(block if kept else 0.0 * block)
    while (block := ring.read(7, 0.0)) is not None:
        assert 1 <= block.shape[1] <= 7
        received.append(block)
    np.testing.assert_array_equal(np.concatenate(received, axis=1), np.concatenate(expected, axis=1))
    assert (ring.dropped_blocks, ring.lost_samples, ring.held_samples) == (dropped, lost, 0)


def test_a_reader_waits_for_the_writer() -> None:
    ring, blocks = RingBuffer(2, 1000), [count_up(100 * n, 100) for n in range(50)]

    def write() -> None:
        for block in blocks:
            ring.write(block)
            while ring.held_samples > 800:
                pass
        ring.close()

    writer = threading.Thread(target=write)
    writer.start()
    received = []
    while (block := ring.read(170, 5.0)) is not None:
        received.append(block)
    writer.join()
    np.testing.assert_array_equal(np.concatenate(received, axis=1), count_up(0, 5000))


def test_nothing_in_time_and_nothing_any_more_are_none() -> None:
    ring = RingBuffer(2, 10)
    assert ring.read(5, 0.01) is None
    ring.write(count_up(0, 3))
    ring.close()
    block = ring.read(5, 60.0)
    assert block is not None
    assert block.shape == (2, 3)
    assert ring.read(5, 60.0) is None
