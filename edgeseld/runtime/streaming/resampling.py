"""Blocks of any rate to 24 kHz as they come, the same as whole files (signal/resampling.py)."""

import numpy as np

from edgeseld.core.errors import AudioFormatError
from edgeseld.core.frames import SAMPLE_RATE_HZ
from edgeseld.core.prediction import Float32
from edgeseld.signal.resampling import HIGHEST_RATE_HZ, LOWEST_RATE_HZ, HalvingState, finish_halving, halve_chunk


class BlockResampler:
    """Keeps what later blocks need: nothing at 24 kHz, 254 samples of the documented filter at 48 kHz, soxr's else."""

    def __init__(self, channels: int, rate_hz: int) -> None:
        """AudioFormatError outside 8 to 192 kHz."""
        if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
            raise AudioFormatError(
                f"the sample rate must lie between {LOWEST_RATE_HZ} and {HIGHEST_RATE_HZ} Hz, got {rate_hz}; "
                "choose another"
            )
        self.channels, self.rate_hz = channels, rate_hz
        self._halving = HalvingState.start(channels)
        if rate_hz not in (SAMPLE_RATE_HZ, 2 * SAMPLE_RATE_HZ):
            import soxr

            self._soxr = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, channels, quality="VHQ")

    def push(self, block: Float32) -> Float32:
        """The 24 kHz samples that a block (channels, samples) completes."""
        if self.rate_hz == SAMPLE_RATE_HZ:
            return block
        if self.rate_hz == 2 * SAMPLE_RATE_HZ:
            halved, self._halving = halve_chunk(block, self._halving)
            return halved
        return self._by_soxr(block, last=False)

    def finish(self) -> Float32:
        """The last samples."""
        if self.rate_hz == SAMPLE_RATE_HZ:
            return np.zeros((self.channels, 0), np.float32)
        if self.rate_hz == 2 * SAMPLE_RATE_HZ:
            return finish_halving(self._halving)
        return self._by_soxr(np.zeros((self.channels, 0), np.float32), last=True)

    def _by_soxr(self, block: Float32, *, last: bool) -> Float32:
        samples: Float32 = self._soxr.resample_chunk(np.ascontiguousarray(block.T), last=last)
        return np.ascontiguousarray(samples.T)
