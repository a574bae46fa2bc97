"""Samples on their way from a sound card, which never waits, to a model, which may be late."""

import threading
from collections import deque

import numpy as np

from edgeseld.core.prediction import Float32


class RingBuffer:
    """A fixed number of samples between one thread that writes and one that reads.

    A block that finds no room is dropped and counted, and its time passes as silence: what comes later keeps its place.
    """

    def __init__(self, channels: int, capacity_samples: int) -> None:
        self._ring = np.zeros((channels, capacity_samples), np.float32)
        self._capacity = capacity_samples
        self._read_place = 0
        self._held = 0
        # Runs of [samples, whether they are held or lost], oldest first.
        self._runs: deque[list[int]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self.dropped_blocks = 0
        self.lost_samples = 0

    @property
    def held_samples(self) -> int:
        """Samples that wait to be read."""
        return self._held

    def write(self, block: Float32) -> None:
        """Keep a block (channels, samples), or drop it where it does not fit whole."""
        count = block.shape[1]
        with self._changed:
            if self._held + count > self._capacity:
                self.dropped_blocks += 1
                self._lose(count)
            elif count:
                start = (self._read_place + self._held) % self._capacity
                first = min(count, self._capacity - start)
                self._ring[:, start : start + first] = block[:, :first]
                self._ring[:, : count - first] = block[:, first:]
                self._held += count
                self._append(count, held=True)
            self._changed.notify()

    def skip(self, samples: int) -> None:
        """Pass over samples that were lost before they came here."""
        with self._changed:
            self._lose(samples)
            self._changed.notify()

    def close(self) -> None:
        """Nothing will be written any more; what is held can still be read."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def read(self, most_samples: int, timeout_s: float) -> Float32 | None:
        """The next 1 .. most_samples samples; None if none came in time, or none will come."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._runs or self._closed, timeout_s) or not self._runs:
                return None
            run = self._runs[0]
            count = min(run[0], most_samples)
            block = self._take(count) if run[1] else np.zeros((len(self._ring), count), np.float32)
            run[0] -= count
            if not run[0]:
                self._runs.popleft()
            return block

    def _take(self, count: int) -> Float32:
        first = min(count, self._capacity - self._read_place)
        oldest = self._ring[:, self._read_place : self._read_place + first]
        block = np.concatenate([oldest, self._ring[:, : count - first]], axis=1)
        self._read_place = (self._read_place + count) % self._capacity
        self._held -= count
        return block

    def _lose(self, count: int) -> None:
        self.lost_samples += count
        if count:
            self._append(count, held=False)

    def _append(self, count: int, *, held: bool) -> None:
        if self._runs and self._runs[-1][1] == held:
            self._runs[-1][0] += count
        else:
            self._runs.append([count, held])
