"""Features of a whole recording from a frontend graph of fixed length, so that shifted windows share them."""

import numpy as np

from edgeseld.core.prediction import Float32
from edgeseld.runtime.passes import Graphs
from edgeseld.runtime.windows import cut


class FeatureLine:
    """Feature frames of audio that is delayed by `delay_samples`, from frame `first` (0 or below) on.

    The frontend runs once per tile of as many frames as its graph gives. Requests move forward: tiles before those of
    the last request are forgotten.
    """

    def __init__(self, graphs: Graphs, audio: Float32, delay_samples: int, first: int) -> None:
        self._graphs, self._audio, self._delay_samples, self._first = graphs, audio, delay_samples, first
        self._tile_frames = graphs.interface.graphs["frontend"].outputs[0].shape[2]
        self._tiles: dict[int, Float32] = {}

    def frames(self, start: int, stop: int) -> Float32:
        """Features (1, maps, stop - start, mel_bands) of the frames start .. stop - 1."""
        low, high = start - self._first, stop - self._first
        wanted = range(low // self._tile_frames, -(-high // self._tile_frames))
        self._tiles = {
            number: self._tiles[number] if number in self._tiles else self._hear(number) for number in wanted
        }
        tiles = list(self._tiles.values())
        joined = tiles[0] if len(tiles) == 1 else np.concatenate(tiles, axis=2)
        offset = wanted.start * self._tile_frames
        return np.ascontiguousarray(joined[:, :, low - offset : high - offset])

    def _hear(self, number: int) -> Float32:
        """Features of one tile."""
        signal = self._graphs.interface.signal
        start = (self._first + number * self._tile_frames) * signal.hop_samples - self._delay_samples
        stop = start + self._tile_frames * signal.hop_samples
        pcm = cut(self._audio, start - signal.context_samples, stop)
        return self._graphs.run("frontend", pcm[np.newaxis])["features"]
